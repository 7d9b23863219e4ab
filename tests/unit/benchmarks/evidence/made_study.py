"""A small made-up set and experiments over it, for the tests of the harness."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from adapters.encoders.hashing import HashingEncoder
from benchmarks.evidence.cells import make_tools
from benchmarks.evidence.loop import Loop
from benchmarks.evidence.records import Arm, Dataset, Draw, Experiment
from benchmarks.evidence.stage import Division, Stage, divide, set_stage
from core.records import Choice
from tests.corpus import texts_of

SIZES = {"garden": 120, "kitchen": 60, "harbour": 30}
TESTS = 12
HASHING = Choice(name="hashing")
NO_ENCODER = Path("no encoder is read")


def dataset() -> Dataset:
    """Three topics with a long tail among the train rows and 12 test rows each."""
    texts, labels, is_test = [], [], []
    for topic, train in SIZES.items():
        texts += texts_of(topic, train + TESTS)
        labels += [topic] * (train + TESTS)
        is_test += [False] * train + [True] * TESTS
    return Dataset(
        name="topics",
        texts=tuple(texts),
        labels=tuple(labels),
        is_test=np.array(is_test),
        classes=tuple(SIZES),
        licence="made up",
        source="tests",
        sha256="0" * 64,
    )


def write_csv(path: Path) -> Path:
    """The same set as a user's file."""
    made = dataset()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for text, label, test in zip(made.texts, made.labels, made.is_test, strict=True):
            writer.writerow([text, label, "test" if test else "train"])
    return path


def arm(strategy: str = "random", *, name: str | None = None, **more: Any) -> Arm:
    return Arm(name=name or strategy, encoder=HASHING, strategy=Choice(name=strategy), **more)


def experiment(*arms: Arm, **more: Any) -> Experiment:
    """28 labels in two rounds on the made-up set."""
    chosen: dict[str, Any] = {
        "name": "made",
        "title": "Made up",
        "question": "?",
        "datasets": ("topics",),
        "arms": arms or (arm(),),
        "seeds": (0, 1),
        "start": 12,
        "batch": 8,
        "rounds": 2,
        **more,
    }
    return Experiment(**chosen)


def draw(**more: Any) -> Draw:
    return replace(experiment().draw(0), **more)


def division(made: Dataset | None = None, **more: Any) -> Division:
    made = made or dataset()
    vectors = np.asarray(HashingEncoder().encode(made.texts), dtype=np.float32)
    return divide(made, vectors, draw=draw(**more))


def stage(*, seed: int = 0, made: Dataset | None = None, **more: Any) -> Stage:
    return set_stage(division(made, **more), draw=draw(**more), seed=seed)


def loop(asked: Arm, on: Stage, **more: Any) -> Loop:
    tools = make_tools(asked, stage=on, encoder=NO_ENCODER)
    return Loop(on, asked, experiment(asked, **more), tools=tools)
