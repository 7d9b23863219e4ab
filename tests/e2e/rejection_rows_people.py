"""Refusals of people at work: leases, flags, adjudication, links, and who may see what."""

from __future__ import annotations

from typing import Any

from tests.e2e.rejection_rows import UNKNOWN, Ask, Row, at, filled, label
from tests.e2e.rejection_stage import Stage

NOBODY = "a" * 40


def by(who: str, path: str, document: Any = None, *, method: str = "post") -> Ask:
    """A request by somebody else than the admin; ``path`` is the session's unless whole."""

    def ask(stage: Stage, session: str) -> Any:
        caller = stage.server.caller(stage.ids[f"{who}_token"])
        named = path.format(**stage.ids)
        url = named if named.startswith("/v1/") else session + named
        if method == "get":
            return caller.get(url)
        return caller.post(url, filled(document, stage), key=None)

    return ask


def admin(path: str, document: Any = None) -> Ask:
    """A request outside of any session."""
    return lambda stage, _session: stage.caller.post(
        path.format(**stage.ids), filled(document, stage), key=None
    )


def under(lease: str, token: str, answer: str = "garden", *, who: str = "ann", **more: Any) -> Ask:
    row = {"item_id": "$held_item", "label": answer, "assignment_id": lease, "lease_token": token}
    return by(who, "/label", {"labels": [row], **more})


