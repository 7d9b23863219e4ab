"""Other learners trained on what an arm acquired."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.evidence.transfer import HEADS, transfer_scores
from core.records import Choice
from tests.unit.benchmarks.evidence.made_study import arm, loop, stage


def scores(heads: tuple[str, ...], *, written: str | None = None, weight: float = 1.0) -> dict:
    made = stage()
    generator = None if written is None else Choice(name=written)
    done = loop(arm(generator=generator), made).run()
    weights = np.full(len(done.written), weight)
    return transfer_scores(done, stage=made, heads=heads, written_weight=weights)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_learns_the_topics(head: str) -> None:
    assert scores((head,))[head] > 0.6


def test_no_heads_are_no_scores() -> None:
    assert scores(()) == {}


def test_a_head_scores_the_same_beside_others() -> None:
    assert scores(("svm",))["svm"] == scores(HEADS)["svm"]


def test_written_rows_without_weight_change_no_head() -> None:
    plain = scores(("tfidf",))
    assert scores(("tfidf",), written="simulated", weight=0.0)["tfidf"] == pytest.approx(
        plain["tfidf"]
    )
