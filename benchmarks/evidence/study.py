"""Run an experiment: check it, encode, spread the cells over cores, and sum up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.setting_aside import FEWEST_RESERVE
from benchmarks.evidence.cells import Cells, Folders, check_arms, run_cells, vectors_of
from benchmarks.evidence.checking import check_pools
from benchmarks.evidence.encoding import SECOND, SECOND_ENCODER
from benchmarks.evidence.estimating import check_spending
from benchmarks.evidence.paying import NOBODY, Provider, check_provider
from benchmarks.evidence.records import Dataset, Experiment, Run
from benchmarks.evidence.stage import counts_of, divide
from benchmarks.evidence.storage import run_key
from benchmarks.evidence.transfer import check_heads
from benchmarks.statistics import summarise, to_json

Progress = Callable[[str, int, int], None]
"""Hears of (what is going on, done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An experiment that may start: data sets loaded, their vectors at hand, names checked."""

    experiment: Experiment
    folders: Folders
    datasets: Mapping[str, Dataset]
    provider: Provider = NOBODY

    def keys(self) -> list[str]:
        """Every cell's key, data set by data set, seed by seed, arm by arm."""
        return [
            run_key(self.datasets[cells.dataset], arm, seed=cells.seed, experiment=self.experiment)
            for cells in tasks(self.experiment)
            for arm in cells.arms
        ]


def prepare(
    experiment: Experiment, folders: Folders, *, progress: Progress, provider: Provider = NOBODY
) -> Prepared:
    """Check all that can be checked before any cell runs, and encode what is missing.

    Raises InvalidInput for unknown names, data sets that cannot feed the budget, a limit of
    dollars that is too low, and options out of range; Unavailable for a missing encoder or a
    damaged cache; Conflict where ``provider`` has no key for a paid arm; NotInstalled.
    """
    check_arms(experiment)
    check_heads(experiment.transfer, encoder=folders.encoder)
    check_provider(experiment, provider)
    datasets = {name: folders.open(name) for name in experiment.datasets}
    check_pools(experiment, datasets)
    check_spending(experiment, datasets)
    encoders = {repr(arm.encoder): arm.encoder for arm in experiment.arms}
    if SECOND_ENCODER in experiment.transfer:
        encoders[repr(SECOND)] = SECOND
    for name, dataset in datasets.items():
        for choice in encoders.values():
            vectors_of(
                dataset,
                choice,
                folders=folders,
                progress=lambda done, total, name=name: progress(f"encoding {name}", done, total),
            )
    return Prepared(experiment=experiment, folders=folders, datasets=datasets, provider=provider)


def tasks(experiment: Experiment) -> list[Cells]:
    """One task per data set and seed; seeds outermost, so that a stopped run is balanced."""
    return [
        Cells(dataset=name, seed=seed, arms=experiment.arms)
        for seed in experiment.seeds
        for name in experiment.datasets
    ]


def run(prepared: Prepared, *, pool: AbstractContextManager[Executor], progress: Progress) -> None:
    """Run every cell that is not stored yet; a killed run loses the cells in progress only."""
    experiment, folders = prepared.experiment, prepared.folders
    waiting = list(_unfinished(prepared))
    total = sum(len(cells.arms) for cells in tasks(experiment))
    done = total - sum(len(cells.arms) for cells in waiting)
    progress("running cells", done, total)
    with pool as executor:
        futures: dict[Future[list[str]], Cells] = {
            executor.submit(run_cells, cells, experiment, folders, prepared.provider): cells
            for cells in waiting
        }
        try:
            for future in as_completed(futures):
                done += len(future.result())
                progress("running cells", done, total)
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def _unfinished(prepared: Prepared) -> Iterator[Cells]:
    """Tasks with what they still lack; raises Unavailable ``corrupt-cache`` for a damaged cell,
    because it would otherwise be noticed when all others are done."""
    runs = prepared.folders.runs
    for cells in tasks(prepared.experiment):
        dataset = prepared.datasets[cells.dataset]
        missing = []
        for arm in cells.arms:
            key = run_key(dataset, arm, seed=cells.seed, experiment=prepared.experiment)
            if not runs.has(key):
                missing.append(arm)
            else:
                runs.load(key)
        if missing:
            yield Cells(dataset=cells.dataset, seed=cells.seed, arms=tuple(missing))


def stored_runs(prepared: Prepared) -> list[Run]:
    """Every cell's result under the name its arm has in this experiment."""
    runs = []
    for cells in tasks(prepared.experiment):
        dataset = prepared.datasets[cells.dataset]
        for arm in cells.arms:
            key = run_key(dataset, arm, seed=cells.seed, experiment=prepared.experiment)
            stored = prepared.folders.runs.load(key)
            runs.append(
                Run(
                    key=stored.key,
                    dataset=cells.dataset,
                    arm=arm.name,
                    seed=stored.seed,
                    rounds=stored.rounds,
                    predictions=stored.predictions,
                    facts=stored.facts,
                )
            )
    return runs


def summary_of(prepared: Prepared) -> dict[str, Any]:
    """The study's summary from its stored cells."""
    experiment = prepared.experiment
    divisions = {
        name: divide(
            dataset,
            np.zeros((len(dataset.texts), 1), dtype=np.float32),
            draw=experiment.draw(experiment.seeds[0]),
        )
        for name, dataset in prepared.datasets.items()
    }
    truths = {}
    if experiment.evaluate == "test":
        truths = {name: d.targets[d.test].astype(np.uint8) for name, d in divisions.items()}
    described = {
        name: {
            "licence": division.dataset.licence,
            "source": division.dataset.source,
            "rule": division.dataset.rule,
            "classes": (counts := counts_of(division)),
            "flags": [
                f"{label} has fewer than {FEWEST_RESERVE} reserve rows"
                for label, parts in counts.items()
                if parts["reserve"] < FEWEST_RESERVE
            ],
        }
        for name, division in divisions.items()
    }
    return summarise(experiment, stored_runs(prepared), truths=truths, datasets=described)


def write_summary(summary: Mapping[str, Any], path: Path) -> None:
    """Sorted keys, one line per entry: small differences show as small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(summary), "utf-8")
