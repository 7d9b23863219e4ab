"""Whether what a command printed has the shape that a page shows."""

from __future__ import annotations

import json
import re
from typing import Any

ID = re.compile(r"\b([a-z]{2,4})_(?:\w*(?:\.\.\.|…)|\w{15,}[\w.~-]*)")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
DECIMAL = re.compile(r"\d+\.\d+")


def masked(line: str) -> str:
    """The line without ids, times, ports and decimals, and with single blanks."""
    line = TIME.sub("TIME", ID.sub(r"\1_ID", ADDRESS.sub("ADDRESS", line)))
    return " ".join(DECIMAL.sub("0.0", line).split())


def fits(shown: str, said: str) -> bool:
    """Whether a line has the shape of the one on the page, in which ``...`` is anything."""
    parts = re.split(r"\.\.\.|…", masked(shown))
    return re.fullmatch(".*".join(map(re.escape, parts)), masked(said)) is not None


def check_lines(shown: str, said: str, *, whole: bool) -> None:
    """An assertion fails where a line of the page is missing or in another place.

    With ``whole`` nothing else may have been printed either.
    """
    wanted = [line for line in shown.splitlines() if line.strip()]
    left = [line for line in said.splitlines() if line.strip()]
    if whole:
        assert len(wanted) == len(left), f"the page shows\n{shown}\nand what came is\n{said}"
    for line in wanted:
        while left and not fits(line, left[0]) and not whole:
            left.pop(0)
        assert left, f"no line like {line!r} in\n{said}"
        assert fits(line, left.pop(0)), f"no line like {line!r} there:\n{said}"


def check_document(shown: str, said: str) -> None:
    """An assertion fails where JSON has other fields or other kinds of values than the page."""
    _compare(json.loads(shown), json.loads(said), "")


def _compare(shown: Any, said: Any, place: str) -> None:
    if isinstance(shown, dict):
        assert isinstance(said, dict), place
        assert set(shown) <= set(said), f"{place}: {sorted(set(shown) - set(said))} not in {said}"
        for name, value in shown.items():
            _compare(value, said[name], f"{place}/{name}")
    elif isinstance(shown, list):
        assert isinstance(said, list), place
        assert bool(shown) == bool(said), f"{place}: {said}"
        for value in said:
            _compare(shown[0], value, f"{place}/0")
    elif isinstance(shown, str):
        assert isinstance(said, str), place
        assert fits(shown, said) or "_" not in shown, f"{place}: {said}"
    else:
        assert type(shown) is type(said) or {type(shown), type(said)} <= {int, float}, place
