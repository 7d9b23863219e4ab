"""A model's opinion is trained on, and nothing is ever measured with it."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import Labelled, SessionSettings
from core.thresholds import out_of_fold
from core.training import TrainingSet, training_set
from core.watching import watching

ROWS = 120


def rows(oracle_of) -> list[Labelled]:
    return [
        Labelled(
            item_id=f"itm_{n}",
            position=n,
            labels=("a" if n % 2 else "b",),
            seq=n,
            split="pool",
            oracle=oracle_of(n),
        )
        for n in range(ROWS)
    ]


def made(oracle_of, **more) -> TrainingSet:
    labelled = rows(oracle_of)
    vectors = np.arange(ROWS * 2, dtype=np.float32).reshape(ROWS, 2)
    settings = SessionSettings(holdout=0.3)
    none = np.zeros((0, 2), dtype=np.float32)
    return training_set(labelled, vectors, [], none, classes=("a", "b"), settings=settings, **more)


def by_thirds(n: int) -> str:
    return ("human", "llm", "panel")[n % 3]


def test_every_row_is_trained_on():
    assert len(made(by_thirds).targets) == ROWS


def test_only_people_s_rows_are_held_out():
    data = made(by_thirds)
    held = data.only_held_out()
    assert len(held.targets) > 0
    assert not held.opinions.any()
    assert len(data.without_held_out().targets) == ROWS - len(held.targets)


def test_where_models_gave_every_label_nothing_is_held_out():
    assert len(made(lambda _: "llm").only_held_out().targets) == 0


@pytest.mark.parametrize("oracle", ["human", "gold", "majority", "adjudicated"])
def test_other_oracles_measure_as_before(oracle):
    assert not made(lambda _: oracle).opinions.any()


def test_a_fine_tuning_is_never_stopped_by_an_opinion():
    data, watched = watching(made(by_thirds), share=0.5)
    assert watched.any()
    assert not data.rows(watched).opinions.any()


def test_thresholds_are_drawn_on_people_s_rows():
    data = made(by_thirds, multi_label=True)

    def constant(train, judged):
        return np.full((len(judged.weights), len(judged.classes)), 0.5, dtype=np.float32)

    assert len(out_of_fold(data, fit_predict=constant)) == ROWS // 3
