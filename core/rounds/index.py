"""Index: embed the texts that have no vector yet, cluster the pool, score what is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.arrays import CHECK, DELETED, POOL, PoolArrays, Score
from core.clustering import Clusterer, assign
from core.embedding import embed_missing
from core.events import announce
from core.ports import Blobs, Clock, Encoder, Ids, Job, Store
from core.records import SHARD_ROWS, SPLITS, IndexVersion, Operation, Options, Session, Shard
from core.submission import conclude

SAMPLE_ROWS = 256 * 200
"""Most pool rows that clusters are fitted on; the rest are assigned once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """A shard under construction, with the (text hash, split) of each row it was made from."""

    shard: Shard
    rows: Mapping[int, tuple[str, str]]


def index(
    operation: Operation,
    session: Session,
    *,
    job: Job,
    store: Store,
    blobs: Blobs,
    encoder: Encoder,
    clusterer: Clusterer,
    scorer: Callable[[str], Score],
    clock: Clock,
    ids: Ids,
) -> Options:
    """Bring the session's arrays up to date and publish them as a new index version.

    Vectors are checkpointed in the cache, so that a run after a crash embeds only what
    is missing and ends with the same arrays. ``scorer`` loads a model by id.
    """
    with store.read() as tx:
        old = tx.indexes.latest(session.id)
        stale = tx.items.unindexed_shards(session.id)
        waiting = tx.items.unindexed(session.id)
    if not stale:
        return {"indexed": 0, "rows": old.rows if old else 0}
    if old and old.encoder_id != encoder.id:
        # Vectors of two encoders cannot be compared, nor can the old model read the new.
        stale = sorted({*stale, *(shard.number for shard in old.shards)})
        old = replace(old, shards=(), centroids="", clustered_rows=0, model_id=None)
    built = [
        _build_shard(number, session, job=job, store=store, blobs=blobs, encoder=encoder)
        for number in stale
    ]
    job.check()
    draft = _draft(session, old, built, encoder=encoder, now=clock.now(), ids=ids)
    clustered = _cluster(
        draft, session, changed=set(stale), job=job, blobs=blobs, clusterer=clusterer
    )
    job.check()
    scored = _score(clustered, changed=set(stale), job=job, blobs=blobs, scorer=scorer)
    result = {
        "indexed": waiting,
        "rows": scored.rows,
        "clusters": scored.cluster_count,
        "reclustered": scored.clustered_rows != draft.clustered_rows,
    }
    _publish(scored, session, built, result, operation=operation, store=store, clock=clock)
    return result


