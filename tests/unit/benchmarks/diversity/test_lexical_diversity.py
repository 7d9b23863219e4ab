"""Self-BLEU, distinct-n, compression and repetition against sums done by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.diversity.lexical import compression_ratio, distinct, self_bleu, self_repetition
from benchmarks.diversity.tokens import ngrams, tokenise

ABCD, ABCE = ("a", "b", "c", "d"), ("a", "b", "c", "e")
equal_length = st.lists(
    st.lists(st.sampled_from("abc"), min_size=6, max_size=6).map(tuple), min_size=2, max_size=8
)


def test_words_are_lower_case_and_punctuation_stands_alone() -> None:
    assert tokenise("Well, DON'T!") == ("well", ",", "don", "'", "t", "!")


def test_a_text_shorter_than_the_order_has_no_ngrams() -> None:
    assert ngrams(("a", "b"), 3) == []


def test_distinct_1_is_different_words_over_all_words() -> None:
    assert distinct([("a", "b"), ("a", "c")], 1) == 3 / 4


def test_distinct_2_does_not_run_over_the_end_of_a_text() -> None:
    assert distinct([("a", "b", "a"), ("a", "b", "c")], 2) == 3 / 4


def test_distinct_of_texts_that_are_too_short_is_zero() -> None:
    assert distinct([("a",), ("b",)], 2) == 0


def test_self_bleu_multiplies_the_precisions_of_four_orders() -> None:
    by_hand = (3 / 4 * 2 / 3 * 1 / 2 * 0.1 / 1) ** (1 / 4)
    assert self_bleu([ABCD, ABCE], 4) == pytest.approx(by_hand)


def test_self_bleu_counts_a_word_no_more_often_than_one_other_text_has_it() -> None:
    by_hand = (1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 4)
    assert self_bleu([("a", "a", "a", "a"), ABCD], 4) == pytest.approx(by_hand)


def test_self_bleu_takes_the_best_of_the_other_texts_for_each_ngram() -> None:
    first, second, both = ("a", "b", "x", "x"), ("y", "y", "c", "d"), ("a", "b", "c", "d")
    # both: 4 of 4 words, 2 of 3 pairs (ab, cd); first: 2 of 4, 1 of 3; second: 2 of 4, 1 of 3.
    by_hand = (math.sqrt(1 * 2 / 3) + 2 * math.sqrt(1 / 2 * 1 / 3)) / 3
    assert self_bleu([first, second, both], 2) == pytest.approx(by_hand)


def test_self_bleu_of_copies_is_one() -> None:
    assert self_bleu([ABCD] * 3, 4) == pytest.approx(1)


def test_self_bleu_of_texts_without_a_common_word_is_zero() -> None:
    assert self_bleu([ABCD, ("w", "x", "y", "z")], 4) == 0


@given(equal_length)
def test_self_bleu_does_not_depend_on_the_order_of_the_texts(texts: list[tuple[str, ...]]) -> None:
    assert self_bleu(texts[::-1], 4) == pytest.approx(self_bleu(texts, 4))


@given(equal_length)
def test_self_bleu_stays_between_zero_and_one(texts: list[tuple[str, ...]]) -> None:
    assert 0 <= self_bleu(texts, 4) <= 1 + 1e-12


def test_repetition_counts_the_other_texts_that_have_the_ngram() -> None:
    # ABCD has two others with it, ln 3; the third text has nothing in common, ln 1.
    texts = [ABCD, ABCD, ABCD, ("w", "x", "y", "z")]
    assert self_repetition(texts, 4) == pytest.approx(3 * math.log(3) / 4)


def test_an_ngram_repeated_within_a_text_is_no_self_repetition() -> None:
    assert self_repetition([("a",) * 8, ("b",) * 8], 4) == 0


def test_copies_compress_better_than_different_texts() -> None:
    different = [tuple(f"w{i}{j}" for j in range(10)) for i in range(10)]
    assert compression_ratio([different[0]] * 10) > compression_ratio(different)


def test_the_compression_ratio_is_of_the_whole_set_and_not_of_each_text() -> None:
    text = tuple("abcdefghijklmnopqrstuvwxyz")
    assert compression_ratio([text] * 50) > 5 * compression_ratio([text])
