"""The curve with its baseline, the models and their cost, read from real sessions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core import report_baseline
from core.errors import NotFound
from core.records import Choice
from core.requests import NewLabel, RetrainRequest, SelectRequest
from runtime.tailwise import Tailwise
from tests.conftest import build_inline
from tests.corpus import items, new_session

TENANT = "ten_a"


@pytest.fixture(scope="module")
def tailwise(tmp_path_factory) -> Iterator[Tailwise]:
    """One service for all tests, which play in sessions of their own."""
    service = build_inline(tmp_path_factory.mktemp("lead") / "data")
    with service.store.write() as tx:
        for tenant in (TENANT, "ten_b"):
            tx.access.ensure_tenant(tenant, name=tenant, now=service.clock.now())
    yield service
    service.store.close()  # type: ignore[attr-defined]


def played(tailwise, *, tenant=TENANT, pool=None, rounds=2, **settings):
    """A session with rounds of select, label by gold and retrain behind it."""
    session = tailwise.create_session(tenant, new_session(**settings))
    tailwise.add_items(session, pool or items(), on_conflict="error", mode="atomic")
    session = tailwise.session(tenant, session.id)
    for _ in range(rounds):
        batch = tailwise.select(session, SelectRequest(), request_key=None).batch
        tailwise.label_by_oracle(session, batch.id, noise=None)
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    return session


@pytest.fixture(scope="module")
def ours(tailwise):
    """A simulated session that chooses."""
    return played(tailwise)


@pytest.fixture(scope="module")
def by_chance(tailwise):
    """A simulated session over the same texts that picks at random."""
    return played(tailwise, strategy=Choice(name="random"))


def test_every_score_has_an_interval_around_it(tailwise, ours):
    for row in tailwise.learning_curve(ours)["models"]:
        low, high = row["interval"]
        assert low <= row["macro_f1"] <= high


def test_the_baseline_of_a_simulated_session_is_the_one_that_picked_at_random(
    tailwise, ours, by_chance
):
    found = tailwise.learning_curve(ours)["random_baseline"]
    assert [row["session_id"] for row in found["sessions"]] == [by_chance.id]
    assert [row["labels"] for row in found["sessions"][0]["models"]] == [12, 24]
    assert found["why"] == report_baseline.FOUND


def test_a_session_over_other_texts_is_no_baseline(tailwise):
    other = played(tailwise, pool=items(garden=50), strategy=Choice(name="random"))
    mine = played(tailwise, pool=items(garden=51), rounds=1)
    found = tailwise.learning_curve(mine)["random_baseline"]
    assert other.id not in [row["session_id"] for row in found["sessions"]]
    assert (found["sessions"], found["why"]) == ([], report_baseline.NONE_YET)


def test_as_many_texts_in_another_order_are_no_baseline(tailwise, by_chance):
    mine = played(tailwise, pool=list(reversed(items())), rounds=1)
    assert tailwise.learning_curve(mine)["random_baseline"]["sessions"] == []


def test_another_tenants_session_is_no_baseline(tailwise, by_chance):
    mine = played(tailwise, tenant="ten_b", rounds=1)
    assert tailwise.learning_curve(mine)["random_baseline"]["sessions"] == []


def test_a_caller_who_sees_one_session_is_shown_no_other(tailwise, ours, by_chance):
    found = tailwise.learning_curve(ours, alone=True)["random_baseline"]
    assert found["sessions"] == []


def test_a_session_that_people_label_says_why_there_is_no_baseline(tailwise, by_chance):
    mine = played(tailwise, rounds=0, oracle=Choice(name="human"))
    found = tailwise.learning_curve(mine)["random_baseline"]
    assert found == {"simulated": False, "why": report_baseline.REAL, "sessions": []}


def test_a_session_that_picks_at_random_is_its_own_baseline(tailwise, by_chance):
    assert tailwise.learning_curve(by_chance)["random_baseline"]["why"] == report_baseline.ITSELF


def test_the_confusions_of_each_model_add_up_to_its_rows(tailwise, ours):
    for row in tailwise.quality_of_models(ours)["models"]:
        assert sum(map(sum, row["confusion"])) == row["rows"] == 18
        assert sum(step["rows"] for step in row["calibration"]) == 18
        assert [c["id"] for c in row["per_class"]] == ["garden", "kitchen", "harbour"]


def test_minutes_that_people_report_are_counted_by_round(tailwise):
    session = played(tailwise, rounds=0, oracle=Choice(name="human"))
    batch = tailwise.select(session, SelectRequest(size=2), request_key=None).batch
    answers = [
        NewLabel(item_id=item.item_id, labels=("garden",), batch_id=batch.id, duration_ms=90_000)
        for item in batch.items
    ]
    tailwise.label(session, answers, annotator_id="key_1", mode="atomic", allow_unsolicited=False)
    found = tailwise.cost_figures(session)
    assert found["minutes"] == [{"round": 1, "minutes": 3.0}]
    assert found["total_minutes"] == 3.0


def test_a_point_of_a_simulated_session_costs_labels_and_no_minutes(tailwise, ours):
    found = tailwise.cost_figures(ours)
    assert found["minutes"] == []
    assert [row["labels"] for row in found["per_point"]["rows"]] == [12]


def test_the_map_marks_the_batch_that_was_asked_for(tailwise, ours):
    with tailwise.store.read() as tx:
        first, last = tx.batches.all(ours.id)
    found = tailwise.clusters(ours, batch_id=first.id)
    marked = {point["id"] for point in found["points"] if point["last_batch"]}
    assert marked == {item.item_id for item in first.items}
    assert (found["batch_id"], found["last_batch_id"]) == (first.id, last.id)


def test_the_map_of_an_unknown_batch_is_refused(tailwise, ours):
    with pytest.raises(NotFound) as refused:
        tailwise.clusters(ours, batch_id="bat_none")
    assert refused.value.code == "unknown-batch"


def test_lead_figures_are_json_as_they_are(tailwise, ours):
    found = [
        tailwise.learning_curve(ours),
        tailwise.quality_of_models(ours),
        tailwise.cost_figures(ours),
    ]
    assert json.loads(json.dumps(found)) == found
