"""What has been written so far, and what a new variation is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.arrays import POOL, TEST, PoolArrays
from core.neighbours import nearest
from core.ports import Repositories, Store
from core.records import Generation, Session
from core.screening import Candidate, Corpus, Neighbour
from core.texts import text_hash

NEIGHBOURS = 3
"""Nearest rows per corpus whose texts are compared letter by letter."""


class Written:
    """Generated rows that already exist, with their vectors, in the order they came."""

    def __init__(self, dimension: int) -> None:
        self._rows: list[Generation] = []
        self._vectors = np.empty((0, dimension), dtype=np.float32)

    def add(self, rows: Sequence[Generation], vectors: NDArray[np.float32]) -> None:
        """Rows with their (n, D) float32 vectors."""
        self._rows += rows
        self._vectors = np.concatenate([self._vectors, vectors])

    def of_class(self, class_id: str) -> list[Generation]:
        """The variations labelled with the class, in the order given."""
        return [row for row in self._rows if class_id in row.labels]

    def starting(self, prefix: str) -> list[Generation]:
        """Rows whose id starts so: what an interrupted call already left."""
        return [row for row in self._rows if row.id.startswith(prefix)]

    def nearest(self, vector: NDArray[np.float32]) -> list[Neighbour]:
        """The closest rows to a (D,) vector."""
        cosines = self._vectors @ vector
        best = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
        return [
            Neighbour(id=self._rows[i].id, text=self._rows[i].text, cosine=float(cosines[i]))
            for i in best
        ]


def candidates(
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    session: Session,
    seed_position: int,
    labelled: NDArray[np.int64],
    arrays: PoolArrays,
    written: Written,
    classify: Callable[[Sequence[str], NDArray[np.float32]], Sequence[Mapping[str, float]]] | None,
    store: Store,
) -> list[Candidate]:
    """Each text with its neighbours among training, pool and test rows.

    ``labelled`` are the positions of labelled rows; the seed itself is left out, since
    being near it is what a variation is for.
    """
    splits = arrays.splits()
    training = np.zeros(len(splits), dtype=bool)
    training[labelled[labelled < len(splits)]] = True
    pool = (splits == POOL) & ~training
    training[seed_position] = False
    found = {
        corpus: nearest(vectors, arrays.shards(), NEIGHBOURS, mask=partial(_slice, chosen))
        for corpus, chosen in (("training", training), ("pool", pool), ("test", splits == TEST))
    }
    opinions = classify(texts, vectors) if classify else [None] * len(texts)
    with store.read() as tx:
        near = {
            corpus: _named(tx, session, positions, cosines)
            for corpus, (positions, cosines) in found.items()
        }
        exact = _exact(tx, session, texts)
    return [
        Candidate(
            id=str(n),
            text=text,
            vector=vectors[n],
            neighbours={
                "training": [*near["training"][n], *written.nearest(vectors[n])],
                "pool": near["pool"][n],
                "test": near["test"][n],
            },
            exact=exact[n],
            probabilities=opinions[n],
        )
        for n, text in enumerate(texts)
    ]


def _slice(chosen: NDArray[np.bool_], start: int, stop: int) -> NDArray[np.bool_]:
    return chosen[start:stop]


def _named(
    tx: Repositories,
    session: Session,
    positions: NDArray[np.int64],
    cosines: NDArray[np.float32],
) -> list[list[Neighbour]]:
    """Neighbours with ids and texts; position -1 stands for none."""
    wanted = sorted({int(p) for p in positions.ravel() if p >= 0})
    items = tx.items.by_positions(session.id, wanted)
    return [
        [
            Neighbour(id=items[int(p)].id, text=items[int(p)].text, cosine=float(c))
            for p, c in zip(row, values, strict=True)
            if int(p) in items
        ]
        for row, values in zip(positions, cosines, strict=True)
    ]


def _exact(tx: Repositories, session: Session, texts: Sequence[str]) -> list[dict[Corpus, str]]:
    """Rows whose normalised text is the same, also those without a vector yet."""
    hashes = [text_hash(text) for text in texts]
    matches = tx.items.hash_matches(session.id, hashes)
    corpora: Mapping[str, Corpus] = {"pool": "pool", "test": "test"}
    return [
        {corpora[matches[h][1]]: matches[h][0]} if h in matches and matches[h][1] in corpora else {}
        for h in hashes
    ]