LEASES = {
    "a heartbeat with a wrong token": Row(
        on="queue",
        ask=by("ann", "/assignments/{held}/heartbeat", {"lease_token": NOBODY}),
        status=403,
        code="lease-not-yours",
    ),
    "a heartbeat with somebody else's token": Row(
        on="queue",
        ask=by("bob", "/assignments/{held}/heartbeat", {"lease_token": "$held_token"}),
        status=403,
        code="lease-not-yours",
    ),
    "a heartbeat for a lease that was given back": Row(
        on="queue",
        ask=by("ann", "/assignments/{lost}/heartbeat", {"lease_token": "$lost_token"}),
        status=409,
        code="lease-expired",
        extras={"state": "released"},
    ),
    "an answer under a wrong token": Row(
        on="queue", ask=under("$held", NOBODY), status=403, code="lease-not-yours"
    ),
    "an answer under somebody else's lease": Row(
        on="queue",
        ask=under("$held", "$held_token", who="bob"),
        status=403,
        code="lease-not-yours",
    ),
    "an answer outside the schema under a lease": Row(
        on="queue",
        ask=under("$held", "$held_token", "space"),
        status=422,
        code="label-not-in-schema",
        pointer="/labels/0/labels",
    ),
    "an answer without a lease by somebody who needs one": Row(
        on="queue",
        ask=by("ann", "/label", {"labels": [{"item_id": "$held_item", "label": "garden"}]}),
        status=403,
        code="scope-missing",
    ),
    "an answer in somebody else's name": Row(
        on="queue",
        ask=under("$held", "$held_token", annotator_id="somebody"),
        status=403,
        code="annotator-mismatch",
    ),
    "a lease of ten seconds": Row(
        on="queue",
        ask=by("ann", "/leases", {"ttl_s": 10}),
        status=422,
        code="out-of-range",
        pointer="/ttl_s",
    ),
    "a hundred leases at once": Row(
        on="queue",
        ask=by("ann", "/leases", {"count": 100}),
        status=422,
        code="out-of-range",
        pointer="/count",
    ),
    "a lease in a closed session": Row(
        on="closed", ask=by("ann", "/leases", {}), status=409, code="session-not-open"
    ),
    "a lease for somebody who may only review": Row(
        on="queue", ask=by("reviewer", "/leases", {}), status=403, code="scope-missing"
    ),
    "a flag without a reason that is known": Row(
        on="queue",
        ask=by(
            "ann",
            "/assignments/{held}/flag",
            {"lease_token": "$held_token", "reason": "boring"},
        ),
        status=422,
        code="not-allowed",
        pointer="/reason",
    ),
    "taking back a label nobody gave": Row(
        on="queue",
        ask=by("ann", "/labels/lab_01JD3V7Q6S0000000000000000/undo"),
        status=404,
        code="unknown-label",
    ),
}
DECISIONS = {
    "a decision where nobody disagrees": Row(
        on="contested",
        ask=at("/items/{calm}/adjudicate", document={"label": "garden"}),
        status=409,
        code="no-conflict",
    ),
    "a decision outside the schema": Row(
        on="contested",
        ask=at("/items/{contested}/adjudicate", document={"label": "space"}),
        status=422,
        code="label-not-in-schema",
    ),
    "a decision on an unknown item": Row(
        on="contested",
        ask=at(f"/items/{UNKNOWN}/adjudicate", document={"label": "garden"}),
        status=404,
        code="unknown-item",
    ),
    "a decision by somebody who answers": Row(
        on="contested",
        ask=by("ann", "/items/{contested}/adjudicate", {"label": "garden"}),
        status=403,
        code="scope-missing",
    ),
    "a third answer where two were asked": Row(
        on="contested",
        ask=label({"item_id": "$contested", "label": "garden"}),
        status=409,
        code="overlap-reached",
    ),
    "a flag that was decided": Row(
        on="contested",
        ask=at("/flags/{flag}/resolve", document={"resolution": "excluded"}),
        status=409,
        code="flag-resolved",
        extras={"resolution": "returned"},
    ),
    "a flag nobody raised": Row(
        on="contested",
        ask=at(
            "/flags/flg_01JD3V7Q6S0000000000000000/resolve", document={"resolution": "excluded"}
        ),
        status=404,
        code="unknown-flag",
    ),
    "the labels, asked by somebody who answers": Row(
        on="contested", ask=by("ann", "/labels", method="get"), status=403, code="scope-missing"
    ),
    "gold, asked by somebody who answers": Row(
        on="contested",
        ask=by("ann", "/items/{contested}", method="get"),
        status=403,
        code="scope-missing",
    ),
    "the quality of people, asked by a reviewer": Row(
        on="contested",
        ask=by("reviewer", "/quality", method="get"),
        status=403,
        code="scope-missing",
    ),
}
LINKS = {
    "a link that was used": Row(
        on="human",
        ask=admin("/v1/sign-in", {"token": "$used_link"}),
        status=401,
        code="invitation-refused",
    ),
    "a link that was taken back": Row(
        on="human",
        ask=admin("/v1/sign-in", {"token": "$gone_link"}),
        status=401,
        code="invitation-refused",
    ),
    "a link nobody sent": Row(
        on="human",
        ask=admin("/v1/sign-in", {"token": NOBODY}),
        status=401,
        code="invitation-refused",
    ),
    "a link to be taken back that was used": Row(
        on="human",
        ask=admin("/v1/invitations/{used}/revoke"),
        status=409,
        code="invitation-used",
    ),
    "a new link for somebody who was revoked": Row(
        on="human",
        ask=admin("/v1/invitations", {"person_id": "$person"}),
        status=409,
        code="person-revoked",
    ),
    "a role that does not exist": Row(
        on="human",
        ask=admin("/v1/invitations", {"name": "Ada", "role": "king"}),
        status=422,
        code="not-allowed",
        pointer="/role",
    ),
    "a role above one's own": Row(
        on="human",
        ask=by("lead", "/v1/invitations", {"name": "Ada", "role": "admin"}),
        status=403,
        code="role-too-high",
    ),
    "a person nobody knows": Row(
        on="human",
        ask=admin("/v1/people/per_01JD3V7Q6S0000000000000000/revoke"),
        status=404,
        code="unknown-person",
    ),
    "an invitation by somebody who answers": Row(
        on="human",
        ask=by("ann", "/v1/invitations", {"name": "Ada", "role": "annotator"}),
        status=403,
        code="scope-missing",
    ),
}
MODERATION = {
    f"{verb} before there is a model": Row(
        on="fresh", ask=at(f"/{verb}", document=document), status=409, code="no-model"
    )
    for verb, document in (
        ("moderations", {"input": "bread"}),
        (
            "comments:analyze",
            {"comment": {"text": "bread"}, "requestedAttributes": {"garden": {}}},
        ),
    )
}
