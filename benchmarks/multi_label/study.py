"""All arms and seeds of the study, and the document that is kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.multi_label.construction import (
    POOL_SHARE,
    RULE,
    combine,
    combine_reserve,
    drawn,
    label_counts,
)
from benchmarks.multi_label.rounds import START, Arm, Plan, Sides, run_cell
from benchmarks.multi_label.sources import Source
from core.errors import InvalidInput
from core.records import Choice, SessionSettings
from runtime.tailwise import Tailwise

DEFAULT = SessionSettings().strategy
STRATEGIES = (Choice(name="random"), Choice(name="margin"), DEFAULT)
WRITER = Choice(name="simulated", options={"noise": 0.1})
"""A tenth of the written texts is of another class, and the reviewer lets them pass."""
BATCH, ROUNDS = 20, 6

Told = Callable[[int, int], None]
"""Hears of (cells done, cells in all)."""


def arms() -> list[Arm]:
    """Every strategy without generation, then every strategy with it."""
    silent = [Arm(name=s.name, strategy=s) for s in STRATEGIES]
    writing = [Arm(name=f"{s.name}, written", strategy=s, generator=WRITER) for s in STRATEGIES]
    return silent + writing


def check_size(source: Source, *, plan: Plan) -> None:
    """Raise InvalidInput ``too-few-rows`` where a seed's pool is smaller than the labels it
    should give."""
    pool, wanted = len(drawn(combine(source.pool, none=source.none), seed=0)), plan.labels
    if pool < wanted:
        detail = f"{pool} messages cannot give the {wanted} labels of {plan.rounds} rounds"
        raise InvalidInput.at("/data", detail, code="too-few-rows", rows=pool)


def run_study(
    source: Source, *, seeds: int, plan: Plan, service: Tailwise, told: Told
) -> dict[str, Any]:
    """The document of the study; the same source, seeds and plan give the same one."""
    pool = combine(source.pool, none=source.none)
    reserve = combine_reserve(source.reserve, none=source.none)
    test = combine(source.test, none=source.none)
    cells = []
    every = [(seed, arm) for seed in range(seeds) for arm in arms()]
    for number, (seed, arm) in enumerate(every):
        told(number, len(every))
        sides = Sides(pool=drawn(pool, seed=seed), reserve=reserve, test=test)
        with threadpool_limits(1):
            rounds = run_cell(arm, sides, seed=seed, plan=plan, service=service)
        cells.append({"arm": arm.name, "seed": seed, "rounds": rounds})
    counted = {"pool": pool, "reserve": reserve, "test": test}
    counts = {side: label_counts(of, source.classes) for side, of in counted.items()}
    return {**_heading(source, plan=plan, seeds=seeds), "rows": counts, "cells": cells}


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """JSON with a line for every cell, so that the file is short and differences are seen."""
    head = {name: value for name, value in document.items() if name != "cells"}
    lines = ",\n".join(_line(cell) for cell in document["cells"])
    opened = json.dumps(head, sort_keys=True, indent=1, ensure_ascii=False).removesuffix("\n}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{opened},\n "cells": [\n{lines}\n ]\n}}\n', "utf-8")


def by_arm(document: Mapping[str, Any], measure: str) -> dict[str, list[list[Any]]]:
    """A measure by arm: its values of every seed, round by round, in the order of the arms."""
    found: dict[str, list[list[float]]] = {}
    for cell in document["cells"]:
        found.setdefault(cell["arm"], []).append([row[measure] for row in cell["rounds"]])
    return found


def _heading(source: Source, *, plan: Plan, seeds: int) -> dict[str, Any]:
    """What was asked, of what."""
    return {
        "study": "multi_label",
        "data": {
            "name": source.name,
            "licence": source.licence,
            "sha256": source.sha256,
            "none": source.none,
            "classes": list(source.classes),
        },
        "construction": {"rule": RULE, "pool_share": POOL_SHARE},
        "seeds": seeds,
        "start": START.name,
        "batch": plan.batch,
        "rounds": plan.rounds,
        "encoder": plan.encoder.name,
        "generator": asdict(WRITER),
        "default": DEFAULT.name,
    }


def _line(cell: Mapping[str, Any]) -> str:
    return "  " + json.dumps(cell, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
