"""What every peer keeps to, shown with scripted peers and no other library."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.peers import register_peers
from benchmarks.peers.extra import require_peer
from benchmarks.peers.isolation import isolated
from benchmarks.peers.rows import PeerRows, gather
from benchmarks.peers.strategy import MOST_BYTES, PeerStrategy, Query
from core.errors import InvalidInput
from core.pool import PoolView, QueryStrategy, Selection
from core.registry import Registry
from core.uncertainty import entropy
from tests.unit.benchmarks.peers.views import global_state, pool_view


def first(rows: PeerRows, count: int, seed: int) -> Iterable[int]:
    return range(count)


def scripted(
    query: Query = first, *, bytes_needed: int = 0, needs_model: bool = True
) -> PeerStrategy:
    return PeerStrategy(
        name="scripted",
        package="numpy",
        query=query,
        size=lambda view, count: bytes_needed,
        needs_model=needs_model,
    )


def ask(peer: QueryStrategy, view: PoolView, count: int = 10, *, seed: int = 0) -> Selection:
    return peer.select(view, count, min_distance=0.05, rng=np.random.default_rng(seed))


def legacy_draw(rows: int) -> list[int]:
    """A permutation from NumPy's process-wide source, as the libraries draw it."""
    drawn: list[int] = np.random.permutation(rows).tolist()  # noqa: NPY002
    return drawn


def positions(selection: Selection) -> list[int]:
    return [pick.position for pick in selection.picks]


def test_peers_get_the_eligible_rows_and_then_the_labelled_ones() -> None:
    view = pool_view()
    rows = gather(view)
    assert rows.positions[: rows.candidates].tolist() == np.flatnonzero(view.eligible).tolist()
    assert rows.positions[rows.candidates :].tolist() == view.labelled_positions.tolist()


def test_peers_get_the_pools_own_vectors_and_probabilities() -> None:
    view = pool_view()
    rows = gather(view)
    assert view.probabilities is not None
    np.testing.assert_array_equal(rows.vectors, view.vectors(rows.positions))
    np.testing.assert_array_equal(rows.probabilities, view.probabilities[rows.positions])


def test_a_labelled_row_has_its_column_and_an_unknown_class_has_none() -> None:
    view = pool_view()
    labels = view.labelled_classes.copy()
    labels[0] = False
    classes = gather(replace(view, labelled_classes=labels)).classes
    assert classes.tolist() == [-1, *view.labelled_classes.argmax(axis=1)[1:].tolist()]


def test_picks_are_numbered_in_the_peers_order() -> None:
    view = pool_view()
    selection = ask(scripted(lambda rows, count, seed: [5, 2, 9]), view, 3)
    assert positions(selection) == np.flatnonzero(view.eligible)[[5, 2, 9]].tolist()
    assert [(pick.rank, pick.score) for pick in selection.picks] == [(0, 0), (1, -1), (2, -2)]


def test_picks_say_their_cluster_and_entropy() -> None:
    view = pool_view()
    assert view.probabilities is not None
    pick = ask(scripted(), view, 1).picks[0]
    assert pick.cluster == view.clusters[pick.position]
    assert pick.entropy == pytest.approx(float(entropy(view.probabilities)[pick.position]))


def test_near_duplicates_are_left_in_as_the_peer_picked_them() -> None:
    view = pool_view()
    same = np.ones((300, 12), dtype=np.float32) / np.float32(np.sqrt(12))
    selection = ask(scripted(), replace(view, vectors=lambda rows: same[rows]))
    assert (len(selection.picks), selection.reason) == (10, None)


def test_a_repeated_pick_is_dropped_and_not_replaced() -> None:
    selection = ask(scripted(lambda rows, count, seed: [1, 1, 2]), pool_view(), 3)
    assert (len(selection.picks), selection.reason) == (2, "peer-gave-fewer")


def test_a_labelled_row_is_never_taken_as_a_pick() -> None:
    selection = ask(scripted(lambda rows, count, seed: [0, rows.candidates]), pool_view(), 2)
    assert (len(selection.picks), selection.reason) == (1, "peer-gave-fewer")


