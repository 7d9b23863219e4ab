"""Finished cells and vectors on disk, by the hash of what made them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.records import Arm, Dataset, Experiment, Run
from core.errors import Unavailable
from core.ports import Encoder

RESULTS_VERSION = 4
"""Raise it when a change of the code changes results, so that stored cells are not reused."""
LIBRARIES = ("numpy", "scikit-learn", "scipy")
TUNING = ("torch", "transformers")
"""Libraries that decide the result of cells with the transformer head, and of no others."""


def run_key(dataset: Dataset, arm: Arm, *, seed: int, experiment: Experiment) -> str:
    """Sha256 over all that decides a cell's result; the arm's name and the rest of the
    experiment do not, so experiments share cells."""
    settings = asdict(arm)
    del settings["name"], settings["reference"]
    facts: dict[str, Any] = {
        "version": RESULTS_VERSION,
        "libraries": _versions(LIBRARIES + TUNING * ("transformer" in experiment.transfer)),
        "dataset": [
            dataset.name,
            dataset.sha256,
            dataset.classes,
            dataset.rule,
            dataset.longtail_ratio,
        ],
        "arm": settings,
        "seed": seed,
        "budget": [experiment.start, experiment.batch, experiment.rounds],
        "shares": [experiment.pool_share, experiment.reserve_share],
        "evaluate": experiment.evaluate,
        "transfer": experiment.transfer,
    }
    if experiment.evaluate == "development" and dataset.balanced_test:
        facts["scored"] = "every class equally"
    return hashlib.sha256(_canonical(facts)).hexdigest()


@cache
def _versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Looked up once: a study asks for thousands of keys."""
    return {name: version(name) for name in libraries}


class Runs:
    """A folder of finished cells, one file each; the same cell gives the same bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def has(self, key: str) -> bool:
        return self.path(key).exists()

    def save(self, run: Run) -> None:
        """Written whole or not at all."""
        packed = base64.b85encode(zlib.compress(run.predictions.tobytes(), 9)).decode()
        body = {
            "key": run.key,
            "dataset": run.dataset,
            "arm": run.arm,
            "seed": run.seed,
            "rounds": list(run.rounds),
            "facts": dict(run.facts),
            "predictions": packed,
        }
        checked = {"sha256": hashlib.sha256(_canonical(body)).hexdigest(), "run": body}
        _write(self.path(run.key), _canonical(checked))

    def load(self, key: str) -> Run:
        """Raises Unavailable ``corrupt-cache`` that names the file to delete."""
        path = self.path(key)
        try:
            document = json.loads(path.read_bytes())
            body = document["run"]
            _match(document["sha256"], body)
            if body["key"] != key:
                raise corrupt(path)
            packed = zlib.decompress(base64.b85decode(body["predictions"]))
            return Run(
                key=body["key"],
                dataset=body["dataset"],
                arm=body["arm"],
                seed=body["seed"],
                rounds=tuple(body["rounds"]),
                predictions=np.frombuffer(packed, dtype=np.uint8),
                facts=body["facts"],
            )
        except (ValueError, KeyError, TypeError, zlib.error):
            raise corrupt(path) from None


def dataset_vectors(
    dataset: Dataset,
    *,
    encoder: Callable[[], Encoder],
    encoder_name: str,
    folder: Path,
    progress: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """(n, D) float32 vectors of every row, encoded once and kept under ``folder``.

    ``encoder_name`` tells encoders apart; the encoder is made only when something is missing.
    Raises Unavailable ``corrupt-cache`` for a file that is no such array.
    """
    name = hashlib.sha256(_canonical([dataset.sha256, encoder_name])).hexdigest()[:16]
    path = folder / f"{dataset.name}-{name}.npy"
    if path.exists():
        return _read_vectors(path, rows=len(dataset.texts))
    made = encoder()
    vectors = np.empty((len(dataset.texts), made.dimension), dtype=np.float32)
    for start in range(0, len(vectors), 2048):
        part = dataset.texts[start : start + 2048]
        vectors[start : start + len(part)] = made.encode(part)
        progress(start + len(part), len(vectors))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
    temporary.replace(path)
    return vectors


def _read_vectors(path: Path, *, rows: int) -> NDArray[np.float32]:
    try:
        vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise corrupt(path) from None
    if vectors.ndim != 2 or len(vectors) != rows or vectors.dtype != np.float32:
        raise corrupt(path)
    return vectors


def _match(sha256: str, body: Any) -> None:
    if sha256 != hashlib.sha256(_canonical(body)).hexdigest():
        raise ValueError


def corrupt(path: Path) -> Unavailable:
    """What is said of a file in the cache that cannot be read."""
    return Unavailable(
        f"the cached file {path} is damaged; delete it and run again", code="corrupt-cache"
    )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "items"):
        return dict(value)
    message = f"{type(value).__name__} cannot be stored"
    raise TypeError(message)
