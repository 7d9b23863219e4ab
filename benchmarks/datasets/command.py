"""``tailwise benchmark datasets``: licence, source and class counts of each set, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.datasets.catalog import load_catalog
from benchmarks.datasets.describing import Description, describe, totals
from benchmarks.datasets.fetching import Fetcher
from benchmarks.datasets.opening import check_name, open_dataset
from benchmarks.datasets.own_file import Columns
from benchmarks.datasets.setting_aside import FEWEST_RESERVE

COUNTS = ("train", "test", "reserve", "pool")


def show_datasets(
    names: Sequence[str],
    *,
    console: Console,
    folder: Path | None = None,
    fetcher: Fetcher | None = None,
    columns: Columns | None = None,
) -> None:
    """Print every named set; without names, every known one. Raises what opening one raises."""
    for name in names:
        check_name(name)
    for name in names or list(load_catalog()):
        dataset = open_dataset(name, folder=folder, fetcher=fetcher, columns=columns)
        print_description(describe(dataset), console=console)


def print_description(found: Description, *, console: Console) -> None:
    """The facts of a set, one a line, then its table."""
    console.print(f"\n[bold]{escape(found.name)}[/bold]")
    for what, value in (
        ("licence", found.licence),
        ("source", found.source),
        ("rows", found.rule),
        ("sha256", found.sha256),
    ):
        console.print(f"[dim]{what}:[/dim] {escape(value)}", highlight=False, soft_wrap=True)
    console.print(table(found))
    if any(row.thin for row in found.classes):
        console.print(f"! fewer than {FEWEST_RESERVE} reserve rows: little to draw texts from")


def table(found: Description) -> Table:
    """Rows by class; the pool is what is left to select from, development rows included."""
    shown = Table(box=None, show_footer=True, pad_edge=False, header_style="dim")
    sums = totals(found.classes)
    shown.add_column("class", footer=f"all {len(found.classes)}", overflow="fold")
    for name, number in zip(COUNTS, sums, strict=True):
        shown.add_column(name, footer=f"{number:,}", justify="right")
    shown.add_column("", footer=f"max/min {found.ratio:.1f}")
    for row in found.classes:
        numbers = [f"{number:,}" for number in (row.train, row.test, row.reserve, row.pool)]
        shown.add_row(escape(row.name), *numbers, "!" if row.thin else "")
    return shown
