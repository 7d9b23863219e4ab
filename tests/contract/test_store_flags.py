"""Flags on both databases."""

from dataclasses import replace

import pytest

from core.errors import NotFound
from core.records import Page


def test_flags_come_back_by_id_and_state(store, rows, pool, later):
    one, two = rows.flag("flg_1"), rows.flag("flg_2", item_id="itm_1", note="n")
    with store.write() as tx:
        tx.flags.add(one)
        tx.flags.add(two)
        done = replace(
            two, state="resolved", resolution="excluded", resolved_by="l", resolved_at=later(1)
        )
        tx.flags.save(done)
    with store.read() as tx:
        assert tx.flags.list("ses_1", Page()) == [one, done]
        assert tx.flags.list("ses_1", Page(after="flg_1")) == [done]
        assert tx.flags.list("ses_1", Page(), state="open") == [one]
        assert tx.flags.get("ses_1", "flg_2") == done
        assert tx.flags.open_items("ses_1", ["itm_0", "itm_1"]) == {"itm_0"}
        assert tx.flags.counts("ses_1") == {("open", "other"): 1, ("resolved", "other"): 1}


def test_an_unknown_flag_is_refused(store, session):
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.flags.get("ses_1", "flg_1")
    assert refused.value.code == "unknown-flag"
