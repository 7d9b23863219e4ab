"""What deleting a session leaves behind, on both databases."""

import numpy as np
import pytest
import sqlalchemy as sa

from adapters.store.tables import metadata, sessions
from core.errors import Gone
from core.records import ApiKey, Cost, NewItem, Task
from core.texts import text_hash

CANARY = "Xylophonquarz"
KEEPS = {"sessions", "operations", "provider_batches"}


@pytest.fixture
def full(store, session, fill, rows):
    """A session with a row in every table that belongs to one."""
    items = fill(session, NewItem(external_id="e", text=f"{CANARY} item", metadata={"m": CANARY}))
    with store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=rows.now)
        tx.access.add_key(
            ApiKey(
                id="key_1",
                tenant_id="ten_a",
                name=CANARY,
                secret_sha256="",
                scopes=frozenset(),
                session_id="ses_1",
                created_at=rows.now,
            )
        )
        tx.people.add_person(rows.person(name=CANARY, session_id="ses_1"))
        tx.people.add_invitation(rows.invitation(name=CANARY, session_id="ses_1"))
        tx.people.add_sign_in(rows.sign_in())
        tx.batches.add(rows.batch(1, (items[0].id,)))
        tx.batches.remember_request("bat_1", "key")
        tx.labels.add_many([rows.label(1, note=CANARY)])
        tx.generations.add_many([rows.generation("gen_1", text=f"{CANARY} written")])
        tx.models.add(rows.model(1))
        tx.indexes.add(rows.index(1))
        tx.operations.add(rows.operation(input={"blob": "e" * 64}))
        tx.operations.add(rows.operation("opr_2", kind="delete", lane="ses_1:delete"))
        tx.operations.finish(
            "opr_1", "succeeded", result={"errors_blob": "f" * 64}, error=None, now=rows.now
        )
        tx.costs.add(
            Cost(
                id="cst_1",
                tenant_id="ten_a",
                session_id="ses_1",
                operation_id="opr_1",
                generator="g",
                model=None,
                state="reserved",
                dollars=1.0,
                created_at=rows.now,
            )
        )
        tx.provider_batches.add(rows.handed_in())
        tx.assignments.hold(rows.assignment(reason=CANARY))
        tx.flags.add(rows.flag(note=CANARY))
        tx.webhooks.add(rows.endpoint(session_id="ses_1", description=CANARY))
        tx.webhooks.add_delivery(rows.test_message())
        tx.events.add(tenant_id="ten_a", session_id="ses_1", type="t", data={}, now=rows.now)
        tx.replies.begin("scope", fingerprint="f", now=rows.now, stale=rows.now, session_id="ses_1")
        tx.replies.finish("scope", status=200, body=CANARY.encode(), headers={})
        tx.vectors.put("ten_a", "enc", {items[0].text_hash: np.zeros(2, dtype=np.float16)})
        tx.vectors.put("ten_a", "enc", {text_hash(f"{CANARY} written"): np.ones(2, np.float16)})
    return session


def purge(store, session_id="ses_1"):
    with store.write() as tx:
        return list(tx.sessions.purge(session_id))


def owned_tables():
    return [t.name for t in metadata.sorted_tables if "session_id" in t.c and t.name not in KEEPS]


def test_every_table_of_a_session_has_a_row_before(full, count_rows):
    assert [name for name in owned_tables() if count_rows(name, "ses_1") == 0] == []


def test_what_announces_the_deletion_outlives_it(store, full, rows, count_rows):
    with store.write() as tx:
        tx.webhooks.add(rows.endpoint("whe_2", types=()))
        tx.events.add(
            tenant_id="ten_a", session_id="ses_1", type="session.deleted", data={}, now=rows.now
        )
    purge(store)
    assert (count_rows("events", "ses_1"), count_rows("deliveries", "ses_1")) == (1, 1)
    with store.write() as tx:
        due = tx.webhooks.due(now=rows.now, lock_until=rows.now, limit=9, per_endpoint=9)
    assert [event.type for _, _, event in due] == ["session.deleted"]


