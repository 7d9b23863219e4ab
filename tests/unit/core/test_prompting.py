"""Slots are filled once from an allow-list; counts follow the shares."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.prompting import (
    ALLOWED,
    LENGTHS,
    PERSONAS,
    Prompt,
    check_template,
    data_block,
    draw_attributes,
    plan_counts,
    render,
    template_sha256,
)

GOOD = {"level": "paraphrase", "system": "Be brief.", "body": "{{count}} times: {{seed}}"}


def refused(**changes):
    with pytest.raises(InvalidInput) as refusal:
        check_template(**{**GOOD, **changes})
    return refusal.value


# --- render -------------------------------------------------------------------------------


def test_words_are_one_plain_line():
    text = render("{{count}} x {{label_name}}", {"count": 3, "label_name": " self\n <harm> "})
    assert text == "3 x self (harm)"


def test_texts_are_json_in_a_named_block():
    text = render("{{seed}}", {"seed": 'say "hi"\n'})
    assert text == '<data name="seed">\n"say \\"hi\\"\\n"\n</data>'


@pytest.mark.parametrize("name", ALLOWED)
def test_a_value_with_braces_stays_literal(name):
    text = render(f"{{{{{name}}}}} and {{{{count}}}}", {"count": 3, name: "{{label}}"})
    assert "{{label}}" in text


@pytest.mark.parametrize("literal", ["{{7*7}}", "{{''.__class__}}", "{% if %}", "{count}", "{{}}"])
def test_braces_around_anything_but_a_name_are_text(literal):
    assert render(literal, {}) == literal
    check_template(**{**GOOD, "body": GOOD["body"] + literal})


def test_an_unknown_name_is_refused_with_the_allowed_list():
    with pytest.raises(InvalidInput) as refusal:
        render("{{api_key}}", {"api_key": "x"})
    assert refusal.value.errors[0].code == "unknown-template-variable"
    assert "seed" in refusal.value.errors[0].detail


def test_a_known_name_without_a_value_is_refused():
    with pytest.raises(InvalidInput) as refusal:
        render("{{seed}}", {})
    assert refusal.value.code == "missing-template-value"


@given(value=st.text(max_size=80))
def test_a_block_cannot_be_closed_from_inside_and_round_trips(value):
    block = data_block("seed", value)
    assert block.count("<") == block.count(">") == 2
    assert json.loads(block.split("\n")[1]) == value
    assert block.encode()


def test_a_prompts_hash_covers_both_parts_and_their_border():
    hashes = {
        Prompt(system="a", user="bc").sha256,
        Prompt(system="ab", user="c").sha256,
        Prompt(system="a", user="bd").sha256,
    }
    assert len(hashes) == 3


# --- templates of tenants --------------------------------------------------------------------


def test_a_good_template_passes():
    check_template(**GOOD)
    assert len(template_sha256(**GOOD)) == 64


def test_a_templates_hash_changes_with_each_part():
    changed = [template_sha256(**{**GOOD, part: "other"}) for part in GOOD]
    assert len({template_sha256(**GOOD), *changed}) == 4


def test_an_unknown_variable_is_refused_where_it_stands():
    refusal = refused(system="{{secret}}")
    assert refusal.code == "unknown-template-variable"
    assert refusal.errors[0].pointer == "/system"
    assert "seed" in refusal.extras["allowed"]


def test_pool_text_may_not_stand_in_the_system_prompt():
    assert refused(system="{{examples}}").code == "misplaced-template-variable"


@pytest.mark.parametrize(
    ("level", "missing"),
    [("paraphrase", "count"), ("attributes", "attributes"), ("strict_slots", "frame")],
)
def test_a_level_needs_its_variables(level, missing):
    refusal = refused(level=level, body="nothing")
    assert refusal.code == "missing-template-variable"
    assert any(missing in error.detail for error in refusal.errors)


def test_a_template_has_a_known_level_and_a_bounded_length():
    assert refused(level="anarchy").code == "unknown-template-level"
    assert refused(system="x" * 8_001).code == "template-too-long"


def test_several_faults_are_all_named():
    refusal = refused(system="{{seed}}", body="{{nope}}")
    codes = {error.code for error in refusal.errors}
    assert refusal.code == "invalid-template"
    assert codes == {
        "missing-template-variable",
        "misplaced-template-variable",
        "unknown-template-variable",
    }


# --- attributes ------------------------------------------------------------------------------


def test_attributes_are_drawn_without_replacement():
    rows = draw_attributes(np.random.default_rng(0), len(PERSONAS))
    personas = {row.split(";")[0] for row in rows}
    assert personas == {f"persona: {p}" for p in PERSONAS}


def test_a_used_up_list_starts_again():
    rows = draw_attributes(np.random.default_rng(0), 2 * len(LENGTHS))
    lengths = [row.split("; ")[2] for row in rows]
    assert all(lengths.count(value) == 2 for value in set(lengths))


def test_attributes_repeat_with_the_generator():
    first, again, other = (draw_attributes(np.random.default_rng(s), 4) for s in (1, 1, 2))
    assert first == again != other


# --- how many -------------------------------------------------------------------------------

EVEN = {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}


def test_a_class_at_its_share_gets_the_setting_and_one_above_gets_none():
    plan = plan_counts({"a": 40, "b": 10, "c": 25, "d": 25}, EVEN, variations=3)
    assert plan == {"a": 0, "b": 8, "c": 3, "d": 3}


def test_an_even_set_gets_the_setting_everywhere():
    assert plan_counts(dict.fromkeys(EVEN, 7), EVEN, variations=3) == dict.fromkeys(EVEN, 3)


def test_no_labels_at_all_is_even():
    assert plan_counts({}, EVEN, variations=2) == dict.fromkeys(EVEN, 2)


def test_a_class_without_labels_gets_the_cap():
    assert plan_counts({"a": 5, "b": 5, "c": 5}, EVEN, variations=3)["d"] == 10


def test_a_class_nobody_wants_gets_none():
    assert plan_counts({"a": 5}, {"a": 1.0, "b": 0.0}, variations=3) == {"a": 3, "b": 0}


def test_no_variations_means_none():
    assert set(plan_counts({"a": 1, "b": 9}, EVEN, variations=0).values()) == {0}


@given(
    counts=st.lists(st.integers(0, 1000), min_size=4, max_size=4),
    variations=st.integers(1, 10),
)
def test_shares_decide_and_the_cap_holds(counts, variations):
    held = dict(zip("abcd", counts, strict=True))
    plan = plan_counts(held, EVEN, variations=variations)
    total = sum(counts)
    for name, planned in plan.items():
        assert 0 <= planned <= 10
        if total:
            assert (planned >= variations) == (held[name] * 4 <= total)
    assert all(plan[p] >= plan[q] for p in plan for q in plan if held[p] <= held[q])
