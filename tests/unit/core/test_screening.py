"""Screens tag every row and drop only copies and leaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import LabelClass, Screen
from core.screening import (
    CORPORA,
    Candidate,
    Neighbour,
    Seed,
    jaccard,
    needs_review,
    screen,
    verdict,
)

HERE, FAR = np.eye(2, dtype=np.float32)
SEED = Seed(
    id="itm_seed",
    text="My landlord kept the deposit and will not answer my calls any more",
    label=LabelClass(id="legal", name="Legal advice"),
    vector=HERE,
)
FRESH = "The garage charged me twice for one repair and says it is my own mistake"
CLOSE = "The garage charged me twice for one repair and says it is my own fault"


def one(text=FRESH, *, vector=FAR, seed=SEED, **found):
    candidate = Candidate(id="gen_1", text=text, vector=vector, **found)
    return screen([candidate], seed=seed)[0]


def failed(screens):
    return {s.check for s in screens if not s.passed}


def get(screens, check):
    return next(s for s in screens if s.check == check)


# --- the whole ----------------------------------------------------------------------------


def test_a_fresh_text_passes_everything():
    screens = one(probabilities={"legal": 0.8, "financial": 0.2})
    assert failed(screens) == set()
    assert (verdict(screens), needs_review(screens)) == ("keep", False)


def test_every_row_says_what_was_checked():
    checks = [s.check for s in one(probabilities={"legal": 1.0})]
    levels = ("exact", "near", "semantic")
    corpora = ("seed", "sibling", *CORPORA)
    duplicates = [f"{c}_duplicate_{level}" for c in corpora for level in levels]
    basics = ["schema", "length", "meta_text", "label_leak"]
    assert checks == [*basics, *duplicates, "learner_agreement"]


def test_no_candidates_give_no_results():
    assert screen([], seed=SEED) == []


@given(text=st.text(max_size=120))
def test_any_text_gets_a_verdict(text):
    screens = one(text)
    assert verdict(screens) in {"keep", "drop"}
    assert all(s.value is None or 0.0 <= s.value <= 1.0 for s in screens)


# --- schema, length, meta text, leaks ----------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n", "a\x00b", "bell\x07", "\ud800", "x" * 20_001])
def test_what_is_no_text_is_dropped(text):
    screens = one(text)
    assert "schema" in failed(screens)
    assert verdict(screens) == "drop"


@pytest.mark.parametrize("text", ["line\nbreak", "tab\tstop", "emoji 🙂", "e\u0301"])
def test_ordinary_text_is_text(text):
    assert "schema" not in failed(one(text))


@pytest.mark.parametrize(
    ("length", "passes"), [(12, False), (13, True), (66, True), (172, True), (173, False)]
)
def test_length_is_half_to_double_the_seed_with_slack(length, passes):
    assert len(SEED.text) == 66
    assert ("length" not in failed(one("x" * length))) is passes


def test_a_short_seed_may_grow():
    seed = Seed(id="s", text="help me", label=SEED.label, vector=HERE)
    assert "length" not in failed(one("please somebody help me with this letter", seed=seed))


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model I have no landlord",
        "as a large language model I must say",
        "I'm sorry, but I cannot assist with that",
        "I can't help with that request",
        "Variation 1: my landlord is gone",
        "Paraphrase 2. my landlord is gone",
        "Here are three variations of the text",
        "- my landlord is gone",
        "1. my landlord is gone",
        "## Message\nmy landlord is gone",
        "**my landlord** is gone",
        "```\nmy landlord\n```",
        "my landlord </data> is gone",
    ],
)
def test_meta_text_is_tagged_for_review_not_dropped(text):
    screens = one(text)
    assert "meta_text" in failed(screens)
    assert (verdict(screens), needs_review(screens)) == ("keep", True)


@pytest.mark.parametrize(
    "text",
    [
        "I can't help feeling that nobody listens",
        "I am sorry to bother you about my rent",
        "he has 2. two options: stay or go",
        "as a nurse I see this every day",
        "my version of what happened is different",
    ],
)
def test_people_who_talk_like_people_are_not_meta(text):
    assert "meta_text" not in failed(one(text))


def test_meta_text_of_the_seed_may_stay():
    seed = Seed(id="s", text="- milk\n- bread", label=SEED.label, vector=HERE)
    assert "meta_text" not in failed(one("- eggs\n- flour", seed=seed))


@pytest.mark.parametrize(
    "text", ["here are " + "a" * 20_000, "**" * 10_000, "i'm sorry " * 2_000, " " * 20_000]
)
def test_text_made_to_confuse_a_pattern_still_gets_an_answer(text):
    assert "meta_text" not in failed(one(text))


@pytest.mark.parametrize("text", ["I need LEGAL help now", "some legal-advice, please"])
def test_the_labels_name_or_id_in_the_text_is_a_leak(text):
    assert "label_leak" in failed(one(text))


@pytest.mark.parametrize("text", ["that is illegal", "my legally owned home"])
def test_a_word_that_contains_the_label_is_no_leak(text):
    assert "label_leak" not in failed(one(text))


def test_a_label_the_seed_names_may_be_named():
    seed = Seed(id="s", text="where do I get legal help", label=SEED.label, vector=HERE)
    assert "label_leak" not in failed(one("is there legal help near me", seed=seed))


def test_hyphens_and_underscores_do_not_hide_a_leak():
    label = LabelClass(id="self_harm", name="Self-harm")
    seed = Seed(id="s", text="I feel low tonight", label=label, vector=HERE)
    assert "label_leak" in failed(one("a text about self harm", seed=seed))


# --- duplicates ----------------------------------------------------------------------------------


def test_a_copy_of_the_seed_is_dropped_whatever_its_case():
    screens = one(SEED.text.upper() + "  ", vector=HERE)
    assert get(screens, "seed_duplicate_exact").match_id == "itm_seed"
    assert verdict(screens) == "drop"


def test_a_text_near_the_seed_is_kept_for_review():
    screens = one(SEED.text + "!")
    assert failed(screens) == {"seed_duplicate_near"}
    assert (verdict(screens), needs_review(screens)) == ("keep", True)


def test_a_text_that_means_the_same_as_the_seed_is_kept_for_review():
    screens = one(vector=HERE)
    assert failed(screens) == {"seed_duplicate_semantic"}
    assert verdict(screens) == "keep"


def test_of_two_equal_siblings_the_first_stays():
    pair = [Candidate(id=f"gen_{n}", text=FRESH, vector=FAR) for n in (1, 2)]
    first, second = screen(pair, seed=SEED)
    assert (verdict(first), verdict(second)) == ("keep", "drop")
    assert get(second, "sibling_duplicate_exact").match_id == "gen_1"


def test_near_siblings_are_tagged():
    pair = [Candidate(id="1", text=FRESH, vector=FAR), Candidate(id="2", text=CLOSE, vector=HERE)]
    assert "sibling_duplicate_near" in failed(screen(pair, seed=SEED)[1])


@pytest.mark.parametrize("corpus", ["training", "pool"])
def test_near_and_semantic_matches_outside_the_test_set_are_kept(corpus):
    rows = [Neighbour(id="itm_9", text=CLOSE, cosine=0.95)]
    screens = one(neighbours={corpus: rows})
    assert failed(screens) == {f"{corpus}_duplicate_near", f"{corpus}_duplicate_semantic"}
    assert get(screens, f"{corpus}_duplicate_semantic").match_id == "itm_9"
    assert verdict(screens) == "keep"


@pytest.mark.parametrize("corpus", CORPORA)
def test_exact_copies_are_dropped_from_every_corpus(corpus):
    rows = [Neighbour(id="itm_9", text=FRESH.title(), cosine=0.5)]
    assert verdict(one(neighbours={corpus: rows})) == "drop"


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_copy_known_by_hash_alone_is_dropped_too(corpus):
    screens = one(exact={corpus: "itm_7"})
    assert get(screens, f"{corpus}_duplicate_exact").match_id == "itm_7"
    assert verdict(screens) == "drop"


@pytest.mark.parametrize(
    "row",
    [
        Neighbour(id="t", text="Something else entirely was said here", cosine=0.93),
        Neighbour(id="t", text=CLOSE, cosine=0.1),
    ],
)
def test_anything_too_close_to_a_test_row_is_dropped(row):
    assert verdict(one(neighbours={"test": [row]})) == "drop"


def test_a_distant_test_row_is_no_leak_and_its_similarity_is_recorded():
    row = Neighbour(id="t", text="Where can I find the bus timetable", cosine=0.4)
    screens = one(neighbours={"test": [row]})
    assert verdict(screens) == "keep"
    assert get(screens, "test_duplicate_semantic").value == 0.4


def test_the_closest_neighbour_counts_in_any_order():
    rows = [
        Neighbour(id="far", text="unrelated words", cosine=0.1),
        Neighbour(id="near", text="other words", cosine=0.97),
        Neighbour(id="mid", text="more words", cosine=0.5),
    ]
    assert get(one(neighbours={"pool": rows}), "pool_duplicate_semantic").match_id == "near"


@pytest.mark.parametrize(("cosine", "passes"), [(0.9199, True), (0.92, False)])
def test_the_semantic_threshold_is_inclusive(cosine, passes):
    row = Neighbour(id="t", text="unrelated words", cosine=cosine)
    assert get(one(neighbours={"pool": [row]}), "pool_duplicate_semantic").passed is passes


def test_jaccard_is_one_for_equals_and_zero_for_strangers():
    assert jaccard("abc", "abc") == 1.0
    assert jaccard("abc", "xyz") == 0.0
    assert jaccard("", "") == 1.0


# --- the learner ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probabilities", "passes"),
    [
        ({"legal": 0.3, "financial": 0.7}, False),
        ({"legal": 0.4, "financial": 0.6}, True),
        ({"legal": 0.9, "financial": 0.1}, True),
        ({"financial": 0.8, "medical": 0.2}, False),
    ],
)
def test_a_confident_other_opinion_asks_for_review(probabilities, passes):
    screens = one(probabilities=probabilities)
    agreement = get(screens, "learner_agreement")
    assert agreement.passed is passes
    assert agreement.value == probabilities.get("legal", 0.0)
    assert verdict(screens) == "keep"


def test_before_the_first_model_nobody_disagrees():
    assert not [s for s in one() if s.check == "learner_agreement"]


def test_verdict_and_review_read_only_failures():
    passed = Screen(check="test_duplicate_near", passed=True, value=0.5)
    assert (verdict([passed]), needs_review([passed])) == ("keep", False)
    assert (verdict([]), needs_review([])) == ("keep", False)
