"""One measurement per row, and the Markdown table of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``ratio`` is ours / reference (lower is better), None where nothing is compared.

    Seconds are the median of repeats; ``extra_mb`` is memory on top of the inputs, in MB;
    ``target`` says in words what is asked for.
    """

    name: str
    ours_seconds: float
    reference_seconds: float | None = None
    ratio: float | None = None
    target: str = ""
    extra_mb: float | None = None
    note: str = ""


def compare(
    ours: Callable[[], object],
    reference: Callable[[], object],
    *,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """Median seconds of each after one warm-up, taken in turns so that noise hits both.

    ``clock`` is wall-clock time, or ``time.process_time`` for CPU seconds.
    """
    ours()
    reference()
    pairs = [(seconds(ours, clock=clock), seconds(reference, clock=clock)) for _ in range(repeats)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def seconds(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call by ``clock``."""
    start = clock()
    work()
    return clock() - start


def markdown(rows: Sequence[Row], *, machine: str) -> str:
    """The table under one line that says where it was measured."""
    lines = [
        f"Measured on {machine}.",
        "",
        "| what | ours, s | reference, s | ratio | target | extra MB | note |",
        "|---|---:|---:|---:|---|---:|---|",
    ]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: Row) -> str:
    cells = [
        row.name,
        _number(row.ours_seconds, 4),
        _number(row.reference_seconds, 4),
        _number(row.ratio, 2),
        row.target,
        _number(row.extra_mb, 0),
        row.note,
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
