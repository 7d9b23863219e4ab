"""What the command line asks for, filled up from the settings and this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.datasets.command import show_datasets
from benchmarks.datasets.fetching import Fetcher
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.command import RunOptions, run
from benchmarks.evidence.paying import Provider
from runtime.settings import Settings

CHECKOUT = Path("benchmarks")
"""Seen from the root of a checkout: its experiments, and where their summaries belong."""


def run_as_asked(
    settings: Settings,
    *,
    experiments: Sequence[Path],
    workers: int | None,
    seeds: int | None,
    results: Path | None,
    dask: str | None,
    estimate: bool = False,
) -> int:
    """``run`` with defaults: every core, and the results folder of where we are."""
    options = RunOptions(
        experiments=experiments,
        folders=folders(settings),
        results=results or results_folder(),
        workers=workers or os.cpu_count() or 1,
        seeds=seeds,
        dask=dask,
        provider=Provider(
            key=settings.anthropic_api_key or None, url=settings.anthropic_base_url or None
        ),
        estimate=estimate,
    )
    return run(options)


def show_as_asked(settings: Settings, *, names: Sequence[str]) -> None:
    """``show_datasets`` from where runs have them too."""
    found = folders(settings)
    fetcher = Fetcher(cache=found.cache / "datasets")
    console = Console(highlight=False)
    show_datasets(names, console=console, folder=found.datasets, fetcher=fetcher)


def folders(settings: Settings) -> Folders:
    """No folder of data sets means that they are fetched."""
    return Folders(
        datasets=Path(settings.datasets) if settings.datasets else None,
        cache=settings.benchmark_cache,
        encoder=settings.encoder_dir,
    )


def results_folder() -> Path:
    """``benchmarks/results`` at the root of a checkout, else ``tailwise-results``; relative."""
    inside = (CHECKOUT / "experiments").is_dir()
    return CHECKOUT / "results" if inside else Path("tailwise-results")
