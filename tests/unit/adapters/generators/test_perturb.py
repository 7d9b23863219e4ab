"""The rule-based floor: repeatable, never empty, never a copy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.generators.edits import ANY_LANGUAGE, ENGLISH, KEPT, synonyms
from adapters.generators.perturb import PerturbGenerator
from core.errors import InvalidOption
from core.generation import Estimate
from core.texts import normalise

LEVELS = ("strict_slots", "paraphrase", "attributes", "free_form")
EDITS = sorted({*ANY_LANGUAGE, *ENGLISH}, key=lambda edit: edit.__name__)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def write(request, purse):
    return PerturbGenerator().generate(request, purse=purse)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(5))
def test_ten_variations_all_differ_from_the_seed_and_one_another(make_request, purse, level, seed):
    request = make_request(level, count=10, seed=seed)
    result = write(request, purse)
    normal = {normalise(v.text) for v in result.variations}
    assert result.outcome == "ok"
    assert len(normal | {normalise(request.text)}) == 11


@pytest.mark.parametrize("text", ["ok", "好", "не могу", "!", "🙂", "no", "I can't"])
def test_even_the_shortest_text_in_any_script_can_be_varied(make_request, purse, text):
    result = write(make_request(text=text, count=3), purse)
    assert result.outcome == "ok"
    assert all(v.text.strip() for v in result.variations)


def test_the_same_request_gives_the_same_texts_and_another_seed_others(make_request, purse):
    first = write(make_request(seed=1), purse)
    assert write(make_request(seed=1), purse) == first
    assert write(make_request(seed=2), purse).variations != first.variations


def test_two_seeds_with_one_number_are_varied_differently(make_request, purse):
    first = write(make_request(text="the tap in the hall drips all night"), purse)
    second = write(make_request(text="the tap in the bath drips all night"), purse)
    assert [v.text.replace("bath", "hall") for v in second.variations] != [
        v.text for v in first.variations
    ]


def test_a_text_without_words_is_a_shortfall(make_request, purse):
    result = write(make_request(text="   "), purse)
    assert (result.outcome, result.variations) == ("shortfall", ())


def test_freer_templates_change_more(make_request, purse):
    def distance(level):
        request = make_request(level, count=10)
        own = set(request.text.split())
        return np.mean([len(own ^ set(v.text.split())) for v in write(request, purse).variations])

    assert distance("strict_slots") < distance("attributes") < distance("free_form")


def test_another_language_gets_no_english_words(make_request, purse):
    text = "не знаю почему так тяжело сегодня утром"
    result = write(make_request("free_form", text=text, count=10), purse)
    assert all(not any(c.isascii() and c.isalpha() for c in v.text) for v in result.variations)


def test_words_that_turn_a_meaning_round_stay(make_request, purse):
    text = "my doctor said never stop without asking him first about the tablets"
    result = write(make_request("attributes", text=text, count=10), purse)
    kept = KEPT & set(text.split())
    assert all(kept <= set(v.text.lower().split()) for v in result.variations)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=TEXTS, seed=st.integers(0, 99))
def test_every_edit_takes_every_text(edit, text, seed):
    words = tuple(text.split())
    edited = edit(words, np.random.default_rng(seed))
    assert all(isinstance(word, str) for word in edited)
    assert edited or not words


def test_it_is_free_and_says_so(make_request):
    generator = PerturbGenerator()
    assert (generator.paid, generator.estimate(make_request())) == (False, Estimate())


@pytest.mark.parametrize("edits", [0, 11, 1.5, True, "many"])
def test_edits_out_of_range_are_refused(edits):
    with pytest.raises(InvalidOption):
        PerturbGenerator(edits=edits)


def test_no_synonym_stands_in_for_itself():
    assert not [word for word, others in synonyms().items() if word in others]
