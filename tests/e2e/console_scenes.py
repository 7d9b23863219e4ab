"""Sessions in which people disagree, flag texts, and have names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.cookies import COOKIE
from core.people import Flag
from tests.e2e.console_stage import Stage


def joined(stage: Stage, name: str, *, role: str = "annotator") -> str:
    """The id of somebody new of that name, who has signed in."""
    token = stage.invite(role, name=name).partition("#")[2]
    answer = stage.client.post("/v1/sign-in", json={"token": token})
    stage.client.delete_cookie(COOKIE)
    return str(answer.json["person"]["id"])


def in_conflict(
    stage: Stage,
    texts: Sequence[Any],
    *,
    kind: str = "single",
    voices: Sequence[str] = ("rev_one", "rev_two"),
) -> str:
    """A session whose every text got two different answers, by these annotators."""
    people = {"overlap": 2, "resolution": "unanimous", "metadata_shown": ["channel"]}
    session = stage.session(texts, kind=kind, people=people)
    items = sorted(stage.items(session).values(), key=lambda row: row["position"])
    for label, who in zip(("threat", "calm"), voices, strict=True):
        rows = [{"item_id": item["id"], "label": label, "note": f"why {label}"} for item in items]
        stage.send("POST", f"/sessions/{session}/label", {"labels": rows, "annotator_id": who})
    return session


def flagged(stage: Stage, session: str, reason: Any = "other") -> None:
    """An open flag for each text of the session, by somebody."""
    now = stage.service.clock.now()
    with stage.service.store.write() as tx:
        for item in stage.items(session).values():
            flag = Flag(
                id=stage.service.ids.new("flg"),
                tenant_id=stage.tenant_id,
                session_id=session,
                item_id=item["id"],
                assignment_id=None,
                annotator_id="per_somebody",
                reason=reason,
                note=item["text"][:2000],
                state="open",
                resolution=None,
                resolved_by=None,
                created_at=now,
                resolved_at=None,
            )
            tx.flags.add(flag)
