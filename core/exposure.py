"""How much a person may still be given before a pause, or before the day's limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from core.people import Exposure
from core.records import PeopleSettings

DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How many items a person may hold more; None = no limit. ``reason`` says what limits
    where it is 0, ``retry_after_s`` how long a pause still takes, or until the day's first
    answer counts no more. ``stop``: the pause is due now, whatever the person holds."""

    items: int | None = None
    stop: bool = False
    reason: Literal["quota", "break_due"] | None = None
    retry_after_s: int | None = None


def allowance(people: PeopleSettings, seen: Exposure, *, held: int, now: datetime) -> Allowance:
    """What the session's limits leave to a person who holds ``held`` items.

    A sitting is over once the person did nothing for ``break_minutes``. The daily limit
    counts the last 24 hours.
    """
    pause = _pause(people, seen, now=now)
    if pause is not None:
        return Allowance(items=0, stop=True, reason="break_due", retry_after_s=pause)
    sitting = 0 if _rested(people, seen, now=now) else seen.streak_items
    to_break = _left(people.break_after_items, sitting + held)
    to_quota = _left(people.daily_items, seen.answered + held)
    if to_quota == 0:
        return Allowance(items=0, reason="quota", retry_after_s=_until_one_is_old(seen, now=now))
    if to_break == 0:
        return Allowance(items=0, reason="break_due", retry_after_s=_seconds(people))
    known = [left for left in (to_break, to_quota) if left is not None]
    return Allowance(items=min(known) if known else None)


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _until_one_is_old(seen: Exposure, *, now: datetime) -> int | None:
    """Seconds until the day's limit frees a place; None where it is all held."""
    if seen.first_ended is None:
        return None
    return max(1, math.ceil((seen.first_ended + DAY - now).total_seconds()))


def _pause(people: PeopleSettings, seen: Exposure, *, now: datetime) -> int | None:
    """Seconds until the pause that is due is over; None where none is due."""
    if seen.last_ended is None or seen.streak_started is None or _rested(people, seen, now=now):
        return None
    minutes, items = people.break_after_minutes, people.break_after_items
    worked = (now - seen.streak_started).total_seconds() / 60
    long = minutes is not None and worked >= minutes
    many = items is not None and seen.streak_items >= items
    if not (long or many):
        return None
    over = seen.last_ended + timedelta(minutes=people.break_minutes)
    return max(1, math.ceil((over - now).total_seconds()))


def _rested(people: PeopleSettings, seen: Exposure, *, now: datetime) -> bool:
    if seen.last_ended is None:
        return True
    return now - seen.last_ended >= timedelta(minutes=people.break_minutes)


def _seconds(people: PeopleSettings) -> int:
    return max(1, math.ceil(people.break_minutes * 60))
