"""``tailwise benchmark multi-label``: the study from the command line to its file and table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.evidence.asking import folders, results_folder
from benchmarks.evidence.command import INTERRUPTED, REFUSED
from benchmarks.interruption import stopping_on_terminate
from benchmarks.multi_label.inline import inline_service
from benchmarks.multi_label.rounds import Plan
from benchmarks.multi_label.sources import Source, open_source
from benchmarks.multi_label.study import BATCH, ROUNDS, Told, check_size, run_study, write_document
from benchmarks.multi_label.table import print_table
from core.errors import TailwiseError
from core.records import Choice
from runtime.settings import Settings

ENCODER = Choice(name="minilm")


def run_multi_label(
    settings: Settings,
    *,
    data: str | None,
    none: str | None,
    seeds: int,
    results: Path | None,
    encoder: Choice = ENCODER,
    batch: int = BATCH,
    rounds: int = ROUNDS,
    console: Console | None = None,
) -> int:
    """Run the study, write ``multi_label.json`` and print the table.

    The exit code is 0, 2 for a refusal (one line says why), 130 for Ctrl-C or a SIGTERM;
    a study that was stopped leaves nothing behind.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    path = (results or results_folder()) / "multi_label.json"
    try:
        with stopping_on_terminate():
            source = open_source(data, none=none, folders=folders(settings))
            plan = Plan(classes=source.classes, encoder=encoder, batch=batch, rounds=rounds)
            _run(source, seeds=seeds, plan=plan, path=path, settings=settings, to=console)
    except TailwiseError as refusal:
        console.print(f"error: {refusal.detail}", markup=False)
        return REFUSED
    except KeyboardInterrupt:
        console.print("stopped; nothing was written")
        return INTERRUPTED
    return 0


def _run(
    source: Source, *, seeds: int, plan: Plan, path: Path, settings: Settings, to: Console
) -> None:
    check_size(source, plan=plan)
    with inline_service(settings) as service, _bar(to) as told:
        # An encoder that is not installed is said at once, and not by a failed operation.
        service.encoder_for(plan.encoder)
        document = run_study(source, seeds=seeds, plan=plan, service=service, told=told)
    write_document(document, path)
    print_table(document, console=to)
    to.print(f"results: {path}", markup=False)


@contextmanager
def _bar(console: Console) -> Iterator[Told]:
    columns = (TextColumn("rounds of"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as board:
        task = board.add_task("cells")
        yield lambda done, total: board.update(task, completed=done, total=total)
