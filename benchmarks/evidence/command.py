"""``tailwise benchmark``: run an experiment file, sum it up, and make the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.evidence import study
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.experiment import load_experiment, with_seeds
from benchmarks.evidence.records import Experiment
from core.errors import TailwiseError

REFUSED, INTERRUPTED = 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What ``tailwise benchmark run`` was asked for."""

    experiments: Sequence[Path]
    folders: Folders
    results: Path
    workers: int
    seeds: int | None = None
    dask: str | None = None


def run(options: RunOptions, *, console: Console | None = None) -> int:
    """Run the experiments one after the other and write their summaries; the exit code is
    0, 2 for a refusal (one line says why), 130 for Ctrl-C (finished cells are kept)."""
    console = console or Console(highlight=False, soft_wrap=True)
    try:
        loaded = [load_experiment(path) for path in options.experiments]
        if options.seeds is not None:
            loaded = [with_seeds(experiment, options.seeds) for experiment in loaded]
        for experiment in loaded:
            _run_one(experiment, options, console)
    except TailwiseError as refusal:
        console.print(f"error: {refusal.detail}", markup=False)
        return REFUSED
    except KeyboardInterrupt:
        console.print("stopped; finished cells are kept, run the same command to go on")
        return INTERRUPTED
    return 0


def _run_one(experiment: Experiment, options: RunOptions, console: Console) -> None:
    console.print(
        f"{experiment.name}: {len(experiment.datasets)} data sets x {len(experiment.arms)} arms x "
        f"{len(experiment.seeds)} seeds, scored on {experiment.evaluate} rows",
        markup=False,
    )
    with _bars(console) as progress:
        prepared = study.prepare(experiment, options.folders, progress=progress)
        pool = (
            study.dask_pool(options.dask) if options.dask else study.process_pool(options.workers)
        )
        study.run(prepared, pool=pool, progress=progress)
    path = options.results / f"{experiment.name}.json"
    study.write_summary(study.summary_of(prepared), path)
    console.print(f"summary: {path}", markup=False)


@contextmanager
def _bars(console: Console) -> Iterator[study.Progress]:
    """One bar per thing that goes on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as board:
        bars: dict[str, object] = {}

        def tell(words: str, done: int, total: int) -> None:
            if words not in bars:
                bars[words] = board.add_task(words, total=total)
            board.update(bars[words], completed=done, total=total)  # type: ignore[arg-type]

        yield tell
