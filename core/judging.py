"""What models of both kinds say of rows: heads read vectors, fine-tuned models read texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import Score
from core.ports import Blobs, Classifier, Job, Repositories, Store, TextClassifier
from core.records import SHARD_ROWS, Session, Shard

PAGE = 1024
"""Texts read from the store and judged together: some seconds of one core."""

AnyClassifier = Classifier | TextClassifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """``vectors`` float32 (n, D); ``texts`` gives the same rows' texts when a model reads
    them."""

    vectors: NDArray[np.float32]
    texts: Callable[[], Sequence[str]]


def judge(classifier: AnyClassifier, rows: Rows) -> NDArray[np.float32]:
    """(n, C) float32 probabilities."""
    if isinstance(classifier, TextClassifier):
        return classifier.predict_texts(rows.texts())
    return classifier.predict(rows.vectors)


def texts_at(tx: Repositories, session: Session, positions: NDArray[np.int64]) -> list[str]:
    """Texts at those positions, in that order; a row deleted meanwhile reads as empty."""
    found = tx.items.by_positions(session.id, [int(p) for p in positions])
    return [found[int(p)].text if int(p) in found else "" for p in positions]


def shard_scorer(
    classifier: AnyClassifier, *, session: Session, job: Job, store: Store, blobs: Blobs
) -> Score:
    """The function that scores a shard's rows; reading texts, it may be cancelled midway."""
    if not isinstance(classifier, TextClassifier):
        return lambda shard: classifier.predict(blobs.array(shard.vectors))

    def page(start: int, stop: int) -> NDArray[np.float32]:
        job.check()
        with store.read() as tx:
            rows = tx.items.texts(session.id, start=start, stop=stop)
            texts = {position: text for position, _, text, _ in rows}
        # A deleted row is never chosen again; an empty text keeps its place.
        return classifier.predict_texts([texts.get(n, "") for n in range(start, stop)])

    def score(shard: Shard) -> NDArray[np.float32]:
        first = shard.number * SHARD_ROWS
        end = first + shard.rows
        parts = [page(start, min(start + PAGE, end)) for start in range(first, end, PAGE)]
        return np.concatenate(parts)

    return score
