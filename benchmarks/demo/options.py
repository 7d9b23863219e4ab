"""What a demo run is asked to do, and how it refuses."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

LABELS_SHARE = 0.6
"""Most of a pool that a run labels: near its end every strategy has bought the same."""
SMALLEST_BATCH, LARGEST_BATCH = 10, 50
ROUNDS = 6


class DemoRefused(Exception):
    """The run cannot start or go on; the message is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """``data`` None = the bundled corpus; None elsewhere = chosen from the data.

    ``data_dir`` is where the server keeps its files: a temporary folder, unless given.
    """

    data: Path | None = None
    text_column: str = "text"
    label_column: str = "label"
    split_column: str | None = None
    id_column: str | None = None
    rounds: int | None = None
    batch_size: int | None = None
    keep: bool = False
    report: Path = Path("tailwise-report")
    seed: int = 0
    data_dir: Path | None = None
    generator: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many rounds of how many labels."""

    rounds: int
    batch_size: int


def plan_rounds(options: DemoOptions, *, pool: int, bundled: bool) -> Plan:
    """Rounds and labels per round: as asked, else what suits the pool.

    A chosen plan labels at most 60 % of the pool. Raises DemoRefused for a pool that is
    too small for any round.
    """
    least = 2
    if pool < least:
        raise DemoRefused(
            f"only {pool} rows are left for the pool; the demo needs at least {least}"
        )
    suits = 20 if bundled else pool // 32
    batch = options.batch_size or max(SMALLEST_BATCH, min(LARGEST_BATCH, suits))
    rounds = options.rounds or (8 if bundled else ROUNDS)
    if options.batch_size is None:
        batch = max(1, min(batch, int(LABELS_SHARE * pool / rounds)))
    elif options.rounds is None:
        rounds = max(1, min(rounds, int(LABELS_SHARE * pool / batch)))
    return Plan(rounds=rounds, batch_size=batch)


def command(options: DemoOptions, plan: Plan) -> str:
    """The exact command that repeats this run."""
    parts = ["tailwise", "demo"]
    if options.data is not None:
        parts += ["--data", str(options.data)]
        parts += ["--text-column", options.text_column, "--label-column", options.label_column]
    for flag, value in (
        ("--split-column", options.split_column),
        ("--id-column", options.id_column),
        ("--rounds", plan.rounds),
        ("--batch-size", plan.batch_size),
        ("--generator", options.generator),
        ("--seed", options.seed),
    ):
        if value is not None:
            parts += [flag, str(value)]
    return shlex.join(parts)
