"""How much a person may be given: pauses and daily limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.exposure import Allowance, allowance
from core.people import Exposure
from core.records import PeopleSettings

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def seen(answered=0, streak=0, began=None, ended=None):
    """Minutes ago."""

    def ago(minutes):
        return None if minutes is None else NOW - timedelta(minutes=minutes)

    return Exposure(
        answered=answered, streak_items=streak, streak_started=ago(began), last_ended=ago(ended)
    )


def left(people, exposure, held=0):
    return allowance(people, exposure, held=held, now=NOW)


def test_without_limits_anybody_goes_on():
    assert left(PeopleSettings(), seen(500, 500, began=600, ended=1)) == Allowance()


def test_what_is_held_counts_against_the_day():
    people = PeopleSettings(daily_items=10)
    assert left(people, seen(7, 7, 30, 1), held=1).items == 2
    assert left(people, seen(7, 7, 30, 1), held=3) == Allowance(items=0, reason="quota")


def test_the_days_limit_says_when_its_first_answer_counts_no_more():
    people = PeopleSettings(daily_items=10)
    full = replace(seen(10, 10, 30, 1), first_ended=NOW - timedelta(hours=23))
    assert left(people, full).retry_after_s == 3_600
    assert left(people, replace(full, first_ended=NOW - timedelta(hours=24))).retry_after_s == 1


def test_a_pause_is_due_after_so_many_items():
    people = PeopleSettings(break_after_items=5, break_minutes=10)
    assert left(people, seen(4, 4, began=8, ended=1)).items == 1
    due = left(people, seen(5, 5, began=8, ended=1))
    assert due == Allowance(items=0, stop=True, reason="break_due", retry_after_s=540)


def test_a_pause_is_due_after_so_many_minutes():
    people = PeopleSettings(break_after_minutes=30, break_minutes=10)
    assert left(people, seen(3, 3, began=29, ended=1)).reason is None
    assert left(people, seen(3, 3, began=30, ended=2)).retry_after_s == 480


def test_after_the_pause_one_starts_anew():
    people = PeopleSettings(break_after_items=5, break_after_minutes=30, break_minutes=10)
    assert left(people, seen(5, 5, began=60, ended=10)) == Allowance(items=5)


def test_what_is_held_fills_the_sitting_but_stops_nobody():
    people = PeopleSettings(break_after_items=5, break_minutes=10)
    found = left(people, seen(3, 3, began=8, ended=1), held=2)
    assert (found.items, found.stop, found.reason) == (0, False, "break_due")
