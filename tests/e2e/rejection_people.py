"""People in every state that refuses something: leases, flags, conflicts, links, webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

from tests.e2e.running import Caller, Running, opened
from tests.receiver import Receiver

if TYPE_CHECKING:
    from tests.e2e.rejection_stage import Stage

ENDPOINTS = "/v1/webhook-endpoints"
MOST_ENDPOINTS = 20
WEEK_S = 7 * 24 * 3600


def people_at_work(
    whole: Running, receiver: Receiver, paths: dict[str, str], ids: dict[str, str]
) -> None:
    """A queue with leases of two people, a conflict, a flag; then links and endpoints."""
    caller = whole.caller()
    ids |= {f"{name}_token": whole.key("annotate") for name in ("ann", "bob")}
    ids |= {"reviewer_token": whole.key("review"), "lead_token": whole.key("people:write")}
    _lease(whole, paths, ids)
    _disagree(whole, caller, paths, ids)
    _invite(caller, ids)
    _announce(caller, receiver, paths, ids)


def _claim(who: Caller, path: str, **asked: Any) -> dict[str, Any]:
    return dict(who.made(f"{path}/leases", asked, key=None)["assignments"][0])


def _lease(whole: Running, paths: dict[str, str], ids: dict[str, str]) -> None:
    """One text held, and one given back."""
    caller, ann = whole.caller(), whole.caller(ids["ann_token"])
    paths["queue"] = path = opened(caller, oracle="human", min_distance=0.0)
    caller.made(f"{path}/select", {"size": 4})
    asked = {"count": 2, "ttl_s": 3600}
    lost, held = ann.made(f"{path}/leases", asked, key=None)["assignments"]
    back = {"lease_token": lost["lease_token"]}
    assert ann.post(f"{path}/assignments/{lost['id']}/release", back, key=None).status_code == 204
    ids |= {"lost": lost["id"], "lost_token": lost["lease_token"], "held": held["id"]}
    ids |= {"held_item": held["item"]["id"], "held_token": held["lease_token"]}


def _disagree(whole: Running, caller: Caller, paths: dict[str, str], ids: dict[str, str]) -> None:
    people = {"overlap": 2, "resolution": "unanimous"}
    paths["contested"] = path = opened(caller, oracle="human", min_distance=0.0, people=people)
    batch = caller.made(f"{path}/select", {"size": 2})
    ids["contested"], ids["calm"] = (item["id"] for item in batch["items"])
    for who, label in (("one", "garden"), ("two", "kitchen")):
        row = {"item_id": ids["contested"], "label": label}
        caller.made(f"{path}/label", {"labels": [row], "annotator_id": who})
    lease = _claim(whole.caller(ids["bob_token"]), path)
    flag = {"lease_token": lease["lease_token"], "reason": "unreadable"}
    bob = whole.caller(ids["bob_token"])
    ids["flag"] = bob.made(f"{path}/assignments/{lease['id']}/flag", flag)["flag_id"]
    caller.made(f"{path}/flags/{ids['flag']}/resolve", {"resolution": "returned"})


def _invite(caller: Caller, ids: dict[str, str]) -> None:
    """A link that was used, one that was taken back, and somebody who was revoked."""
    used, gone = (
        caller.made("/v1/invitations", {"name": name, "role": "annotator"}, key=None)
        for name in ("Ada", "Jon")
    )
    ids |= {"used_link": used["url"].partition("#")[2], "used": used["id"]}
    ids["gone_link"] = gone["url"].partition("#")[2]
    joined = caller.post("/v1/sign-in", {"token": ids["used_link"]}, key=None)
    caller.http.cookies.clear()
    ids["person"] = joined.json()["person"]["id"]
    assert caller.post(f"/v1/people/{ids['person']}/revoke", key=None).status_code == 204
    assert caller.post(f"/v1/invitations/{gone['id']}/revoke", key=None).status_code < 300


def _announce(
    caller: Caller, receiver: Receiver, paths: dict[str, str], ids: dict[str, str]
) -> None:
    """Callback URLs of a batch that is open and of one that has expired."""
    document = {"url": receiver.url, "types": ["batch.ready"]}
    endpoint = caller.made(ENDPOINTS, document, key=None)
    ids |= {"endpoint": endpoint["id"], "secret": endpoint["secret"]}
    for place, (name, hours) in enumerate((("called", 24), ("expired", 0.0001)), start=1):
        people = {"batch_hours": hours}
        paths[name] = path = opened(caller, oracle="human", min_distance=0.0, people=people)
        batch = caller.made(f"{path}/select", {"size": 2})
        ids[f"{name}_item"] = batch["items"][0]["id"]
        heard = json.loads(receiver.wait_for(place)[place - 1].body)
        ids[f"{name}_url"] = heard["data"]["callback_url"]
    disabled = caller.read(f"{ENDPOINTS}/{endpoint['id']}")
    assert disabled["state"] == "enabled"
    for n in range(MOST_ENDPOINTS - 1):
        caller.made(ENDPOINTS, {"url": f"https://example.com/{n}"}, key=None)


def call_back(
    stage: Stage,
    name: str,
    item: str,
    *,
    id: str = "msg_1",
    ago: int = 0,
    secret: str | None = None,
) -> Any:
    """A signed answer about one item to the callback URL of that session's batch."""
    row = {"item_id": stage.ids[item], "label": "garden"}
    body = json.dumps({"labels": [row]}).encode()
    at = int(time.time()) - ago
    key = base64.b64decode((secret or stage.ids["secret"]).removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    url = stage.ids[f"{name}_url"]
    return stage.server.caller("").post(url, content=body, headers=headers, key=None)
