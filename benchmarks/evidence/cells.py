"""One cell from its names: components made, the loop run, the result stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adapters.generators.templates import builtin_templates
from adapters.learners import learners
from benchmarks.datasets.fetching import Fetcher
from benchmarks.datasets.opening import open_dataset
from benchmarks.evidence.encoding import (
    SECOND,
    SECOND_ENCODER,
    KnownVectors,
    LazyEncoder,
    make_encoder,
)
from benchmarks.evidence.facts import facts_of
from benchmarks.evidence.fine_tuning import TRANSFORMER, fine_tuner
from benchmarks.evidence.loop import Finished, Loop, Tools
from benchmarks.evidence.paying import NOBODY, PLACEHOLDER, Account, CellPurse, Provider
from benchmarks.evidence.records import PAID, Arm, Dataset, Draw, Experiment, Run
from benchmarks.evidence.references import EVEN, WHOLE
from benchmarks.evidence.stage import Division, Stage, divide, set_stage
from benchmarks.evidence.storage import Runs, dataset_vectors, run_key
from benchmarks.evidence.transfer import Aids
from benchmarks.evidence.writing import COPY, make_generator, writer
from benchmarks.peers import register_peers
from core.clustering import clusterers
from core.errors import InvalidInput, InvalidOption
from core.pool import QueryStrategy
from core.ports import Learner
from core.records import Choice
from core.registry import Registry
from core.strategies import strategies


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where data sets lie, and where vectors and finished cells are kept."""

    datasets: Path | None
    cache: Path
    encoder: Path

    def open(self, name: str) -> Dataset:
        """A data set from the folder; without one, from upstream through the cache."""
        return open_dataset(
            name, folder=self.datasets, fetcher=Fetcher(cache=self.cache / "datasets")
        )

    @property
    def runs(self) -> Runs:
        return Runs(self.cache / "runs")

    @property
    def vectors(self) -> Path:
        return self.cache / "vectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """All cells of one data set and seed: one task, so that the stage is set once."""

    dataset: str
    seed: int
    arms: tuple[Arm, ...]


def run_cells(
    cells: Cells, experiment: Experiment, folders: Folders, provider: Provider = NOBODY
) -> list[str]:
    """Run what is not stored yet and store it; returns the keys in the arms' order.

    This is what a process pool or a Dask worker runs: arguments and answer are plain records.
    """
    dataset = _dataset(cells.dataset, folders)
    keys = []
    for arm in cells.arms:
        key = run_key(dataset, arm, seed=cells.seed, experiment=experiment)
        keys.append(key)
        if not folders.runs.has(key):
            done = _run(
                arm, key, cells=cells, experiment=experiment, folders=folders, provider=provider
            )
            folders.runs.save(done)
    return keys


def _run(
    arm: Arm,
    key: str,
    *,
    cells: Cells,
    experiment: Experiment,
    folders: Folders,
    provider: Provider,
) -> Run:
    purse = CellPurse(dollars=experiment.cell_dollars or 0.0)
    account = Account(provider=provider, purse=purse) if arm.paid else None
    encoder = json.dumps(asdict(arm.encoder), sort_keys=True)
    stage = _stage(cells.dataset, cells.seed, encoder, experiment.draw(cells.seed), folders)
    with threadpool_limits(1):
        finished = run_arm(
            arm, stage=stage, experiment=experiment, encoder=folders.encoder, account=account
        )
        facts = facts_of(
            finished,
            stage=stage,
            learner=head_learner(arm.learner),
            heads=experiment.transfer,
            aids=_aids(cells.dataset, experiment.transfer, folders),
        )
    if account is not None:
        facts = {**facts, "dollars": purse.dollars}
    return Run(
        key=key,
        dataset=cells.dataset,
        arm=arm.name,
        seed=cells.seed,
        rounds=finished.rounds,
        predictions=finished.predictions,
        facts=facts,
    )


def run_arm(
    arm: Arm,
    *,
    stage: Stage,
    experiment: Experiment,
    encoder: Path,
    account: Account | None = None,
) -> Finished:
    """The cell itself, on a stage that is set."""
    tools = make_tools(arm, stage=stage, encoder=encoder, account=account)
    loop = Loop(stage, arm, experiment, tools=tools)
    return loop.run_whole() if arm.strategy.name == WHOLE else loop.run()


def make_tools(arm: Arm, *, stage: Stage, encoder: Path, account: Account | None = None) -> Tools:
    """The arm's components; unknown names and bad options raise InvalidInput."""
    return Tools(
        strategy=None if arm.strategy.name in {EVEN, WHOLE} else _strategies().make(arm.strategy),
        clusterer=clusterers().make(arm.clusterer),
        learner=head_learner(arm.learner),
        writer=writer(
            stage,
            arm,
            templates=builtin_templates(),
            encoder=LazyEncoder(encoder, arm.encoder),
            account=account,
        ),
    )


