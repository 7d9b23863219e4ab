"""What the stopping criteria say of a session, from the scores its models left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import POOL, PoolArrays
from core.ports import Blobs, Repositories
from core.records import SHARD_ROWS, IndexVersion, Labels, Model, Options, Task
from core.stopping import Opinion, Verdict, mean_uncertainty, stop_set, stopping_criteria
from core.thresholds import named


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A model with the newest index version that holds its probabilities."""

    model: Model
    version: IndexVersion


def scored(tx: Repositories, session_id: str) -> tuple[Scored, ...]:
    """The models that were ever in charge, by version; others scored no pool."""
    models = sorted(tx.models.all(session_id), key=lambda model: model.version)
    found = [(model, tx.indexes.with_model(session_id, model.id)) for model in models]
    return tuple(Scored(model=m, version=v) for m, v in found if v and _whole(v))


def _whole(version: IndexVersion) -> bool:
    return all(shard.probabilities is not None for shard in version.shards)


def stopping(steps: Sequence[Scored], *, task: Task, blobs: Blobs) -> Options:
    """Per criterion, with its default options: the value after each model, and whether to
    stop. ``rows`` is the size of the stop set."""
    rows = _common_rows(steps, blobs=blobs)
    everyone = [*task.class_ids, *(c for step in steps for c in step.model.classes)]
    numbering = tuple(dict.fromkeys(everyone))
    history = [_opinion(step, rows=rows, numbering=numbering, blobs=blobs) for step in steps]
    criteria = []
    for component in stopping_criteria():
        judge = component.make().judge
        verdicts = [judge(history[: n + 1]) for n in range(len(history))] if len(rows) else []
        last = verdicts[-1] if verdicts else None
        criteria.append(
            {
                "criterion": component.name,
                "options": component.defaults(),
                "stop": last is not None and last.stop,
                "why": last.why if last else "there is no model yet",
                "models": [_row(s, v) for s, v in zip(steps, verdicts, strict=False)],
            }
        )
    return {"rows": len(rows), "criteria": criteria}


def _row(step: Scored, verdict: Verdict) -> dict[str, Any]:
    return {
        "model_id": step.model.id,
        "version": step.model.version,
        "round": step.model.round,
        "value": verdict.value,
        "stop": verdict.stop,
    }


def _common_rows(steps: Sequence[Scored], *, blobs: Blobs) -> NDArray[np.int64]:
    """The stop set: pool rows that every model scored and that are still there."""
    if not steps:
        return np.empty(0, dtype=np.int64)
    versions = [step.version for step in steps]
    oldest = min(versions, key=lambda version: (version.rows, version.sequence))
    latest = max(versions, key=lambda version: version.sequence)
    present = PoolArrays(latest, blobs=blobs).splits()[: oldest.rows] == POOL
    known = PoolArrays(oldest, blobs=blobs).splits() == POOL
    return stop_set(np.flatnonzero(present & known))


def _opinion(step: Scored, *, rows: NDArray[np.int64], numbering: Labels, blobs: Blobs) -> Opinion:
    """What the model said of the rows, with classes numbered alike for all models."""
    model = step.model
    probabilities = _gathered(step.version, rows, columns=len(model.classes), blobs=blobs)
    places = np.array([numbering.index(c) for c in model.classes], dtype=np.int64)
    several = model.thresholds is not None
    predicted: NDArray[Any] = places[np.argmax(probabilities, axis=1)]
    if model.thresholds is not None:
        predicted = np.zeros((len(rows), len(numbering)), dtype=np.bool_)
        predicted[:, places] = named(
            probabilities, classes=model.classes, thresholds=model.thresholds
        )
    uncertainty = mean_uncertainty(probabilities, multi_label=several)
    return Opinion(predicted=predicted, uncertainty=uncertainty)


def _gathered(
    version: IndexVersion, rows: NDArray[np.int64], *, columns: int, blobs: Blobs
) -> NDArray[np.float32]:
    """(n, C) probabilities of the rows alone, read through the shards' memory maps."""
    gathered = np.empty((len(rows), columns), dtype=np.float32)
    shard_of = rows // SHARD_ROWS
    for shard in version.shards:
        chosen = shard_of == shard.number
        if shard.probabilities is not None and chosen.any():
            array = blobs.array(shard.probabilities)
            gathered[chosen] = array[rows[chosen] - shard.number * SHARD_ROWS]
    return gathered
