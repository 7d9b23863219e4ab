"""The hashing encoder: deterministic unit rows without weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.encoders.hashing import HashingEncoder
from core.errors import InvalidOption


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(), max_size=5))
def test_every_text_gets_a_unit_row(texts):
    rows = HashingEncoder().encode(texts)
    assert rows.shape == (len(texts), 64)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_row_does_not_depend_on_its_neighbours():
    encoder = HashingEncoder(dimension=32)
    texts = ["call my bank", "", "lovely tomatoes"]
    assert np.array_equal(
        encoder.encode(texts), np.vstack([encoder.encode([text]) for text in texts])
    )


def test_values_are_the_same_on_every_machine():
    row = HashingEncoder(dimension=4).encode(["call my bank"])[0]
    assert row == pytest.approx([0.774597, -0.258199, 0.258199, -0.516398], abs=1e-5)


def test_texts_that_share_words_are_nearer():
    question, alike, other = HashingEncoder().encode(
        ["call my bank today", "please call the bank", "lovely red tomatoes"]
    )
    assert question @ alike > question @ other


def test_no_text_is_too_long():
    assert HashingEncoder().truncated(["short", "word " * 10_000]) == [False, False]


def test_the_id_names_the_dimension():
    assert HashingEncoder(dimension=128).id == "hashing-128"


@pytest.mark.parametrize("dimension", [0, 1, 2.5, True])
def test_a_dimension_out_of_range_is_refused(dimension):
    with pytest.raises(InvalidOption):
        HashingEncoder(dimension=dimension)
