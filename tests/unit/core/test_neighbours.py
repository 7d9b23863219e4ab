"""Nearest rows, the same whatever the blocks and shards."""

from __future__ import annotations

import numpy as np
import pytest

import core.neighbours
from core.neighbours import nearest


@pytest.fixture
def rows():
    vectors = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def brute(vectors, rows, limit, eligible=None):
    cosines = vectors @ rows.astype(np.float32).T
    if eligible is not None:
        cosines[:, ~eligible] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :limit]
    return order, np.take_along_axis(cosines, order, axis=1)


def test_it_finds_what_a_full_sort_finds(rows):
    queries = rows[:7].astype(np.float32)
    positions, cosines = nearest(queries, [(0, rows)], 5)
    expected, values = brute(queries, rows, 5)
    assert np.array_equal(positions, expected)
    assert np.allclose(cosines, values, atol=1e-6)
    assert (positions.dtype, cosines.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize("block", [1, 7, 64, 10_000])
def test_blocks_and_shards_do_not_change_the_answer(rows, monkeypatch, block):
    monkeypatch.setattr(core.neighbours, "BLOCK_ROWS", block)
    queries = rows[:3].astype(np.float32)
    shards = [(300, rows[300:]), (0, rows[:300])]
    assert np.array_equal(nearest(queries, shards, 4)[0], brute(queries, rows, 4)[0])


def test_a_mask_leaves_rows_out(rows):
    eligible = np.arange(500) % 3 == 0
    queries = rows[:3].astype(np.float32)
    positions, _ = nearest(queries, [(0, rows)], 4, mask=lambda a, b: eligible[a:b])
    assert np.array_equal(positions, brute(queries, rows, 4, eligible)[0])


def test_fewer_rows_than_asked_leave_the_tail_empty(rows):
    positions, cosines = nearest(rows[:2].astype(np.float32), [(40, rows[:3])], 5)
    assert set(positions[0, :3]) == {40, 41, 42}
    assert (positions[:, 3:] == -1).all()
    assert (cosines[:, 3:] == -1).all()


@pytest.mark.parametrize("shards", [[], [(0, np.empty((0, 8), dtype=np.float16))]])
def test_an_empty_pool_has_no_neighbours(rows, shards):
    positions, _ = nearest(rows[:2].astype(np.float32), shards, 3)
    assert (positions == -1).all()


def test_no_vectors_and_no_limit_give_empty_answers(rows):
    assert nearest(np.empty((0, 8), dtype=np.float32), [(0, rows)], 3)[0].shape == (0, 3)
    assert nearest(rows[:2].astype(np.float32), [(0, rows)], 0)[0].shape == (2, 0)


def test_a_mask_over_everything_leaves_nothing(rows):
    positions, _ = nearest(
        rows[:1].astype(np.float32), [(0, rows)], 3, mask=lambda a, b: np.zeros(b - a, dtype=bool)
    )
    assert (positions == -1).all()
