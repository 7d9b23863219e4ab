"""All measures at once: the same number, the same length, the right order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.diversity import Terms, common_terms, diversity
from core.errors import InvalidInput, InvalidOption
from tests.unit.benchmarks.diversity.word_sets import counted, word_sets

VARIED = ("distinct_1", "distinct_2", "vendi", "dispersion")
REPETITIVE = ("self_bleu_4", "compression_ratio", "self_repetition_4")


def measured(
    texts: list[str], *, n: int = 30, tokens: int = 20, seed: int = 0
) -> Mapping[str, float]:
    return diversity(texts, counted(texts), n=n, tokens=tokens, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("measure", VARIED)
def test_copies_are_less_varied_than_variants_and_those_less_than_unrelated(measure: str) -> None:
    sets = {name: measured(texts)[measure] for name, texts in word_sets(30).items()}
    assert sets["copies"] < sets["variants"] < sets["unrelated"]


@pytest.mark.parametrize("measure", REPETITIVE)
def test_copies_repeat_more_than_variants_and_those_more_than_unrelated(measure: str) -> None:
    sets = {name: measured(texts)[measure] for name, texts in word_sets(30).items()}
    assert sets["copies"] > sets["variants"] > sets["unrelated"]


def test_every_measure_is_named() -> None:
    assert set(measured(word_sets(30)["variants"])) == {*VARIED, *REPETITIVE}


def test_the_same_seed_gives_the_same_figures() -> None:
    texts = word_sets(60)["variants"]
    assert measured(texts, seed=3) == measured(texts, seed=3)


def test_another_seed_samples_other_rows() -> None:
    texts = word_sets(60)["variants"]
    assert measured(texts, seed=3) != measured(texts, seed=4)


def test_what_comes_after_the_last_token_changes_no_word_measure() -> None:
    texts = word_sets(10)["unrelated"]
    longer = [f"{text} {text}" for text in texts]
    short, long = measured(texts, n=10), measured(longer, n=10)
    assert [short[name] for name in REPETITIVE] == [long[name] for name in REPETITIVE]


def test_texts_that_are_too_short_are_not_sampled() -> None:
    texts = word_sets(10)["copies"] + ["w1 w2 w3"] * 10
    assert measured(texts, n=10)["distinct_1"] == measured(texts[:10], n=10)["distinct_1"]


def test_too_few_long_texts_are_refused_with_their_number() -> None:
    texts = word_sets(10)["copies"] + ["w1 w2 w3"] * 10
    with pytest.raises(InvalidInput) as refused:
        measured(texts, n=11)
    assert (refused.value.code, refused.value.extras["found"]) == ("too-few-texts", 10)


@pytest.mark.parametrize(("n", "tokens"), [(1, 20), (2, 3), (2.5, 20)])
def test_a_number_or_length_that_means_nothing_is_refused(n: int, tokens: int) -> None:
    with pytest.raises(InvalidOption):
        measured(word_sets(10)["copies"], n=n, tokens=tokens)


def test_a_missing_vector_is_refused() -> None:
    texts = word_sets(10)["copies"]
    with pytest.raises(InvalidInput, match="one vector per text"):
        diversity(texts, counted(texts)[1:], n=5, tokens=5, rng=np.random.default_rng(0))


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_vector_without_direction_is_refused(value: float) -> None:
    texts = word_sets(10)["copies"]
    vectors = np.full((10, 3), value, dtype=np.float32)
    with pytest.raises(InvalidInput, match="finite and not zero"):
        diversity(texts, vectors, n=10, tokens=5, rng=np.random.default_rng(0))


def test_common_terms_are_the_shortest_sets_length_and_number() -> None:
    long, short = ["a b c d e f g h"] * 10, ["a b c d e f"] * 8 + ["a"] * 2
    assert common_terms([long, short]) == Terms(n=8, tokens=6)


@pytest.mark.parametrize("sets", [[], [[]], [["a b c d"]], [["a b c"] * 5], [["a b c d"] * 5, []]])
def test_sets_without_common_terms_are_refused(sets: list[list[str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        common_terms(sets)
    assert refused.value.code == "too-few-texts"
