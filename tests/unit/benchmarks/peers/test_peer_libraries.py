"""The libraries themselves, over our vectors, against plain arithmetic where there is any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.peers import register_peers
from core.errors import InvalidInput, InvalidOption
from core.pool import PoolView, QueryStrategy, Selection
from core.records import Choice, Options
from core.registry import Registry
from core.uncertainty import entropy, margin_uncertainty
from tests.unit.benchmarks.peers.views import CLASSES, global_state, pool_view

pytest.importorskip("skactiveml")
pytest.importorskip("small_text")

REGISTRY: Registry[QueryStrategy] = Registry("strategy", pure=True)
register_peers(REGISTRY)
SEEDED = [
    ("skactiveml_typi_clust", {}),
    ("skactiveml_badge", {}),
    ("small_text_anchor_al", {"subsample": 60, "neighbours": 8, "anchors": 2}),
]


def ask(
    name: str, view: PoolView, count: int = 20, *, seed: int = 0, options: Options | None = None
) -> Selection:
    peer = REGISTRY.make(Choice(name=name, options=options or {}))
    return peer.select(view, count, min_distance=0.05, rng=np.random.default_rng(seed))


def picked(selection: Selection) -> list[int]:
    return [pick.position for pick in selection.picks]


def highest(scores: np.ndarray, view: PoolView, count: int) -> set[int]:
    rows = np.flatnonzero(view.eligible)
    return set(rows[np.argsort(-scores[rows])[:count]].tolist())


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_fills_the_batch_with_distinct_eligible_rows(name: str) -> None:
    view = pool_view()
    selection = ask(name, view)
    assert (len(set(picked(selection))), selection.reason) == (20, None)
    assert view.eligible[picked(selection)].all()


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_picks_the_same_rows_for_the_same_seed(name: str) -> None:
    view = pool_view()
    assert ask(name, view, seed=5) == ask(name, view, seed=5)


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_leaves_the_global_chance_as_it_was(name: str) -> None:
    before = global_state()
    ask(name, pool_view())
    assert global_state() == before


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_prints_nothing(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    ask(name, pool_view())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_takes_a_whole_pool_that_is_smaller_than_the_batch(name: str) -> None:
    view = pool_view()
    few = np.zeros_like(view.eligible)
    few[np.flatnonzero(view.eligible)[:15]] = True
    selection = ask(name, replace(view, eligible=few))
    assert set(picked(selection)) <= set(np.flatnonzero(few).tolist())
    assert selection.reason in {"pool-exhausted", "peer-gave-fewer"}


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_peer_works_with_labels_of_a_class_the_model_does_not_know(name: str) -> None:
    view = pool_view()
    labels = view.labelled_classes.copy()
    labels[:5] = False
    assert len(picked(ask(name, replace(view, labelled_classes=labels)))) == 20


@pytest.mark.parametrize("name", ["skactiveml_core_set", "skactiveml_typi_clust"])
def test_a_peer_without_a_model_starts_without_labels(name: str) -> None:
    view = replace(
        pool_view(),
        probabilities=None,
        labelled_positions=np.empty(0, dtype=np.int64),
        labelled_classes=np.empty((0, CLASSES), dtype=np.bool_),
    )
    selection = ask(name, view)
    assert (selection.strategy_used, len(set(picked(selection)))) == (name, 20)


@pytest.mark.parametrize(("name", "options"), SEEDED)
def test_another_seed_gives_a_peer_with_chance_other_rows(name: str, options: Options) -> None:
    view = pool_view()
    batches = {tuple(picked(ask(name, view, seed=seed, options=options))) for seed in range(4)}
    assert len(batches) > 1


@pytest.mark.parametrize("name", ["skactiveml_entropy", "small_text_prediction_entropy"])
def test_entropy_peers_take_the_rows_of_highest_entropy(name: str) -> None:
    view = pool_view()
    assert view.probabilities is not None
    assert set(picked(ask(name, view))) == highest(entropy(view.probabilities), view, 20)


def test_breaking_ties_takes_the_smallest_margins() -> None:
    view = pool_view()
    assert view.probabilities is not None
    expected = highest(margin_uncertainty(view.probabilities), view, 20)
    assert set(picked(ask("small_text_breaking_ties", view))) == expected


def test_core_set_takes_the_row_farthest_from_all_labelled_ones_first() -> None:
    view = pool_view()
    rows = np.flatnonzero(view.eligible)
    similarity = view.vectors(rows) @ view.vectors(view.labelled_positions).T
    assert picked(ask("skactiveml_core_set", view))[0] == rows[similarity.max(axis=1).argmin()]


def test_badge_starts_with_the_longest_gradient() -> None:
    view = pool_view()
    assert view.probabilities is not None
    one_hot = np.eye(CLASSES)[view.probabilities.argmax(axis=1)]
    lengths = np.linalg.norm(view.probabilities - one_hot, axis=1)
    rows = np.flatnonzero(view.eligible)
    assert picked(ask("skactiveml_badge", view))[0] == rows[lengths[rows].argmax()]


def test_the_class_balancer_prefers_predictions_of_the_class_with_fewest_labels() -> None:
    view = pool_view()
    assert view.probabilities is not None
    column = view.probabilities.argmax(axis=1)
    rarest = np.arange(CLASSES) == 2
    only_others = np.resize(np.eye(CLASSES, dtype=bool)[~rarest], view.labelled_classes.shape)
    batch = picked(
        ask("small_text_class_balancer", replace(view, labelled_classes=only_others), 10)
    )
    assert (column[batch] == 2).sum() == 10


def test_anchor_al_stays_near_the_labelled_rows() -> None:
    view = pool_view()
    options = {"subsample": 30, "neighbours": 5, "anchors": 50}
    batch = picked(ask("small_text_anchor_al", view, 10, options=options))
    rows = np.flatnonzero(view.eligible)
    similarity = view.vectors(view.labelled_positions) @ view.vectors(rows).T
    near = set(rows[np.argsort(-similarity, axis=1)[:, :5]].ravel().tolist())
    assert set(batch) <= near


def test_anchor_al_gives_fewer_where_its_neighbourhoods_are_smaller_than_the_batch() -> None:
    options = {"subsample": 8, "neighbours": 3, "anchors": 2}
    selection = ask("small_text_anchor_al", pool_view(), 20, options=options)
    assert (len(selection.picks), selection.reason) == (8, "peer-gave-fewer")


def test_badge_refuses_a_pool_whose_gradients_would_fill_the_memory() -> None:
    view = pool_view()
    wide = replace(view, centroids=np.zeros((5, 300_000), dtype=np.float32))
    with pytest.raises(InvalidInput) as refused:
        ask("skactiveml_badge", wide)
    assert refused.value.code == "pool-too-large"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("small_text_class_balancer", {"base": "anything"}),
        ("small_text_anchor_al", {"anchors": 0}),
        ("small_text_anchor_al", {"subsample": 10, "neighbours": 11}),
        ("skactiveml_entropy", {"method": "margin"}),
    ],
)
def test_a_bad_option_is_refused_before_any_work(name: str, options: Options) -> None:
    with pytest.raises(InvalidOption):
        REGISTRY.make(Choice(name=name, options=options))