def test_a_pool_smaller_than_the_batch_is_exhausted() -> None:
    view = pool_view()
    few = np.zeros_like(view.eligible)
    few[np.flatnonzero(view.eligible)[:4]] = True
    selection = ask(scripted(), replace(view, eligible=few))
    assert (len(selection.picks), selection.reason) == (4, "pool-exhausted")


def test_an_empty_pool_gives_an_empty_batch_without_asking() -> None:
    def never(rows: PeerRows, count: int, seed: int) -> Iterable[int]:
        raise AssertionError

    view = pool_view()
    selection = ask(scripted(never), replace(view, eligible=np.zeros_like(view.eligible)))
    assert (selection.picks, selection.reason) == ((), "pool-exhausted")


def test_before_the_first_model_typical_rows_are_taken() -> None:
    selection = ask(scripted(), replace(pool_view(), probabilities=None))
    assert (selection.strategy_used, len(selection.picks)) == ("typical", 10)


def test_a_peer_without_a_model_is_asked_before_the_first_one() -> None:
    view = replace(pool_view(), probabilities=None)
    selection = ask(scripted(needs_model=False), view)
    assert selection.strategy_used == "scripted"
    assert {pick.entropy for pick in selection.picks} == {None}


def test_a_pool_that_is_too_large_is_refused_with_the_figures() -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(scripted(bytes_needed=MOST_BYTES + 1), pool_view())
    assert refused.value.code == "pool-too-large"
    assert refused.value.extras == {"needed_bytes": MOST_BYTES + 1, "most_bytes": MOST_BYTES}


def test_the_largest_allowed_pool_is_not_refused() -> None:
    assert len(ask(scripted(bytes_needed=MOST_BYTES), pool_view()).picks) == 10


def test_a_multi_label_task_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(scripted(), replace(pool_view(), multi_label=True))
    assert refused.value.code == "multi-label-unsupported"


def test_the_peers_global_chance_follows_the_generator() -> None:
    def drawn(rows: PeerRows, count: int, seed: int) -> list[int]:
        return legacy_draw(rows.candidates)[:count]

    view, peer = pool_view(), scripted(drawn)
    assert ask(peer, view, seed=1) == ask(peer, view, seed=1)
    assert ask(peer, view, seed=1) != ask(peer, view, seed=2)


def test_the_global_state_is_put_back_even_after_an_error() -> None:
    before = global_state()

    def failing(rows: PeerRows, count: int, seed: int) -> Iterable[int]:
        legacy_draw(rows.candidates)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(scripted(failing), pool_view())
    assert global_state() == before


def test_a_peers_warnings_stay_inside() -> None:
    with isolated(np.random.default_rng(0)):
        warnings.warn("the peer's own business", stacklevel=1)
    with pytest.warns(UserWarning, match="ours"):
        warnings.warn("ours", stacklevel=1)


def test_a_missing_extra_is_named_with_its_install_line() -> None:
    with pytest.raises(InvalidInput, match=r"pip install 'tailwise\[peers\]'") as refused:
        require_peer("no_such_package")
    assert refused.value.code == "missing-extra"


def test_a_peer_whose_package_is_missing_cannot_be_made() -> None:
    with pytest.raises(InvalidInput) as refused:
        replace(scripted(), package="no_such_package")
    assert refused.value.code == "missing-extra"


def test_peers_are_registered_by_library_and_strategy() -> None:
    registry: Registry[QueryStrategy] = Registry("strategy", pure=True)
    register_peers(registry)
    assert registry.names() == (
        "skactiveml_entropy",
        "skactiveml_typi_clust",
        "skactiveml_core_set",
        "skactiveml_badge",
        "small_text_prediction_entropy",
        "small_text_breaking_ties",
        "small_text_class_balancer",
        "small_text_anchor_al",
    )


def test_peers_registered_twice_are_a_programming_error() -> None:
    registry: Registry[QueryStrategy] = Registry("strategy", pure=True)
    register_peers(registry)
    with pytest.raises(ValueError, match="twice"):
        register_peers(registry)
