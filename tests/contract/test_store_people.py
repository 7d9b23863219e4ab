"""Persons, invitations and sign-ins on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from adapters.store.engine import writing
from adapters.store.tables import assignments
from core.access import Caller
from core.errors import NotVerified
from core.people import NewInvitation
from core.records import Page
from core.rounds import people
from runtime.clock import UlidIds


@pytest.fixture
def tenants(store, rows):
    with store.write() as tx:
        for tenant in ("ten_a", "ten_b"):
            tx.access.ensure_tenant(tenant, name=tenant, now=rows.now)


@pytest.fixture
def kim(store, rows, tenants):
    """A person with two browsers and an unused invitation."""
    with store.write() as tx:
        tx.people.add_person(rows.person())
        tx.people.add_sign_in(rows.sign_in())
        tx.people.add_sign_in(rows.sign_in("sig_2", token_sha256="c" * 64))
        tx.people.add_invitation(rows.invitation(person_id="per_1"))
    return rows.person()


def test_a_stored_person_comes_back_as_it_was(store, kim):
    with store.read() as tx:
        assert tx.people.get_person("per_1") == kim
        assert tx.people.get_person("per_2") is None


def test_only_name_and_preferences_of_a_person_change(store, kim, later):
    changed = replace(kim, name="Sam", preferences={}, role="admin", tenant_id="ten_b")
    with store.write() as tx:
        tx.people.revoke_person("per_1", now=later(1))
        tx.people.save_person(changed)
    with store.read() as tx:
        found = tx.people.get_person("per_1")
    assert found == replace(kim, name="Sam", preferences={}, revoked_at=later(1))


def test_people_are_listed_by_tenant_page_and_session(store, rows, tenants):
    with store.write() as tx:
        for id, changes in {
            "per_1": {},
            "per_2": {"session_id": "ses_1"},
            "per_3": {},
            "per_4": {"tenant_id": "ten_b"},
        }.items():
            tx.people.add_person(rows.person(id, **changes))
    with store.read() as tx:
        first = tx.people.list_persons("ten_a", Page(limit=2))
        rest = tx.people.list_persons("ten_a", Page(limit=2, after="per_2"))
        bound = tx.people.list_persons("ten_a", Page(), session_id="ses_1")
    assert [p.id for p in first] == ["per_1", "per_2"]
    assert [p.id for p in rest] == ["per_3"]
    assert [p.id for p in bound] == ["per_2"]


def test_an_invitation_is_found_by_its_hash_and_by_its_tenant(store, rows, tenants):
    made = rows.invitation(session_id="ses_1")
    with store.write() as tx:
        tx.people.add_invitation(made)
    with store.read() as tx:
        assert tx.people.invitation_by_token("a" * 64) == made
        assert tx.people.invitation_by_token("b" * 64) is None
        assert tx.people.get_invitation("ten_a", "inv_1") == made
        assert tx.people.get_invitation("ten_b", "inv_1") is None
        assert tx.people.list_invitations("ten_b", Page()) == []
        assert tx.people.list_invitations("ten_a", Page(), session_id="ses_2") == []
        assert tx.people.list_invitations("ten_a", Page(), session_id="ses_1") == [made]


def test_an_invitation_is_used_once(store, rows, tenants, later):
    with store.write() as tx:
        tx.people.add_invitation(rows.invitation())
        assert tx.people.use_invitation("inv_1", person_id="per_1", now=later(1))
        assert not tx.people.use_invitation("inv_1", person_id="per_2", now=later(2))
    with store.read() as tx:
        found = tx.people.get_invitation("ten_a", "inv_1")
    assert (found.person_id, found.used_at, found.revoked_at) == ("per_1", later(1), None)


def test_a_revoked_invitation_is_not_used(store, rows, tenants, later):
    with store.write() as tx:
        tx.people.add_invitation(rows.invitation())
        tx.people.revoke_invitation("inv_1", now=later(1))
        assert not tx.people.use_invitation("inv_1", person_id="per_1", now=later(2))
        tx.people.revoke_invitation("inv_1", now=later(3))
    with store.read() as tx:
        assert tx.people.get_invitation("ten_a", "inv_1").revoked_at == later(1)


def test_one_of_many_browsers_uses_an_invitation(store, rows, tenants, later):
    with store.write() as tx:
        tx.people.add_invitation(rows.invitation())
    gate = threading.Barrier(8)

    def use(number):
        gate.wait()
        with store.write() as tx:
            return tx.people.use_invitation("inv_1", person_id=f"per_{number}", now=later(1))

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(use, range(8)))
    with store.read() as tx:
        found = tx.people.get_invitation("ten_a", "inv_1")
    assert won.count(True) == 1
    assert found.person_id == f"per_{won.index(True)}"


class Now:
    def __init__(self, now):
        self._now = now

    def now(self):
        return self._now


def test_of_two_browsers_with_one_link_one_signs_in(store, rows, tenants):
    operator = Caller(
        id="key_1", tenant_id="ten_a", name="", scopes=frozenset({"admin"}), session_id=None
    )
    tools = {"store": store, "clock": Now(rows.now), "ids": UlidIds()}
    minted = people.invite(operator, NewInvitation(name="Kim", role="lead"), **tools)
    gate = threading.Barrier(2)

    def use(_browser):
        gate.wait()
        try:
            return people.accept(minted.token, hours=12, **tools).person
        except NotVerified as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(use, range(2))
    [winner] = [found for found in (first, second) if found != "invitation-refused"]
    with store.read() as tx:
        assert tx.people.list_persons("ten_a", Page()) == [winner]


def test_one_sign_in_ends_and_the_other_goes_on(store, kim, later):
    with store.write() as tx:
        tx.people.revoke_sign_ins("per_1", now=later(1), only="sig_2")
    with store.read() as tx:
        assert tx.people.sign_in_by_token("b" * 64).revoked_at is None
        assert tx.people.sign_in_by_token("c" * 64).revoked_at == later(1)
        assert tx.people.sign_in_by_token("d" * 64) is None


def test_who_is_revoked_keeps_nothing(store, session, kim, rows, later):
    lease = {
        "id": "asg_1",
        "tenant_id": "ten_a",
        "session_id": "ses_1",
        "item_id": "itm_1",
        "annotator_id": "per_1",
        "state": "leased",
        "token_sha256": "",
        "check": False,
        "claimed_at": later(0),
        "expires_at": later(600),
    }
    other = {**lease, "id": "asg_2", "annotator_id": "per_2"}
    done = {**lease, "id": "asg_3", "item_id": "itm_2", "state": "submitted"}
    with store.write() as tx:
        tx.people.add_invitation(
            rows.invitation("inv_2", token_sha256="e" * 64, created_by="per_1")
        )
        tx.people.add_invitation(rows.invitation("inv_3", token_sha256="f" * 64))
    with writing(store.engine) as connection:
        connection.execute(sa.insert(assignments), [lease, other, done])
    with store.write() as tx:
        tx.people.revoke_person("per_1", now=later(1))
        tx.people.revoke_person("per_1", now=later(2))
    with store.read() as tx:
        assert tx.people.get_person("per_1").revoked_at == later(1)
        assert tx.people.sign_in_by_token("b" * 64).revoked_at == later(1)
        revoked = {i.id: i.revoked_at for i in tx.people.list_invitations("ten_a", Page())}
    assert revoked == {"inv_1": later(1), "inv_2": later(1), "inv_3": None}
    with store.engine.connect() as connection:
        query = sa.select(assignments.c.state).order_by(assignments.c.id)
        assert list(connection.execute(query).scalars()) == ["released", "leased", "submitted"]
