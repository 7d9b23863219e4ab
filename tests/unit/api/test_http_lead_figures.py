"""The lead's figures over HTTP: what they take, and whom they show what."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import rows, session_document


@pytest.fixture
def played(caller, pool_url):
    """A simulated session with a model; answers its URL and its batch."""
    batch = caller.post(f"{pool_url}/select", {}).json
    caller.post(f"{pool_url}/label", {"oracle": "gold", "batch_id": batch["id"]})
    assert caller.post(f"{pool_url}/retrain", {}).status_code == 202
    return pool_url, batch


@pytest.fixture
def by_chance(caller):
    """A session over the same texts that picks at random."""
    made = caller.post("/v1/sessions", session_document(strategy="random"))
    url = made.headers["Location"]
    caller.post(f"{url}/items", {"items": [*rows(18), *rows(6, split="test")]})
    batch = caller.post(f"{url}/select", {}).json
    caller.post(f"{url}/label", {"oracle": "gold", "batch_id": batch["id"]})
    caller.post(f"{url}/retrain", {})
    return url.rsplit("/", 1)[1]


def test_the_curve_shows_what_a_random_choice_reached(caller, played, by_chance):
    url, _ = played
    found = caller.get(f"{url}/metrics/learning-curve").json
    assert [row["session_id"] for row in found["random_baseline"]["sessions"]] == [by_chance]
    assert found["models"][0]["interval"][0] <= found["models"][0]["macro_f1"]


def test_a_key_of_one_session_is_not_told_of_another(caller_with, played, by_chance):
    url, _ = played
    key = caller_with("sessions:write", session_id=url.rsplit("/", 1)[1])
    found = key.get(f"{url}/metrics/learning-curve").json
    assert found["random_baseline"]["sessions"] == []


def test_the_models_come_with_confusions(caller, played):
    url, _ = played
    (model,) = caller.get(f"{url}/metrics/models").json["models"]
    assert sum(map(sum, model["confusion"])) == model["rows"] == 6


def test_the_cost_is_priced_per_point(caller, played):
    url, _ = played
    found = caller.get(f"{url}/metrics/cost").json
    assert (found["total_dollars"], found["per_point"]) == (0, {"rows": [], "total": None})


def test_the_map_takes_a_batch(caller, played):
    url, batch = played
    found = caller.get(f"{url}/metrics/clusters?batch_id={batch['id']}").json
    marked = {point["id"] for point in found["points"] if point["last_batch"]}
    assert marked == {item["id"] for item in batch["items"]}


def test_the_map_of_no_batch_is_not_found(caller, played):
    url, _ = played
    answer = caller.get(f"{url}/metrics/clusters?batch_id=bat_01JD3V7Q6S0000000000000000")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown-batch")


def test_no_figure_holds_a_text(caller, played):
    url, _ = played
    names = ("", "/learning-curve", "/models", "/cost", "/clusters")
    bodies = [caller.get(f"{url}/metrics{name}").text for name in names]
    assert not [body for body in bodies if "a note on the" in body]