def _draft(
    session: Session,
    old: IndexVersion | None,
    built: Sequence[_Built],
    *,
    encoder: Encoder,
    now: datetime,
    ids: Ids,
) -> IndexVersion:
    """The next version with the new vectors; its clusters and scores are still the old."""
    shards = {shard.number: shard for shard in old.shards} if old else {}
    shards.update({part.shard.number: part.shard for part in built})
    return IndexVersion(
        id=ids.new("idx"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        sequence=old.sequence + 1 if old else 1,
        encoder_id=encoder.id,
        rows=sum(shard.rows for shard in shards.values()),
        dimension=encoder.dimension,
        cluster_count=old.cluster_count if old else 0,
        clustered_rows=old.clustered_rows if old else 0,
        clusterer=session.settings.clusterer.name,
        centroids=old.centroids if old else "",
        model_id=old.model_id if old else None,
        shards=tuple(shards[number] for number in sorted(shards)),
        created_at=now,
    )


def _publish(
    version: IndexVersion,
    session: Session,
    built: Sequence[_Built],
    result: Options,
    *,
    operation: Operation,
    store: Store,
    clock: Clock,
) -> None:
    """Make the version the current one; rows that changed meanwhile stay unindexed."""
    with store.write() as tx:
        tx.indexes.add(version)
        for part in built:
            start = part.shard.number * SHARD_ROWS
            tx.items.mark_indexed(
                session.id, start=start, stop=start + part.shard.rows, rows=part.rows
            )
        data = {
            "index_id": version.id,
            "rows": version.rows,
            "clusters": version.cluster_count,
            "operation_id": operation.id,
        }
        announce(tx, session, "pool.indexed", data, clock=clock)
        conclude(tx, operation, "succeeded", result=result, now=clock.now())


def _build_shard(
    number: int, session: Session, *, job: Job, store: Store, blobs: Blobs, encoder: Encoder
) -> _Built:
    """Embed what is missing, then lay the shard's vectors and splits out by position."""
    start = number * SHARD_ROWS
    with store.read() as tx:
        stop = min(start + SHARD_ROWS, tx.items.next_position(session.id))
        rows = list(tx.items.texts(session.id, start=start, stop=stop))

    def report(done: int) -> None:
        job.progress("embed", done, len(texts))
        job.check()

    texts = {text_hash: text for _, text_hash, text, _ in rows}
    embed_missing(texts, tenant_id=session.tenant_id, encoder=encoder, store=store, progress=report)
    vectors = np.zeros((stop - start, encoder.dimension), dtype=np.float16)
    splits = np.full(stop - start, DELETED, dtype=np.int8)
    with store.read() as tx:
        found = tx.vectors.get(session.tenant_id, encoder.id, list(texts))
    for position, text_hash, _, split in rows:
        vectors[position - start] = found[text_hash]
        splits[position - start] = SPLITS.index(split)
    shard = Shard(
        number=number,
        rows=stop - start,
        vectors=blobs.put_array(vectors),
        splits=blobs.put_array(splits),
        clusters="",
    )
    seen = {position: (text_hash, split) for position, text_hash, _, split in rows}
    return _Built(shard=shard, rows=seen)


def _cluster(
    draft: IndexVersion,
    session: Session,
    *,
    changed: set[int],
    job: Job,
    blobs: Blobs,
    clusterer: Clusterer,
) -> IndexVersion:
    """Fit clusters again where the pool has grown enough, and assign what needs it."""
    arrays = PoolArrays(draft, blobs=blobs)
    grown = draft.rows - draft.clustered_rows
    refit = not draft.centroids or grown > session.settings.recluster_growth * draft.clustered_rows
    if refit:
        job.progress("cluster", 0, len(draft.shards))
        centroids = _fit_clusters(arrays, session, clusterer=clusterer)
        draft = replace(
            draft,
            cluster_count=len(centroids),
            clustered_rows=draft.rows,
            clusterer=session.settings.clusterer.name,
            centroids=blobs.put_array(centroids),
        )
    else:
        centroids = arrays.centroids()

    def clusters_of(shard: Shard) -> Shard:
        if not refit and shard.number not in changed:
            return shard
        labels = assign(arrays.shard_vectors(shard.number), centroids)
        return replace(shard, clusters=blobs.put_array(labels))

    return _over_shards(draft, clusters_of, phase="cluster", job=job)


def _fit_clusters(
    arrays: PoolArrays, session: Session, *, clusterer: Clusterer
) -> NDArray[np.float32]:
    """Centroids from a sample of the pool rows, warm-started from the present ones."""
    version = arrays.version
    rng = np.random.default_rng([session.settings.seed, 1, version.sequence])
    splits = arrays.splits()
    pool = np.flatnonzero(splits == POOL)
    if len(pool) == 0:
        pool = np.flatnonzero((splits != DELETED) & (splits != CHECK))
    if len(pool) == 0:
        return np.zeros((1, version.dimension), dtype=np.float32)
    sample = pool
    if len(pool) > SAMPLE_ROWS:
        sample = np.sort(rng.choice(pool, size=SAMPLE_ROWS, replace=False))
    return clusterer.fit(
        arrays.vectors(sample),
        count=clusterer.clusters_for(len(pool)),
        rng=rng,
        start=arrays.centroids() if version.centroids else None,
    )


def _score(
    version: IndexVersion,
    *,
    changed: set[int],
    job: Job,
    blobs: Blobs,
    scorer: Callable[[str], Score],
) -> IndexVersion:
    """Probabilities for the changed shards, where the pool has a model."""
    if version.model_id is None:
        return version
    score = scorer(version.model_id)

    def scored(shard: Shard) -> Shard:
        if shard.number not in changed:
            return shard
        return replace(shard, probabilities=blobs.put_array(score(shard)))

    return _over_shards(version, scored, phase="score", job=job)


def _over_shards(
    version: IndexVersion, change: Callable[[Shard], Shard], *, phase: str, job: Job
) -> IndexVersion:
    """The version with every shard changed, reporting progress."""
    shards = []
    for done, shard in enumerate(version.shards):
        shards.append(change(shard))
        job.progress(phase, done + 1, len(version.shards))
    return replace(version, shards=tuple(shards))
