"""Tenants, keys, sessions, templates and heartbeats, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from adapters.store.store import open_store
from core.errors import Conflict, Gone, NotFound, PreconditionFailed
from core.records import ApiKey, Budget, Page, SessionSettings, Template


@pytest.fixture
def key(store, rows):
    made = ApiKey(
        id="key_1",
        tenant_id="ten_a",
        name="ops",
        secret_sha256="0" * 64,
        scopes=frozenset({"write", "read"}),
        session_id=None,
        created_at=rows.now,
    )
    with store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=rows.now)
        tx.access.ensure_tenant("ten_b", name="B", now=rows.now)
        tx.access.add_key(made)
    return made


def test_a_key_comes_back_as_it_was_stored(store, key):
    with store.read() as tx:
        assert tx.access.get_key("key_1") == key


def test_an_unknown_key_is_none(store):
    with store.read() as tx:
        assert tx.access.get_key("key_0") is None


def test_a_tenant_may_be_ensured_again(store, key, rows):
    with store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="other", now=rows.now)
    with store.read() as tx:
        assert [k.id for k in tx.access.list_keys("ten_a", Page(limit=5))] == ["key_1"]


def test_keys_are_listed_for_their_tenant_only_page_by_page(store, key):
    with store.write() as tx:
        tx.access.add_key(replace(key, id="key_2"))
        tx.access.add_key(replace(key, id="key_3", tenant_id="ten_b"))
    with store.read() as tx:
        first = tx.access.list_keys("ten_a", Page(limit=1))
        rest = tx.access.list_keys("ten_a", Page(limit=5, after=first[-1].id))
    assert [k.id for k in (*first, *rest)] == ["key_1", "key_2"]


def test_the_first_revocation_keeps_its_time(store, key, later):
    with store.write() as tx:
        assert tx.access.revoke_key("ten_a", "key_1", now=later(1))
        assert tx.access.revoke_key("ten_a", "key_1", now=later(2))
    with store.read() as tx:
        assert tx.access.get_key("key_1").revoked_at == later(1)


def test_another_tenants_key_cannot_be_revoked(store, key, later):
    with store.write() as tx:
        assert not tx.access.revoke_key("ten_b", "key_1", now=later(1))
    with store.read() as tx:
        assert tx.access.get_key("key_1").revoked_at is None


def test_there_is_any_key_once_one_was_added(store, rows, key):
    with store.read() as tx:
        assert tx.access.any_key()


def test_there_is_no_key_at_first(store):
    with store.read() as tx:
        assert not tx.access.any_key()


def test_a_session_comes_back_as_it_was_stored(store, session):
    with store.read() as tx:
        assert tx.sessions.get("ten_a", "ses_1") == session


def test_times_of_other_zones_come_back_as_utc_to_the_microsecond(store, rows):
    local = rows.now.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with store.write() as tx:
        tx.sessions.add(rows.session(created_at=local))
    with store.read() as tx:
        found = tx.sessions.get("ten_a", "ses_1").created_at
    assert (found, found.utcoffset()) == (rows.now, timedelta(0))
    assert found.microsecond == 123456


def test_a_time_without_a_zone_is_refused(store, rows):
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(Exception, match="without a zone"), store.write() as tx:
        tx.sessions.add(rows.session(created_at=naive))


@pytest.mark.parametrize(("tenant", "session_id"), [("ten_b", "ses_1"), ("ten_a", "ses_2")])
def test_another_tenants_session_is_unknown(store, session, tenant, session_id):
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.sessions.get(tenant, session_id)
    assert refused.value.code == "unknown-session"


def test_a_saved_session_comes_back_changed(store, session):
    settings = SessionSettings(batch_size=7, budget=Budget(labels=100, dollars=2.5))
    changed = replace(session, name="Later", settings=settings, revision=2)
    with store.write() as tx:
        tx.sessions.save(changed, expected_revision=1)
    with store.write() as tx:
        assert tx.sessions.get("ten_a", "ses_1", lock=True) == changed


def test_saving_over_an_unseen_revision_is_refused(store, session):
    changed = replace(session, name="Lost", revision=2)
    with pytest.raises(PreconditionFailed), store.write() as tx:
        tx.sessions.save(changed, expected_revision=2)
    with store.read() as tx:
        assert tx.sessions.get("ten_a", "ses_1").name == "Triage"


def test_sessions_are_listed_by_tenant_and_state(store, rows, session):
    with store.write() as tx:
        tx.sessions.add(rows.session("ses_2", state="paused"))
        tx.sessions.add(rows.session("ses_3", tenant_id="ten_b"))
        tx.sessions.add(rows.session("ses_4", state="deleted"))
    with store.read() as tx:
        listed = tx.sessions.list("ten_a", Page())
        paused = tx.sessions.list("ten_a", Page(), state="paused")
        after = tx.sessions.list("ten_a", Page(after="ses_1"))
    assert [s.id for s in listed] == ["ses_1", "ses_2"]
    assert [s.id for s in paused] == ["ses_2"] == [s.id for s in after]


def test_a_deleted_session_is_gone(store, rows):
    with store.write() as tx:
        tx.sessions.add(rows.session(state="deleted"))
    with pytest.raises(Gone) as refused, store.read() as tx:
        tx.sessions.get("ten_a", "ses_1")
    assert refused.value.code == "session-deleted"


def test_the_same_session_twice_is_a_conflict(store, session):
    with pytest.raises(Conflict) as refused, store.write() as tx:
        tx.sessions.add(session)
    assert refused.value.code == "write-conflict"


def test_only_the_latest_version_of_a_template_counts(store, rows):
    first = Template(
        id="mine", version=1, level="attributes", system="s", body="{{text}}", sha256="0"
    )
    second = replace(first, version=2, body="{{text}}!", builtin=False)
    with store.write() as tx:
        for template in (first, second, replace(first, id="other")):
            tx.templates.add("ten_a", template, now=rows.now)
    with store.read() as tx:
        assert tx.templates.latest("ten_a", "mine") == second
        assert tx.templates.list("ten_a") == [second, replace(first, id="other")]
        assert tx.templates.latest("ten_b", "mine") is None


def test_a_worker_is_known_by_its_latest_beat(store, later):
    with store.write() as tx:
        tx.heartbeats.beat("worker-0", now=later(1))
        tx.heartbeats.beat("worker-1", now=later(2))
        tx.heartbeats.beat("worker-0", now=later(3))
    with store.read() as tx:
        assert tx.heartbeats.latest() == {"worker-0": later(3), "worker-1": later(2)}


def test_what_was_written_is_there_after_opening_again(store_url, session):
    again = open_store(store_url)
    with again.read() as tx:
        assert tx.sessions.get("ten_a", "ses_1") == session
    again.close()