def head_learner(choice: Choice) -> Learner:
    """A learner of heads on vectors; a loop of one that reads texts would take days.

    Raises InvalidInput ``unknown-learner``; fine-tuning is measured by the transfer study.
    """
    if choice.name == "transformer":
        detail = "benchmark arms train heads on vectors; fine-tuning belongs to the transfer study"
        raise InvalidInput.at("/learner", detail, code="unknown-learner")
    made = learners().make(choice)
    return cast("Learner", made)


def check_arms(experiment: Experiment) -> None:
    """Make every arm's components without data, so that a misspelt name stops nothing midway.

    Raises InvalidInput that names the arm and what is allowed.
    """
    for arm in experiment.arms:
        try:
            _check_arm(arm)
        except InvalidInput as refusal:
            at = "".join(f" {error.pointer}:" for error in refusal.errors[:1])
            detail = f"arm {arm.name!r}:{at} {refusal.detail}"
            raise InvalidInput(detail, code=refusal.code, errors=refusal.errors) from None


def _check_arm(arm: Arm) -> None:
    if arm.strategy.name in {EVEN, WHOLE}:
        _no_options(arm.strategy, at="/strategy")
    else:
        _strategies().make(arm.strategy)
    clusterers().make(arm.clusterer)
    head_learner(arm.learner)
    if arm.template not in builtin_templates():
        known = ", ".join(builtin_templates())
        raise InvalidInput.at(
            "/template",
            f"there is no template {arm.template}; known: {known}",
            code="unknown-template",
        )
    if arm.generator is not None:
        _check_generator(arm.generator)


def _check_generator(choice: Choice) -> None:
    if choice.name not in {COPY, "simulated", "perturb", *PAID}:
        raise InvalidInput.at(
            "/generator",
            "benchmarks write with simulated, perturb, anthropic, copy or none",
            code="unknown-generator",
        )
    if choice.name == COPY:
        _no_options(choice, at="/generator")
    else:
        make_generator(choice, reserve=_NoReserve(), classes=(), provider=PLACEHOLDER)


def _no_options(choice: Choice, *, at: str) -> None:
    for option in choice.options:
        detail = f"{choice.name} has no options"
        raise InvalidOption.at(f"{at}/options/{option}", detail, code="unknown-option")


class _NoReserve:
    """A reserve without rows, to try a generator's options on."""

    def nearest(self, vector: Any, *, class_id: str, limit: int) -> list[tuple[str, str]]:
        del vector, class_id, limit
        return []


def _strategies() -> Registry[QueryStrategy]:
    """The service's strategies, plug-ins, and other libraries' as peers."""
    registry = strategies()
    registry.load_plugins()
    register_peers(registry)
    return registry


# --- what a process keeps between cells ------------------------------------------------


@lru_cache(maxsize=8)
def _dataset(name: str, folders: Folders) -> Dataset:
    return folders.open(name)


@lru_cache(maxsize=8)
def _division(name: str, encoder: str, draw: Draw, folders: Folders) -> Division:
    """``encoder`` is a choice as JSON, because choices do not hash."""
    dataset = _dataset(name, folders)
    choice = Choice(**json.loads(encoder))
    return divide(dataset, vectors_of(dataset, choice, folders=folders), draw=draw)


@lru_cache(maxsize=8)
def _aids(name: str, heads: tuple[str, ...], folders: Folders) -> Aids:
    """Only what ``heads`` ask for."""
    encode = None
    if SECOND_ENCODER in heads:
        dataset = _dataset(name, folders)
        vectors = vectors_of(dataset, SECOND, folders=folders)
        lazy = LazyEncoder(folders.encoder, SECOND)
        encode = KnownVectors(dataset.texts, vectors, encoder=lazy).encode
    tuner = fine_tuner(folders.encoder) if TRANSFORMER in heads else None
    return Aids(encode=encode, tuner=tuner)


@lru_cache(maxsize=2)
def _stage(name: str, seed: int, encoder: str, draw: Draw, folders: Folders) -> Stage:
    return set_stage(_division(name, encoder, draw, folders), draw=draw, seed=seed)


def vectors_of(
    dataset: Dataset,
    choice: Choice,
    *,
    folders: Folders,
    progress: Any = lambda done, total: None,  # noqa: ARG005 -- nobody listens
) -> NDArray[Any]:
    """The data set's vectors, from the cache or encoded now."""
    return dataset_vectors(
        dataset,
        encoder=lambda: make_encoder(choice, directory=folders.encoder),
        encoder_name=repr((choice.name, sorted(choice.options.items()))),
        folder=folders.vectors,
        progress=progress,
    )
