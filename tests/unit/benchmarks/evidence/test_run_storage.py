"""Finished cells and vectors on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.encoders.hashing import HashingEncoder
from benchmarks.evidence.records import Run
from benchmarks.evidence.storage import Runs, dataset_vectors, run_key
from core.errors import Unavailable
from core.records import Choice
from tests.unit.benchmarks.evidence.made_study import arm, dataset, experiment

KEY = "ab" * 32


def made_run(**more: Any) -> Run:
    facts: dict[str, Any] = {
        "key": KEY,
        "dataset": "topics",
        "arm": "random",
        "seed": 3,
        "rounds": ({"labels": 12, "std": np.float64(1.5), "counts": {"b": 1, "a": 2}},),
        "predictions": np.array([0, 2, 1], dtype=np.uint8),
        "facts": {"transfer_svm": 0.5},
        **more,
    }
    return Run(**facts)


def test_a_run_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    Runs(tmp_path).save(made_run())
    found = Runs(tmp_path).load(KEY)
    assert found.rounds == ({"labels": 12, "std": 1.5, "counts": {"a": 2, "b": 1}},)
    assert found.predictions.tolist() == [0, 2, 1]
    assert (found.seed, found.facts) == (3, {"transfer_svm": 0.5})


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        Runs(tmp_path / name).save(made_run())
    one, other = (Runs(tmp_path / name).path(KEY).read_bytes() for name in ("one", "other"))
    assert one == other


def test_only_the_finished_file_is_left(tmp_path: Path) -> None:
    Runs(tmp_path).save(made_run())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{KEY}.json"]


def edited(data: bytes) -> bytes:
    return data.replace(b'"seed":3', b'"seed":4')


def unpacked(data: bytes) -> bytes:
    document = json.loads(data)
    document["run"]["predictions"] = "!"
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff\xfe",
        edited,
        unpacked,
    ],
)
def test_a_damaged_run_is_refused_by_its_file(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    runs = Runs(tmp_path)
    runs.save(made_run())
    path = runs.path(KEY)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Unavailable, match=path.name) as caught:
        runs.load(KEY)
    assert caught.value.code == "corrupt-cache"


def test_a_run_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.save(made_run())
    other = runs.path("cd" * 32)
    other.parent.mkdir()
    other.write_bytes(runs.path(KEY).read_bytes())
    with pytest.raises(Unavailable, match=other.name):
        runs.load("cd" * 32)


def key(**more: Any) -> str:
    made: dict[str, Any] = {
        "dataset": dataset(),
        "arm": arm(),
        "seed": 0,
        "experiment": experiment(),
        **more,
    }
    return run_key(made.pop("dataset"), made.pop("arm"), **made)


@pytest.mark.parametrize(
    "more",
    [
        {"arm": arm("margin")},
        {"arm": arm(recluster=True)},
        {"arm": arm(start="typical")},
        {"arm": arm(clusterer=Choice(name="kmeans", options={"count": 5}))},
        {"arm": arm(generator=Choice(name="copy"))},
        {"seed": 1},
        {"experiment": experiment(start=13)},
        {"experiment": experiment(batch=9)},
        {"experiment": experiment(rounds=3)},
        {"experiment": experiment(evaluate="test")},
        {"experiment": experiment(pool_share=0.7)},
        {"experiment": experiment(reserve_share=0.2)},
        {"experiment": experiment(transfer=("svm",))},
        {"dataset": replace(dataset(), sha256="1" * 64)},
        {"dataset": replace(dataset(), longtail_ratio=5.0)},
    ],
)
def test_what_decides_a_result_decides_its_key(more: dict[str, Any]) -> None:
    assert key(**more) != key()


@pytest.mark.parametrize(
    "more",
    [
        {"arm": arm(name="another name")},
        {"arm": arm(reference=True)},
        {"experiment": experiment(name="other", title="Other", seeds=(5,))},
    ],
)
def test_names_do_not_decide_a_key(more: dict[str, Any]) -> None:
    assert key(**more) == key()


def vectors(folder: Path, *, loads: list[str]) -> np.ndarray:
    def encoder() -> HashingEncoder:
        loads.append("loaded")
        return HashingEncoder()

    return dataset_vectors(
        dataset(),
        encoder=encoder,
        encoder_name="hashing",
        folder=folder,
        progress=lambda done, total: None,
    )


def test_vectors_are_encoded_once(tmp_path: Path) -> None:
    loads: list[str] = []
    first, again = vectors(tmp_path, loads=loads), vectors(tmp_path, loads=loads)
    assert np.array_equal(first, again)
    assert first.shape == (len(dataset().texts), 64)
    assert loads == ["loaded"]


@pytest.mark.parametrize("keep", [0, 40, 1000])
def test_damaged_vectors_are_refused_by_their_file(tmp_path: Path, keep: int) -> None:
    vectors(tmp_path, loads=[])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Unavailable, match=path.name) as caught:
        vectors(tmp_path, loads=[])
    assert caught.value.code == "corrupt-cache"


def test_vectors_of_other_rows_are_refused(tmp_path: Path) -> None:
    vectors(tmp_path, loads=[])
    (path,) = tmp_path.iterdir()
    np.save(path, np.zeros((3, 64), dtype=np.float32))
    with pytest.raises(Unavailable, match=path.name):
        vectors(tmp_path, loads=[])
