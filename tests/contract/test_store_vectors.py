"""The cache of vectors, on both databases."""

import numpy as np
import pytest

from core.records import NewItem
from core.texts import text_hash


def test_vectors_come_back_by_hash_tenant_and_encoder(store):
    vector = np.array([0.5, -1.25, 3], dtype=np.float16)
    with store.write() as tx:
        tx.vectors.put("ten_a", "enc", {"h1": vector, "h2": vector * 2})
    with store.read() as tx:
        found = tx.vectors.get("ten_a", "enc", ["h1", "h3"])
        assert tx.vectors.known("ten_a", "enc", ["h1", "h2", "h3"]) == {"h1", "h2"}
        assert tx.vectors.get("ten_b", "enc", ["h1"]) == {}
        assert tx.vectors.get("ten_a", "enc-2", ["h1"]) == {}
    assert list(found) == ["h1"]
    np.testing.assert_array_equal(found["h1"], vector)
    assert found["h1"].dtype == np.float16


def test_the_first_vector_of_a_hash_stays(store):
    for value in (1, 2):
        with store.write() as tx:
            tx.vectors.put("ten_a", "enc", {"h": np.full(2, value, dtype=np.float16)})
    with store.read() as tx:
        assert tx.vectors.get("ten_a", "enc", ["h"])["h"].tolist() == [1, 1]


@pytest.mark.parametrize("goes", ["deleted", "rewritten"])
def test_a_vector_goes_with_the_last_item_that_has_its_text(store, session, fill, goes):
    fill(session, NewItem(external_id="a", text="Twin"), NewItem(external_id="b", text="twin"))
    twin = text_hash("twin")

    def lose(item_id):
        with store.write() as tx:
            if goes == "deleted":
                tx.items.delete("ses_1", item_id)
            else:
                new = NewItem(external_id=item_id, text="other")
                tx.items.rewrite("ses_1", item_id, new, text_hash=text_hash("other"))
        with store.read() as tx:
            return tx.vectors.known("ten_a", "enc", [twin])

    with store.write() as tx:
        tx.vectors.put("ten_a", "enc", {twin: np.zeros(2, dtype=np.float16)})
    assert lose("itm_0") == {twin}
    assert lose("itm_1") == set()
