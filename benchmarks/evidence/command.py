"""``tailwise benchmark run``: experiment files to stored cells and summaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.datasets.describing import describe, totals
from benchmarks.evidence import study
from benchmarks.evidence.cells import Folders, check_arms
from benchmarks.evidence.checking import check_pools
from benchmarks.evidence.estimating import estimate_lines
from benchmarks.evidence.experiment import load_experiment, with_seeds
from benchmarks.evidence.own_files import with_own_files
from benchmarks.evidence.paying import NOBODY, Provider, check_provider
from benchmarks.evidence.pools import dask_pool, process_pool
from benchmarks.evidence.records import Experiment
from benchmarks.evidence.transfer import check_heads
from benchmarks.interruption import stopping_on_terminate
from core.errors import TailwiseError

REFUSED, FAILED, INTERRUPTED = 2, 1, 130
KEPT = "finished cells are kept, run the same command to go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What ``tailwise benchmark run`` was asked for; ``estimate`` prints what paid arms may
    cost, and runs nothing."""

    experiments: Sequence[Path]
    folders: Folders
    results: Path
    workers: int
    seeds: int | None = None
    dask: str | None = None
    provider: Provider = NOBODY
    estimate: bool = False


def run(options: RunOptions, *, console: Console | None = None) -> int:
    """Run the experiments one after the other and write their summaries.

    The exit code is 0, 2 for a refusal (one line says why), 1 where a worker died,
    130 for Ctrl-C or a SIGTERM.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    try:
        with stopping_on_terminate():
            _run_all(options, console)
    except TailwiseError as refusal:
        console.print(f"error: {refusal.detail}", markup=False)
        return REFUSED
    except BrokenExecutor:
        console.print(f"error: a worker died, for want of memory perhaps (--jobs); {KEPT}")
        return FAILED
    except KeyboardInterrupt:
        console.print(f"stopped; {KEPT}")
        return INTERRUPTED
    return 0


def _run_all(options: RunOptions, console: Console) -> None:
    """All files are read and checked before the first one runs."""
    ready = []
    for path in options.experiments:
        loaded = load_experiment(path)
        if options.seeds is not None:
            loaded = with_seeds(loaded, options.seeds)
        ready.append(with_own_files(loaded, options.folders, beside=path.parent))
    for experiment, folders in ready:
        check_arms(experiment)
        if not options.estimate:
            check_heads(experiment.transfer, encoder=folders.encoder)
            check_provider(experiment, options.provider, elsewhere=options.dask is not None)
    for experiment, folders in ready:
        if options.estimate:
            _estimate(experiment, folders, console)
        else:
            _run_one(experiment, folders, options, console)


def _estimate(experiment: Experiment, folders: Folders, console: Console) -> None:
    datasets = {name: folders.open(name) for name in experiment.datasets}
    check_pools(experiment, datasets)
    for line in estimate_lines(experiment, datasets):
        console.print(line, markup=False)


def _run_one(
    experiment: Experiment, folders: Folders, options: RunOptions, console: Console
) -> None:
    console.print(
        f"{experiment.name}: {len(experiment.datasets)} data sets x {len(experiment.arms)} arms x "
        f"{len(experiment.seeds)} seeds, scored on {experiment.evaluate} rows",
        markup=False,
    )
    pool = dask_pool(options.dask) if options.dask else process_pool(options.workers)
    with pool as executor, _bars(console) as progress:
        prepared = study.prepare(experiment, folders, progress=progress, provider=options.provider)
        _introduce(prepared, console)
        study.run(prepared, pool=nullcontext(executor), progress=progress)
    path = options.results / f"{experiment.name}.json"
    study.write_summary(study.summary_of(prepared), path)
    console.print(f"summary: {path}", markup=False)


def _introduce(prepared: study.Prepared, console: Console) -> None:
    """Licence and rows of every set; classes with little to draw texts from are named."""
    for dataset in prepared.datasets.values():
        found = describe(dataset, reserve_share=prepared.experiment.reserve_share)
        train, test, reserve, pool = totals(found.classes)
        thin = ", ".join(row.name for row in found.classes if row.thin)
        console.print(
            f"  {found.name}: {found.licence}; {len(found.classes)} classes, {train:,} train rows "
            f"({reserve:,} reserve, {pool:,} left), {test:,} test rows"
            + (f"; thin reserve: {thin}" if thin else ""),
            markup=False,
        )


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
