"""The time that answers report, added up by batch, on both databases."""

from __future__ import annotations


def test_time_is_added_up_by_batch_and_silence_is_not_zero(store, rows, pool):
    made = [
        rows.label(1, "itm_0", kind="vote", batch_id="bat_1", duration_ms=1_000),
        rows.label(2, "itm_0", kind="vote", batch_id="bat_1", duration_ms=500),
        rows.label(3, "itm_0", kind="created", batch_id="bat_1", duration_ms=None),
        rows.label(4, "itm_1", kind="created", batch_id=None, duration_ms=70),
        rows.label(5, "itm_2", kind="created", batch_id="bat_2", duration_ms=None),
    ]
    with store.write() as tx:
        tx.labels.add_many(made)
    with store.read() as tx:
        assert tx.labels.time_spent("ses_1") == {"bat_1": 1_500, None: 70}


def test_another_sessions_time_is_not_counted(store, rows, pool):
    with store.write() as tx:
        tx.labels.add_many([rows.label(1, "itm_0", kind="created", duration_ms=9)])
    with store.read() as tx:
        assert tx.labels.time_spent("ses_2") == {}
