"""Vectors of texts through the cache, where embedding resumes after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.ports import Encoder, Store
from core.texts import text_hash

CHUNK = 256
"""Texts embedded between two checkpoints: about two seconds of one core."""


def embed_missing(
    texts: Mapping[str, str],
    *,
    tenant_id: str,
    encoder: Encoder,
    store: Store,
    progress: Callable[[int], None],
) -> None:
    """Put a vector in the cache for each text hash in ``texts`` that has none."""
    hashes = list(texts)
    with store.read() as tx:
        cached = tx.vectors.known(tenant_id, encoder.id, hashes)
    # Long chunks of like length pad least; the order is fixed so that a resumed run agrees.
    missing = sorted((h for h in hashes if h not in cached), key=lambda h: (len(texts[h]), h))
    progress(len(hashes) - len(missing))
    remaining = iter(missing)
    done = len(hashes) - len(missing)
    while chunk := list(islice(remaining, CHUNK)):
        vectors = encoder.encode([texts[h] for h in chunk]).astype(np.float16)
        with store.write() as tx:
            tx.vectors.put(tenant_id, encoder.id, dict(zip(chunk, vectors, strict=True)))
        done += len(chunk)
        progress(done)


def embed(
    texts: Sequence[str], *, tenant_id: str, encoder: Encoder, store: Store
) -> NDArray[np.float32]:
    """(n, D) float32 vectors as the pool's arrays hold them (rounded to float16)."""
    hashes = [text_hash(text) for text in texts]
    embed_missing(
        dict(zip(hashes, texts, strict=True)),
        tenant_id=tenant_id,
        encoder=encoder,
        store=store,
        progress=_unwatched,
    )
    with store.read() as tx:
        found = tx.vectors.get(tenant_id, encoder.id, hashes)
    if not hashes:
        return np.empty((0, encoder.dimension), dtype=np.float32)
    return np.stack([found[h] for h in hashes]).astype(np.float32)


def _unwatched(_done: int) -> None:
    """A few texts need no progress."""
