"""What every registered query strategy promises, on hostile pools."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pool import PoolView, Selection
from core.records import Choice
from core.strategies import strategies

EVERY = strategies().names()
READING = {"k_center", "badge", "anchors", "committee", "cluster_need"}
"""Those that look at the vectors of the whole pool, in blocks."""
GUIDED = tuple(name for name in EVERY if name != "random")
MIN_DISTANCE = 0.05


def frozen(array):
    array.flags.writeable = False
    return array


def make_view(
    *,
    rows,
    clusters,
    classes,
    seed,
    kind="dirichlet",
    duplicates=0.3,
    eligible=0.8,
    labelled=0.1,
    multi_label=False,
):
    """A pool whose arrays refuse writes; a share of its rows copies an earlier one."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if rows:
        copies = np.flatnonzero(rng.random(rows) < duplicates)
        vectors[copies] = vectors[rng.integers(rows, size=copies.size)]
    mask = rng.random(rows) < eligible
    known = np.flatnonzero(~mask & (rng.random(rows) < labelled))
    return PoolView(
        clusters=frozen(rng.integers(clusters, size=rows).astype(np.int32)),
        cluster_count=clusters,
        centroids=frozen(rng.normal(size=(clusters, 8)).astype(np.float32)),
        eligible=frozen(mask),
        probabilities=make_probabilities(kind, rows=rows, classes=classes, rng=rng),
        vectors=lambda positions: vectors[positions],
        class_counts=frozen(rng.integers(5, size=classes).astype(np.float64)),
        target_shares=frozen(np.full(classes, 1 / classes)),
        labelled_positions=frozen(known),
        labelled_classes=frozen(
            rng.random((known.size, classes)) < 1 / classes
            if multi_label
            else np.arange(known.size)[:, None] % classes == np.arange(classes)
        ),
        multi_label=multi_label,
    )


def make_probabilities(kind, *, rows, classes, rng):
    if kind == "none":
        return None
    if kind == "uniform":
        return frozen(np.full((rows, classes), 1 / classes, dtype=np.float32))
    if kind == "certain":
        return frozen(np.eye(classes, dtype=np.float32)[rng.integers(classes, size=rows)])
    if kind == "independent":
        return frozen(rng.random((rows, classes), dtype=np.float32))
    return frozen(rng.dirichlet(np.full(classes, 0.3), size=rows).astype(np.float32))


views = st.builds(
    make_view,
    rows=st.integers(0, 60),
    clusters=st.integers(1, 7),
    classes=st.integers(1, 5),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["none", "uniform", "certain", "dirichlet", "independent"]),
    duplicates=st.sampled_from([0.0, 0.3, 1.0]),
    eligible=st.sampled_from([0.0, 0.5, 1.0]),
    labelled=st.sampled_from([0.0, 0.5]),
    multi_label=st.booleans(),
)
counts = st.integers(0, 80)


def select(name, view, count, *, seed=0, min_distance=MIN_DISTANCE, **options) -> Selection:
    strategy = strategies().make(Choice(name=name, options=options))
    rng = np.random.default_rng(seed)
    return strategy.select(view, count, min_distance=min_distance, rng=rng)


def positions_of(selection):
    return np.array([pick.position for pick in selection.picks], dtype=np.int64)


@pytest.mark.parametrize("name", EVERY)
@given(view=views, count=counts, min_distance=st.sampled_from([0.0, MIN_DISTANCE]))
@settings(max_examples=60, deadline=None)
def test_picks_are_distinct_eligible_rows_in_rank_order(name, view, count, min_distance):
    selection = select(name, view, count, min_distance=min_distance)
    positions = positions_of(selection)
    assert len(set(positions.tolist())) == positions.size <= count
    assert view.eligible[positions].all()
    assert [pick.rank for pick in selection.picks] == list(range(positions.size))
    assert [pick.cluster for pick in selection.picks] == view.clusters[positions].tolist()
    assert np.isfinite([pick.score for pick in selection.picks]).all()


@pytest.mark.parametrize("name", EVERY)
@given(view=views, count=counts)
@settings(max_examples=60, deadline=None)
def test_no_two_picks_are_near_duplicates(name, view, count):
    vectors = view.vectors(positions_of(select(name, view, count)))
    similarity = vectors @ vectors.T - 2 * np.eye(len(vectors))
    assert (similarity <= 1 - MIN_DISTANCE + 1e-5).all()


