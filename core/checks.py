"""When a person is given a check item, and which: by hashes, so that it cannot be foreseen
and yet comes out alike each time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Final

from core.people import Claimable
from core.records import Session

SCALE: Final = 2**64


def second_answer(session: Session, external_id: str) -> bool:
    """Whether an item is among the ``double_share`` that two people answer."""
    drawn = _fraction("double", session.settings.seed, external_id)
    return drawn < session.settings.people.double_share


def answers_needed(session: Session, external_id: str) -> int:
    """How many different people a newly selected item is given to."""
    overlap = session.settings.people.overlap
    return max(overlap, 2) if second_answer(session, external_id) else overlap


def mixed(
    session: Session,
    ordinary: Sequence[Claimable],
    checks: Sequence[Claimable],
    *,
    annotator_id: str,
    given: int,
    most: int,
) -> list[Claimable]:
    """At most ``most`` items, check items among the ordinary ones at the session's share.

    ``given`` is how many items the person had before: each place in a person's row of
    items is a check or not. Checks never come alone, and one that the person took an
    answer back from comes first.
    """
    chosen = [check for check in checks if check.taken_back][:most]
    rest = [check for check in checks if not check.taken_back]
    waiting = list(ordinary)
    for place in count(given):
        if len(chosen) >= most or not waiting:
            return chosen
        if rest and _is_check(session, annotator_id, place):
            chosen.append(rest.pop(_pick(session, annotator_id, place, among=len(rest))))
        else:
            chosen.append(waiting.pop(0))
    return chosen


def _is_check(session: Session, annotator_id: str, place: int) -> bool:
    drawn = _fraction("check", session.settings.seed, session.id, annotator_id, place)
    return drawn < session.settings.people.check_share


def _pick(session: Session, annotator_id: str, place: int, *, among: int) -> int:
    return int(_fraction("which", session.settings.seed, session.id, annotator_id, place) * among)


def _fraction(*parts: object) -> float:
    """A number in [0, 1) that follows from the parts."""
    text = "\x1f".join(map(str, parts))
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
    return (number >> 11) / (SCALE >> 11)
