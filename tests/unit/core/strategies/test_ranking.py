from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.strategies.ranking import Ranking, top

few_values = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=300)


def sorted_rows(scores):
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row))


@given(scores=few_values, count=st.integers(0, 310))
def test_top_sorts_by_score_and_then_by_index(scores, count):
    assert top(np.array(scores, dtype=np.float32), count).tolist() == sorted_rows(scores)[:count]


@given(scores=few_values, step=st.integers(1, 90))
def test_reading_in_steps_gives_the_whole_order(scores, step):
    ranking = Ranking(np.arange(len(scores)), scores=np.array(scores, dtype=np.float32))
    read = []
    while ranking.left:
        rows, values = ranking.peek(step)
        assert values.tolist() == [scores[row] for row in rows]
        read += rows.tolist()
        ranking.advance(rows.size)
    assert read == sorted_rows(scores)


def test_peeking_does_not_advance():
    ranking = Ranking(np.array([7, 9]), scores=np.array([0.1, 0.2], dtype=np.float32))
    assert ranking.peek(1)[0].tolist() == ranking.peek(1)[0].tolist() == [9]