@pytest.mark.parametrize("name", EVERY)
@given(view=views, count=counts)
@settings(max_examples=60, deadline=None)
def test_a_short_batch_says_why_and_is_right_about_it(name, view, count):
    selection = select(name, view, count)
    positions = positions_of(selection)
    rest = np.setdiff1d(np.flatnonzero(view.eligible), positions)
    if selection.reason is None:
        assert positions.size == count
    elif selection.reason == "pool-exhausted":
        assert rest.size == 0
        assert positions.size < count
    else:
        assert selection.reason == "near-duplicates"
        nearest = (view.vectors(rest) @ view.vectors(positions).T).max(axis=1)
        assert (nearest > 1 - MIN_DISTANCE - 1e-5).all()
        assert rest.size
        assert positions.size < count


@pytest.mark.parametrize("name", EVERY)
@given(view=views, count=counts, seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_the_same_seed_gives_the_same_selection(name, view, count, seed):
    assert select(name, view, count, seed=seed) == select(name, view, count, seed=seed)


def expected_entropy(p, *, multi_label):
    if multi_label:
        return np.mean([expected_entropy(np.array([x, 1 - x]), multi_label=False) for x in p])
    return -(p[p > 0] * np.log(p[p > 0])).sum()


@pytest.mark.parametrize("name", EVERY)
@given(view=views, count=counts)
@settings(max_examples=40, deadline=None)
def test_entropy_is_told_exactly_where_there_is_a_model(name, view, count):
    for pick in select(name, view, count).picks:
        if view.probabilities is None:
            assert pick.entropy is None
        else:
            p = view.probabilities[pick.position].astype(np.float64)
            expected = expected_entropy(p, multi_label=view.multi_label)
            assert pick.entropy == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", GUIDED)
def test_before_the_first_model_typical_rows_decide(name):
    view = make_view(rows=50, clusters=4, classes=3, seed=1, kind="none")
    selection = select(name, view, 8)
    assert selection.strategy_used == "typical"
    assert {pick.strategy for pick in selection.picks} == {"typical"}


@pytest.mark.parametrize("name", EVERY)
def test_with_a_model_the_strategy_itself_decides(name):
    view = make_view(rows=50, clusters=4, classes=3, seed=1, labelled=1.0)
    selection = select(name, view, 8)
    assert selection.strategy_used == name
    assert {pick.strategy for pick in selection.picks} <= {name, "typical"}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", ["none", "dirichlet"])
def test_a_wall_of_copies_is_searched_to_its_end(name, kind):
    view = make_view(rows=3000, clusters=2, classes=3, seed=2, kind=kind, eligible=1.0)
    table = np.eye(8, dtype=np.float32)
    which = np.where(np.arange(3000) < 2993, 0, np.arange(3000) - 2992)
    view = replace(view, vectors=lambda positions: table[which[positions]])
    selection = select(name, view, 10)
    assert sorted(which[positions_of(selection)].tolist()) == list(range(8))
    assert selection.reason == "near-duplicates"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", ["none", "dirichlet"])
def test_selecting_from_many_rows_needs_little_memory_and_few_vectors(name, kind):
    rows, gathered = 100_000, []
    view = make_view(
        rows=rows, clusters=20, classes=6, seed=3, kind=kind, duplicates=0.0, labelled=0.01
    )
    select(name, make_view(rows=60, clusters=4, classes=2, seed=3, labelled=1.0), 2)

    def vectors(positions):
        gathered.append(positions.size)
        return view.vectors(positions)

    watched = replace(view, vectors=vectors)
    tracemalloc.start()
    select(name, watched, 50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6
    if kind == "dirichlet" and name in READING:
        assert max(gathered) <= 2048
        assert sum(gathered) <= 6 * rows
    else:
        assert max(gathered) <= 256
        assert sum(gathered) <= 20 * 256 + 1000


@pytest.mark.parametrize("name", EVERY)
def test_without_a_minimum_distance_exact_copies_are_allowed(name):
    view = make_view(rows=12, clusters=2, classes=2, seed=4, eligible=1.0)
    same = np.tile(np.eye(8, dtype=np.float32)[0], (12, 1))
    view = replace(view, vectors=lambda positions: same[positions])
    assert len(select(name, view, 12, min_distance=0.0).picks) == 12
