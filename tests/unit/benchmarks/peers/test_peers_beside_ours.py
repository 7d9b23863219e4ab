"""Ours and the peers' of one idea: compared in speed, and equal where the idea is exact."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers import register_peers
from benchmarks.performance.peers import PAIRS
from core.records import Choice
from core.strategies import strategies
from tests.unit.benchmarks.peers.views import pool_view

REGISTRY = strategies()
register_peers(REGISTRY)


def picked(name: str, count: int) -> list[int]:
    strategy = REGISTRY.make(Choice(name=name))
    selection = strategy.select(pool_view(), count, min_distance=0, rng=np.random.default_rng(0))
    return [pick.position for pick in selection.picks]


def test_every_compared_pair_is_registered() -> None:
    assert {name for pair in PAIRS for name in pair} <= set(REGISTRY.names())


@pytest.mark.parametrize(
    ("ours", "peer", "package"),
    [
        ("entropy", "skactiveml_entropy", "skactiveml"),
        ("entropy", "small_text_prediction_entropy", "small_text"),
        ("margin", "small_text_breaking_ties", "small_text"),
        ("k_center", "skactiveml_core_set", "skactiveml"),
    ],
)
def test_an_exact_rule_picks_the_same_rows_in_both(ours: str, peer: str, package: str) -> None:
    pytest.importorskip(package)
    assert set(picked(ours, 25)) == set(picked(peer, 25))


def test_k_center_and_core_set_agree_on_the_order_too() -> None:
    pytest.importorskip("skactiveml")
    assert picked("k_center", 25) == picked("skactiveml_core_set", 25)
