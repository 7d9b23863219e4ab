"""What a demo run shows while it works: one row per round, one bar below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.demo.client import Document
from benchmarks.demo.loop import Round

MOST_COUNTS = 12
COLUMNS = (
    ("round", 6),
    ("labels", 7),
    ("labels per class", 25),
    ("std", 7),
    ("evenness", 9),
    ("macro-F1", 9),
    ("kept", 8),
    ("cost", 9),
)
"""Heading and width. evenness = normalised entropy; kept = variations that will train."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The bar of one arm and the rows above it."""

    progress: Progress
    task: TaskID
    total: int

    def follow(self, words: str, operation: Document | None) -> None:
        """Say what is going on; an indexing operation shows how far it is."""
        note = (operation or {}).get("progress") or {}
        done, total = note.get("done", 0), note.get("total", 0)
        far = f" ({note.get('phase')} {done:,} of {total:,})" if total else ""
        self.progress.update(self.task, description=escape(words + far))

    def show(self, row: Round) -> None:
        """Print the round and move the bar."""
        self.progress.console.print(_row(_cells(row)))
        self.progress.update(self.task, advance=1)


@contextmanager
def board(console: Console, *, title: str, classes: Sequence[str], rounds: int) -> Iterator[Board]:
    """The headings of an arm, then its rows as they come."""
    console.print(f"\n[bold]{escape(title)}[/bold]")
    if len(classes) <= MOST_COUNTS:
        console.print(f"[dim]labels per class: {escape(', '.join(classes))}[/dim]")
    console.print(_row([name for name, _ in COLUMNS], style="dim"))
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f} of {task.total:.0f} rounds"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with progress:
        task = progress.add_task("starting", total=rounds)
        yield Board(progress=progress, task=task, total=rounds)


def _cells(row: Round) -> list[str]:
    numbers = list(row.counts.values())
    counts = " ".join(str(n) for n in numbers)
    if len(numbers) > MOST_COUNTS:
        counts = f"least {min(numbers)}, most {max(numbers)}"
    return [
        str(row.number),
        str(row.labels),
        counts,
        f"{row.std:.1f}",
        f"{row.normalised_entropy:.2f}",
        "-" if row.macro_f1 is None else f"{row.macro_f1:.3f}",
        f"{row.kept}/{row.written}",
        f"${row.dollars:.4f}",
    ]


def _row(cells: Sequence[str], *, style: str | None = None) -> Table:
    """One line of the table, in columns that stay where they are."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), style=style or "")
    for name, width in COLUMNS:
        justify = "left" if name == "labels per class" else "right"
        table.add_column(justify=justify, width=width, no_wrap=True)  # type: ignore[arg-type]
    table.add_row(*cells)
    return table
