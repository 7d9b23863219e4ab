"""How long to wait, as the provider says it or as we choose it."""

from __future__ import annotations

import math

import pytest

from adapters.generators.prices import load_prices
from adapters.generators.trouble import MAX_BACKOFF_S, Trouble, pause_before, retry_after

LATER = {"date": "Fri, 20 Nov 2026 10:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 10:00:07 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": LATER["retry-after"]}, None),
        (LATER, 7.0),
        ({**LATER, "date": "nonsense"}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers, seconds):
    assert retry_after(headers) == seconds


def trouble(seconds=None):
    return Trouble(category="x", retryable=True, billable=False, retry_after=seconds)


def test_the_back_off_doubles_up_to_a_cap():
    pauses = [pause_before(n, trouble=trouble(), chance=0.0) for n in range(2, 9)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(pauses) == MAX_BACKOFF_S


def test_chance_only_shortens_the_back_off_and_only_lengthens_a_wish():
    assert 0.375 <= pause_before(2, trouble=trouble(), chance=0.999) < 0.5
    assert 10 <= pause_before(2, trouble=trouble(10.0), chance=0.999) < 11


def test_a_wish_for_no_pause_still_pauses():
    assert pause_before(2, trouble=trouble(0.0), chance=0.0) > 0


@pytest.mark.parametrize("seconds", [20.1, 3600.0, 4_294_967.0])
def test_a_long_wish_means_do_not_come_back(seconds):
    assert pause_before(2, trouble=trouble(seconds), chance=0.0) is None


def test_every_listed_model_has_a_sane_price():
    prices = load_prices()
    assert "claude-haiku-5-5" in prices
    assert all(0 < p.input < p.output < math.inf for p in prices.values())
