"""How long a session is kept: legal holds, days after closing, and what a worker clears away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from core.people import Invitation, SignIn
from runtime.pruning import Pruning
from tests.unit.api.conftest import session_document


@dataclass
class Later:
    """A clock that somebody moved on."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def pruned(service):
    """Lets a worker clear away as if ``days`` had passed."""

    def look(*, days: float) -> None:
        clock = Later(service.clock.now() + timedelta(days=days))
        Pruning(store=service.store, jobs=service.jobs, clock=clock, ids=service.ids).look()

    return look


def closed(caller, **retention) -> str:
    made = caller.post("/v1/sessions", session_document(retention=retention))
    url = str(made.headers["Location"])
    assert caller.post(f"{url}/close").status_code == 200
    return url


def test_a_held_session_is_not_deleted(caller):
    url = caller.post("/v1/sessions", session_document(retention={"hold": True})).location
    answer = caller.delete(url, If_Match="*")
    assert (answer.status_code, answer.json["code"]) == (409, "legal-hold")
    assert caller.get(url).json["state"] == "draft"


def test_an_item_of_a_held_session_is_not_deleted(caller, pool_url):
    hold = {"settings": {"retention": {"hold": True}}}
    assert caller.patch(pool_url, hold, If_Match="*").status_code == 200
    item = caller.get(f"{pool_url}/items?limit=1").json["data"][0]["id"]
    answer = caller.delete(f"{pool_url}/items/{item}", If_Match="*")
    assert (answer.status_code, answer.json["code"]) == (409, "legal-hold")


def test_a_closed_session_can_still_be_held_and_let_go(caller):
    url = closed(caller, hold=False)
    before = caller.get(url).json["updated_at"]
    for hold in (True, False):
        changed = caller.patch(url, {"settings": {"retention": {"hold": hold}}}, If_Match="*")
        assert changed.json["settings"]["retention"]["hold"] is hold
    assert caller.get(url).json["updated_at"] == before


def test_nothing_else_of_a_closed_session_changes(caller):
    answer = caller.patch(closed(caller), {"name": "x"}, If_Match="*")
    assert (answer.status_code, answer.json["code"]) == (409, "session-not-open")


@pytest.mark.parametrize("days", [0, -1, 1.5, "7"])
def test_days_are_whole_and_at_least_one(caller, days):
    answer = caller.post("/v1/sessions", session_document(retention={"items_days": days}))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/settings/retention/items_days"


def test_a_closed_session_is_deleted_when_its_days_are_over(caller, pruned):
    url = closed(caller, items_days=7)
    pruned(days=6.9)
    assert caller.get(url).status_code == 200
    pruned(days=7)
    assert caller.get(url).status_code == 410


def test_a_hold_stops_the_time(caller, pruned):
    url = closed(caller, items_days=7, hold=True)
    pruned(days=100)
    assert caller.get(url).status_code == 200


def test_an_open_session_stays(caller, pruned):
    made = caller.post("/v1/sessions", session_document(retention={"items_days": 1}))
    pruned(days=100)
    assert caller.get(made.location).status_code == 200


def test_a_closed_session_without_days_stays(caller, pruned):
    url = closed(caller)
    pruned(days=10_000)
    assert caller.get(url).status_code == 200


def test_the_deletion_is_the_last_event(service, caller, pruned):
    url = closed(caller, items_days=1)
    last = caller.get(f"{url}/events").json["data"][-1]["sequence"]
    pruned(days=2)
    with service.store.read() as tx:
        [event] = tx.events.list(url.rpartition("/")[2], after=0, limit=9)
    found = {"type": event.type, "data": dict(event.data), "later": event.sequence > last}
    assert found == {"type": "session.deleted", "data": {"reason": "retention"}, "later": True}


def test_a_deleted_session_leaves_no_reply_to_its_creation(service, caller):
    made = caller.post("/v1/sessions", session_document(), Idempotency_Key="the-first")
    caller.delete(made.location, If_Match="*")
    again = caller.post("/v1/sessions", session_document(), Idempotency_Key="the-first")
    assert again.status_code == 201
    assert again.json["id"] != made.json["id"]


def test_ended_sign_ins_and_old_invitations_are_forgotten(service, tenant_id, pruned):
    now = service.clock.now()
    ends = {"short": now + timedelta(hours=1), "long": now + timedelta(days=60)}
    with service.store.write() as tx:
        for name, end in ends.items():
            token = f"{tenant_id} {name}".ljust(64, "0")
            tx.people.add_sign_in(
                SignIn(
                    id=f"sig_{tenant_id}_{name}",
                    tenant_id=tenant_id,
                    person_id="per_none",
                    token_sha256=token,
                    created_at=now,
                    expires_at=end,
                )
            )
            tx.people.add_invitation(
                Invitation(
                    id=f"inv_{tenant_id}_{name}",
                    tenant_id=tenant_id,
                    name="Kim",
                    role="annotator",
                    session_id=None,
                    token_sha256=token,
                    created_by="key",
                    created_at=now,
                    expires_at=end,
                )
            )
    pruned(days=31)
    with service.store.read() as tx:
        tokens = {name: f"{tenant_id} {name}".ljust(64, "0") for name in ends}
        left = {
            name: (tx.people.sign_in_by_token(t) is None, tx.people.invitation_by_token(t) is None)
            for name, t in tokens.items()
        }
    assert left == {"short": (True, True), "long": (False, False)}


def test_a_worker_clears_away_once_an_hour(service, caller):
    clock = Later(service.clock.now() + timedelta(days=1))
    pruning = Pruning(store=service.store, jobs=service.jobs, clock=clock, ids=service.ids)
    pruning.look()
    url = closed(caller, items_days=1)
    clock.moment += timedelta(minutes=59)
    pruning.look()
    assert caller.get(url).status_code == 200
    clock.moment += timedelta(days=1)
    pruning.look()
    assert caller.get(url).status_code == 410
