"""The harness and the service choose the same rows where they know the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.evidence.stage import Stage
from core.arrays import POOL, PoolArrays
from core.records import Choice, Session
from core.requests import RetrainRequest, SelectRequest
from runtime.tailwise import Tailwise
from tests.corpus import TOPICS, items, new_session
from tests.unit.benchmarks.evidence.made_study import arm, loop, stage

BATCH = 24


class ServiceChance(Stage):
    """A stage that draws as the service does in its second round."""

    def rng(self, use: int, *more: int) -> np.random.Generator:
        del use, more
        return np.random.default_rng([0, 2, 2])


def trained(tailwise: Tailwise, strategy: str) -> Session:
    """A session whose first batch is labelled and has trained a model."""
    made = new_session(strategy=Choice(name=strategy), batch_size=BATCH)
    session = tailwise.create_session("ten_a", made)
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    next_batch(tailwise, session)
    operation = tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    assert tailwise.wait("ten_a", operation.id, seconds=0).state == "succeeded"
    return session


def next_batch(tailwise: Tailwise, session: Session) -> list[int]:
    """Positions of the next batch, in the order of their ranks; answered by the gold labels."""
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    return [item.pick.position for item in batch.items]


def same_pool(tailwise: Tailwise, session: Session) -> tuple[Stage, np.ndarray]:
    """A stage over the session's pool with its clusters, started where its first batch was; and
    the pool's positions in the session."""
    with tailwise.store.read() as tx:
        version = tx.indexes.latest(session.id)
        labelled = sorted(row.position for row in tx.labels.labelled(session.id))
    arrays = PoolArrays(version, blobs=tailwise.blobs)
    positions = np.flatnonzero(arrays.splits() == POOL)
    gold = [item.gold[0] for item in items()]
    columns = np.array([list(TOPICS).index(topic) for topic in gold], dtype=np.int64)
    made = stage()
    pool = dataclasses.replace(
        made.pool,
        numbers=positions,
        vectors=arrays.vectors(positions),
        targets=columns[positions],
    )
    memory = {repr(arm().clusterer): (arrays.clusters()[positions], arrays.centroids())}
    given = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    given |= {"pool": pool, "memory": memory, "start": np.searchsorted(positions, labelled)}
    return ServiceChance(**given), positions


@pytest.mark.parametrize("strategy", ["cluster_entropy", "cluster_need", "entropy", "margin"])
def test_a_cell_picks_what_the_service_picks(tailwise: Tailwise, strategy: str) -> None:
    """From the same clusters and answers, through the same learner, with the same chance."""
    session = trained(tailwise, strategy)
    shared, positions = same_pool(tailwise, session)
    cell = loop(arm(strategy), shared, start=BATCH, batch=BATCH, rounds=1)
    picked = positions[cell.run().labelled[BATCH:]].tolist()
    assert picked == next_batch(tailwise, session)