def test_who_is_bound_to_the_session_is_gone_with_the_sign_in(store, full):
    purge(store)
    with store.read() as tx:
        assert tx.people.get_person("per_1") is None
        assert tx.people.sign_in_by_token("b" * 64) is None


def test_people_of_the_whole_tenant_stay(store, full, rows):
    with store.write() as tx:
        tx.people.add_person(rows.person("per_2"))
        tx.people.add_sign_in(rows.sign_in("sig_2", person_id="per_2", token_sha256="d" * 64))
    purge(store)
    with store.read() as tx:
        assert tx.people.get_person("per_2") is not None
        assert tx.people.sign_in_by_token("d" * 64) is not None


def test_no_row_of_the_session_is_left(store, full, count_rows):
    purge(store)
    assert [name for name in owned_tables() if count_rows(name, "ses_1") > 0] == []


def test_the_session_is_gone_and_its_tombstone_blank(store, full):
    purge(store)
    with pytest.raises(Gone), store.read() as tx:
        tx.sessions.get("ten_a", "ses_1")
    with store.engine.connect() as connection:
        left = connection.execute(sa.select(sessions)).mappings().one()
    assert (left["state"], left["name"], left["guidelines"]) == ("deleted", "", "")
    assert left["task"]["classes"] == list(Task(classes=()).classes)


def test_the_operation_that_deletes_can_still_finish(store, full, rows):
    purge(store)
    with store.write() as tx:
        tx.operations.finish("opr_2", "succeeded", result={}, error=None, now=rows.now)
    with store.read() as tx:
        assert tx.operations.get("ten_a", "opr_2").state == "succeeded"
        assert tx.operations.by_request("ten_a", "opr_1") is None


def test_blobs_of_the_session_are_named(store, full):
    assert set(purge(store)) == {f"{1:064x}", *(letter * 64 for letter in "abcdef")}


def test_blobs_that_another_session_needs_are_spared(store, full, rows):
    with store.write() as tx:
        tx.sessions.add(rows.session("ses_2", tenant_id="ten_b"))
        tx.models.add(rows.model(1, id="mod_x", session_id="ses_2"))
        tx.indexes.add(rows.index(1, id="idx_x", session_id="ses_2", centroids="9" * 64))
    assert set(purge(store)) == {letter * 64 for letter in "cef"}


def test_a_second_purge_finds_nothing_more(store, full):
    purge(store)
    assert purge(store) == []


def test_vectors_of_the_sessions_texts_are_dropped(store, full):
    purge(store)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM vectors").scalar() == 0


def test_vectors_that_another_session_of_the_tenant_uses_stay(store, full, fill, rows):
    other = rows.session("ses_2")
    with store.write() as tx:
        tx.sessions.add(other)
    shared = fill(other, NewItem(external_id="e", text=f"{CANARY} item"), prefix="oth")[0].text_hash
    purge(store)
    with store.read() as tx:
        assert tx.vectors.known("ten_a", "enc", [shared]) == {shared}


def test_other_sessions_keep_their_rows(store, full, fill, rows, count_rows):
    other = rows.session("ses_2")
    with store.write() as tx:
        tx.sessions.add(other)
    fill(other, NewItem(external_id="e", text="stays"), prefix="oth")
    purge(store)
    assert count_rows("items", "ses_2") == 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_no_file_of_sqlite_holds_the_texts_any_more(store, full, tmp_path):
    held = [p.name for p in tmp_path.iterdir() if CANARY.encode() in p.read_bytes()]
    purge(store)
    left = [p.name for p in tmp_path.iterdir() if CANARY.encode() in p.read_bytes()]
    assert (bool(held), left) == (True, [])


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_no_file_of_sqlite_holds_the_text_of_a_deleted_item(store, full, tmp_path):
    with store.write() as tx:
        tx.items.delete("ses_1", "itm_0")
    left = [p.name for p in tmp_path.iterdir() if f"{CANARY} item".encode() in p.read_bytes()]
    assert left == []
