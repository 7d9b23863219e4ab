"""Money: worst cases bound bills, and limits hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.budget import Price, Spend, bill, labels_left, token_ceiling, worst_case
from core.errors import Conflict

HAIKU = Price(input=0.1, output=0.5, long_above=100_000, long_input=0.5, long_output=2.5)


def test_a_bill_is_tokens_times_price():
    assert bill(input_tokens=700, output_tokens=300, price=HAIKU) == pytest.approx(0.00022)


def test_long_prompts_cost_the_long_rates():
    assert bill(input_tokens=100_000, output_tokens=0, price=HAIKU) == pytest.approx(0.01)
    assert bill(input_tokens=100_001, output_tokens=0, price=HAIKU) == pytest.approx(0.0500005)


@given(
    prompt=st.integers(0, 300_000),
    used=st.integers(0, 300_000),
    limit=st.integers(0, 4096),
    written=st.integers(0, 4096),
)
def test_the_worst_case_bounds_every_bill_within_it(prompt, used, limit, written):
    worst = worst_case(prompt_tokens=max(prompt, used), max_tokens=max(limit, written), price=HAIKU)
    assert bill(input_tokens=used, output_tokens=written, price=HAIKU) <= worst + 1e-12


def test_without_a_limit_everything_is_allowed():
    spend = Spend(limit=None, spent=1e9)
    spend.check(1e9)
    assert spend.remaining is None


def test_a_limit_may_be_reached_but_not_passed():
    spend = Spend(limit=1.0, spent=0.7)
    assert spend.remaining == pytest.approx(0.3)
    assert spend.allows(0.3)
    assert not spend.allows(0.301)


def test_past_the_limit_the_refusal_says_how_much():
    with pytest.raises(Conflict) as refusal:
        Spend(limit=1.0, spent=0.9).check(0.2)
    assert refusal.value.code == "budget-exceeded"
    assert refusal.value.extras == {"limit": 1.0, "spent": 0.9, "required": 0.2}


def test_overspending_leaves_nothing_rather_than_less():
    assert Spend(limit=1.0, spent=1.5).remaining == 0.0


def test_a_zero_limit_allows_what_is_free():
    assert Spend(limit=0.0, spent=0.0).allows(0.0)
    assert not Spend(limit=0.0, spent=0.0).allows(0.000001)


@given(st.text(max_size=200))
def test_the_token_ceiling_counts_a_third_per_letter_and_at_most_a_token_per_byte(text):
    tokens = token_ceiling(text) - token_ceiling("")
    size = len(text.encode("utf-8", "surrogatepass"))
    assert size / 3 <= tokens <= size


def test_other_scripts_count_their_bytes():
    assert token_ceiling("好" * 10) - token_ceiling("") == 30
    assert token_ceiling("a" * 30) - token_ceiling("") == 10


def test_labels_left_counts_down_to_nothing():
    assert [labels_left(n, bought=3) for n in (None, 5, 3, 1)] == [None, 2, 0, 0]
