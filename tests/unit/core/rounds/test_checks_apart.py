"""Check items measure people, and nothing else ever reads them."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrays import CHECK, PoolArrays
from core.records import (
    Choice,
    LabelClass,
    NewItem,
    PeopleSettings,
    SessionSettings,
    Task,
)
from core.requests import NewSession, RetrainRequest, SelectRequest
from tests.conftest import build_inline

TOPICS = ("garden", "kitchen", "harbour")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    made = build_inline(tmp_path_factory.mktemp("apart") / "data")
    with made.store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=made.clock.now())
    yield made
    made.store.close()


def rows(count, split):
    return [
        NewItem(
            external_id=f"{split}-{n}",
            text=f"{split} note {n} on the {TOPICS[n % 3]} {'x' * (n % 7)}",
            split=split,
            gold=(TOPICS[n % 3],),
        )
        for n in range(count)
    ]


def session_with(service, *items, oracle="gold"):
    settings = SessionSettings(
        encoder=Choice(name="hashing"),
        oracle=Choice(name=oracle),
        min_distance=0.0,
        people=PeopleSettings(check_share=0.5),
    )
    task = Task(classes=tuple(LabelClass(id=t, name=t) for t in TOPICS))
    new = NewSession(name="checks", task=task, settings=settings)
    session = service.create_session("ten_a", new)
    service.add_items(session, items, on_conflict="error", mode="atomic")
    return service.session("ten_a", session.id)


def index_of(service, session):
    with service.store.read() as tx:
        return PoolArrays(tx.indexes.latest(session.id), blobs=service.blobs)


def test_clusters_are_the_same_with_and_without_check_items(service):
    plain = session_with(service, *rows(30, "pool"))
    mixed = session_with(service, *rows(30, "pool"), *rows(9, "check"))
    assert np.array_equal(
        index_of(service, plain).centroids(), index_of(service, mixed).centroids()
    )
    assert np.count_nonzero(index_of(service, mixed).splits() == CHECK) == 9


def test_a_session_of_check_items_alone_fits_no_clusters(service):
    session = session_with(service, *rows(5, "check"))
    centroids = index_of(service, session).centroids()
    assert centroids.shape[0] == 1
    assert not centroids.any()


def test_a_round_never_touches_a_check_item(service):
    session = session_with(service, *rows(12, "pool"), *rows(12, "test"), *rows(9, "check"))
    request = SelectRequest(size=100)
    chosen = service.select(session, request, request_key=None).batch
    assert {item.external_id.split("-")[0] for item in chosen.items} == {"pool"}
    service.label_by_oracle(session, chosen.id, noise=None)
    service.start_retrain(session, RetrainRequest(), request_key=None)
    with service.store.read() as tx:
        [model] = tx.models.all(session.id)
        trained = tx.labels.labelled(session.id)
    assert sum(model.human_counts.values()) == 12
    assert {row.split for row in trained} == {"pool"}
    counts = service.overview(session).counts
    assert (counts["pool"], counts["test"], counts["check"]) == (12, 12, 9)
    assert counts["unlabelled"] == 0
