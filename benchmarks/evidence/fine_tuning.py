"""The transfer head that is a whole model: MiniLM's weights, fine-tuned on what was acquired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from adapters.learners import learners
from benchmarks.evidence.loop import Finished
from benchmarks.evidence.stage import Stage
from core.errors import InvalidInput
from core.ports import TextLearner
from core.records import Choice
from core.training import TrainingSet
from core.watching import watching

TRANSFORMER = "transformer"
WATCHED_SHARE = 0.2
"""Of the human rows of each class, at most; they say when to stop."""


def fine_tuner(encoder_directory: Path | None) -> TextLearner:
    """The service's transformer learner on the installed encoder's own weights.

    Raises NotInstalled ``extra-missing`` or ``model-missing``.
    """
    choice = Choice(name=TRANSFORMER, options={"model": "minilm"})
    return cast("TextLearner", learners(encoder_directory=encoder_directory).make(choice))


def fine_tuned_columns(
    finished: Finished, *, stage: Stage, weights: NDArray[np.float64], learner: TextLearner | None
) -> NDArray[np.int64]:
    """The column that the fine-tuned model gives each test row (n,); rows that are not in this
    seed's draw are not read and get 0.

    ``weights`` (m,) are the weights of the written rows. One thread, whatever the machine
    has, because cells share the cores.
    """
    from adapters.learners.loading import load_model  # noqa: PLC0415

    if learner is None:
        detail = "/transfer: the transformer needs a learner of texts"
        raise InvalidInput.at("/transfer", detail, code="unknown-head")
    data, columns = _training_set(finished, stage=stage, weights=weights)
    kept, watched = watching(data, share=WATCHED_SHARE)
    with _one_thread():
        fitted = learner.fit_texts(
            kept.texts,
            kept.targets,
            classes=len(columns),
            weights=kept.weights,
            watched=watched,
            seed=stage.seed,
            job=_Quiet(),
        )
    rows = np.unique(stage.sample)
    texts = [stage.text(int(number)) for number in stage.test.numbers[rows]]
    model: Any = load_model(fitted.onnx, sha256=None, threads=1)
    predicted = np.zeros(len(stage.test.numbers), dtype=np.int64)
    predicted[rows] = columns[model.predict_texts(texts).argmax(axis=1)]
    return predicted


def _training_set(
    finished: Finished, *, stage: Stage, weights: NDArray[np.float64]
) -> tuple[TrainingSet, NDArray[np.int64]]:
    """The human rows, then the written ones, and the data set's columns that they have."""
    own = stage.pool.targets[finished.labelled]
    columns = np.unique(own)
    known = [n for n, row in enumerate(finished.written) if row.target in columns]
    written = [finished.written[n] for n in known]
    targets = np.concatenate([own, np.array([row.target for row in written], dtype=np.int64)])
    seeds = np.array([row.seed for row in written], dtype=np.int64)
    texts = [stage.text(int(number)) for number in stage.pool.numbers[finished.labelled]]
    counted = np.concatenate([np.ones(len(own)), weights[known]])
    data = TrainingSet(
        classes=tuple(stage.classes[column] for column in columns),
        vectors=np.zeros((len(targets), 1), dtype=np.float32),
        targets=np.searchsorted(columns, targets).astype(np.int32),
        weights=counted.astype(np.float32),
        human=np.arange(len(targets)) < len(own),
        held_out=np.zeros(len(targets), dtype=np.bool_),
        groups=np.concatenate([finished.labelled, seeds]),
        texts=(*texts, *(row.text for row in written)),
    )
    return data, columns


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch  # noqa: PLC0415 -- part of an extra

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Quiet:
    """A job that nobody watches or cancels."""

    operation_id = "benchmark"

    def step(self, name: str, work: Any) -> Any:
        del name
        return work()

    def progress(self, phase: str, done: int, total: int) -> None:
        del phase, done, total

    def check(self) -> None:
        """Never asked to stop."""
