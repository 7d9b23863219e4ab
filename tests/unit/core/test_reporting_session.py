"""Metrics, clusters and plot data of a real session, read after real rounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import log

import pytest

from adapters.charts import PLOTS
from core.errors import InvalidInput
from core.records import Page
from core.requests import GenerateRequest, RetrainRequest, ReviewDecision, SelectRequest
from core.rounds.metrics import plot_data
from runtime.tailwise import Tailwise
from tests.conftest import build_inline
from tests.corpus import items, new_session

TENANT = "ten_a"


@pytest.fixture(scope="module")
def tailwise(tmp_path_factory) -> Iterator[Tailwise]:
    """One service for all: these tests read, or play in sessions of their own."""
    service = build_inline(tmp_path_factory.mktemp("reporting") / "data")
    with service.store.write() as tx:
        tx.access.ensure_tenant(TENANT, name="A", now=service.clock.now())
    yield service
    service.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def empty(tailwise):
    """A session without rows."""
    return tailwise.create_session(TENANT, new_session())


@pytest.fixture
def filled(tailwise, empty):
    """A session whose pool is indexed and in which nobody labelled anything."""
    tailwise.add_items(empty, items(), on_conflict="error", mode="atomic")
    return tailwise.session(TENANT, empty.id)


def play(tailwise, session, *, rounds: int) -> None:
    """Rounds of select, label by gold, generate, review and retrain."""
    for _ in range(rounds):
        batch = tailwise.select(session, SelectRequest(), request_key=None).batch
        tailwise.label_by_oracle(session, batch.id, noise=None)
        tailwise.start_generate(session, GenerateRequest(), request_key=None)
        with tailwise.store.read() as tx:
            rows = tx.generations.list(session.id, Page(limit=500), state="proposed")
        decisions = [ReviewDecision(generation_id=row.id, decision="accept") for row in rows]
        if decisions:
            tailwise.review(session, decisions, reviewer="key_1", mode="atomic")
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)


@pytest.fixture(scope="module")
def played(tailwise):
    """A session with two rounds behind it."""
    session = tailwise.create_session(TENANT, new_session())
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    session = tailwise.session(TENANT, session.id)
    play(tailwise, session, rounds=2)
    return session


def test_a_new_session_has_figures_of_nothing(tailwise, empty):
    found = tailwise.metrics(empty)
    assert found["counts"]["pool"] == 0
    assert found["evenness"] == found["coverage"] == found["warnings"] == []
    assert found["entropy"]["histogram"] == {"edges": [], "counts": []}


def test_the_counts_are_those_of_the_pool(tailwise, filled):
    counts = tailwise.metrics(filled)["counts"]
    splits = ("pool", "test", "reserve", "check")
    assert [counts[split] for split in splits] == [88, 18, 18, 0]
    assert (counts["unlabelled"], counts["labelled"]) == (88, 0)


def test_labels_move_rows_from_unlabelled_to_labelled(tailwise, played):
    counts = tailwise.metrics(played)["counts"]
    assert (counts["unlabelled"], counts["labelled"], counts["labels_bought"]) == (64, 24, 24)
    assert (counts["batches"], counts["models"]) == (2, 2)


def test_predictions_cover_exactly_the_unlabelled_pool(tailwise, played):
    found = tailwise.metrics(played)
    predicted = sum(row["predicted"] for row in found["balance"]["classes"])
    assert predicted == found["counts"]["unlabelled"]


def test_human_labels_agree_with_the_last_round_of_evenness(tailwise, played):
    found = tailwise.metrics(played)
    human = {row["id"]: row["human"] for row in found["balance"]["classes"]}
    assert found["evenness"][-1]["counts"] == human
    assert [row["labels"] for row in found["evenness"]] == [12, 24]


def test_coverage_grows_and_stays_a_share(tailwise, played):
    rows = tailwise.metrics(played)["coverage"]
    shares = [row["share"] for row in rows]
    assert shares == sorted(shares)
    assert all(0 < row["share"] <= 1 and 0 < row["top_share"] <= 1 for row in rows)


def test_entropy_is_unknown_in_the_first_round_and_known_after(tailwise, played):
    facts = tailwise.metrics(played)["entropy"]
    first, second = facts["rounds"]
    assert (first["picked_mean"], first["pool_mean"]) == (None, None)
    assert 0 <= second["pool_mean"] <= facts["maximum"] == pytest.approx(log(3))
    assert sum(facts["histogram"]["counts"]) == 64


def test_the_curve_has_a_point_per_model_with_recall_per_class(tailwise, played):
    models = tailwise.learning_curve(played)["models"]
    assert [(m["version"], m["labels"], m["evaluated_on"]) for m in models] == [
        (1, 12, "test"),
        (2, 24, "test"),
    ]
    assert set(models[-1]["recall"]) == {"garden", "kitchen", "harbour"}


def test_the_funnel_counts_every_variation_once(tailwise, played):
    found = tailwise.metrics(played)
    with tailwise.store.read() as tx:
        written = sum(tx.generations.counts(played.id).values())
    fates = ("proposed", "accepted", "edited", "rejected", "dropped")
    assert sum(row[f] for row in found["generation"]["by_class"] for f in fates) == written


def test_clusters_share_the_pool_and_its_labels(tailwise, played):
    found = tailwise.clusters(played)
    rows = found["clusters"]
    assert sum(row["size"] for row in rows) == found["rows"] == 88
    assert sum(row["labelled"] for row in rows) == 24
    assert sum(sum(row["label_counts"].values()) for row in rows) == 24


def test_the_map_shows_ids_and_no_texts(tailwise, played):
    points = tailwise.clusters(played)["points"]
    assert len(points) == 88
    assert set(points[0]) == {"id", "x", "y", "cluster", "entropy", "labelled", "last_batch"}
    assert sum(p["last_batch"] for p in points) == 12
    assert sum(p["labelled"] for p in points) == 24


def test_the_map_is_the_same_every_time(tailwise, played):
    assert tailwise.clusters(played) == tailwise.clusters(played)


def test_an_open_batch_is_selected_but_not_labelled(tailwise, filled):
    tailwise.select(filled, SelectRequest(), request_key=None)
    rows = tailwise.clusters(filled)["clusters"]
    assert sum(row["selected"] for row in rows) == 12
    assert sum(row["labelled"] for row in rows) == 0


def test_a_one_sided_pool_brings_the_imbalance_warning(tailwise, empty):
    pool = items(garden=80, kitchen=1, harbour=0)
    tailwise.add_items(empty, pool, on_conflict="error", mode="atomic")
    session = tailwise.session(TENANT, empty.id)
    batch = tailwise.select(session, SelectRequest(size=60), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    assert "imbalance" in [sign["code"] for sign in tailwise.metrics(session)["warnings"]]


def test_figures_are_json_as_they_are(tailwise, played):
    figures = tailwise.metrics(played), tailwise.clusters(played), tailwise.learning_curve(played)
    assert json.loads(json.dumps(figures)) == list(figures)


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_is_drawn_from_a_real_session(tailwise, played, name):
    assert tailwise.plot(played, name, format="svg").startswith(b"<?xml")


def test_every_plot_is_drawn_from_an_empty_session(tailwise, empty):
    pictures = [tailwise.plot(empty, name, format="svg") for name in PLOTS]
    assert all(picture.startswith(b"<?xml") for picture in pictures)


def test_data_for_an_unknown_plot_is_refused(tailwise, empty):
    with pytest.raises(InvalidInput) as refused:
        plot_data(empty, "pie", store=tailwise.store, blobs=tailwise.blobs)
    assert refused.value.code == "unknown-plot"
