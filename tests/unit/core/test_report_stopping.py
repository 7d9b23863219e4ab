"""The stopping criteria of a real session, after real rounds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.requests import RetrainRequest, SelectRequest
from core.stopping import stopping_criteria
from runtime.tailwise import Tailwise
from tests.conftest import build_inline
from tests.corpus import items, new_session

TENANT = "ten_a"


@pytest.fixture(scope="module")
def tailwise(tmp_path_factory) -> Iterator[Tailwise]:
    service = build_inline(tmp_path_factory.mktemp("stopping") / "data")
    with service.store.write() as tx:
        tx.access.ensure_tenant(TENANT, name="A", now=service.clock.now())
    yield service
    service.store.close()  # type: ignore[attr-defined]


def filled(tailwise):
    session = tailwise.create_session(TENANT, new_session())
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    return tailwise.session(TENANT, session.id)


@pytest.fixture(scope="module")
def played(tailwise):
    """Two rounds, and then two models that learned nothing new."""
    session = filled(tailwise)
    for _ in range(2):
        batch = tailwise.select(session, SelectRequest(), request_key=None).batch
        tailwise.label_by_oracle(session, batch.id, noise=None)
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    for _ in range(2):
        tailwise.start_retrain(session, RetrainRequest(force=True), request_key=None)
    return session


def criteria_of(tailwise, session):
    return {row["criterion"]: row for row in tailwise.metrics(session)["stopping"]["criteria"]}


def test_before_the_first_model_nothing_can_stop(tailwise):
    found = tailwise.metrics(filled(tailwise))["stopping"]
    assert found["rows"] == 0
    assert [row["stop"] for row in found["criteria"]] == [False] * 3
    assert all(row["models"] == [] for row in found["criteria"])


def test_every_criterion_shows_its_options_and_a_value_by_model(tailwise, played):
    found = criteria_of(tailwise, played)
    assert tuple(found) == stopping_criteria().names()
    for row in found.values():
        assert set(row["options"]) == {"threshold", "window"}
        assert [(m["version"], m["round"]) for m in row["models"]] == [
            (1, 1),
            (2, 2),
            (3, 2),
            (4, 2),
        ]


def test_the_stop_set_is_the_pool_labelled_rows_too(tailwise, played):
    assert tailwise.metrics(played)["stopping"]["rows"] == 88


def test_the_first_model_has_an_uncertainty_and_no_predecessor(tailwise, played):
    found = criteria_of(tailwise, played)
    first = {name: row["models"][0]["value"] for name, row in found.items()}
    assert first["classification_change"] is None
    assert first["kappa_average"] is None
    assert 0 < first["overall_uncertainty"] <= 1


def test_models_that_learned_nothing_new_stop_by_classification_change(tailwise, played):
    row = criteria_of(tailwise, played)["classification_change"]
    assert [m["stop"] for m in row["models"][:2]] == [False, False]
    assert (row["models"][-1]["value"], row["stop"]) == (0.0, True)


def test_the_figures_are_json(tailwise, played):
    figures = tailwise.metrics(played)["stopping"]
    assert json.loads(json.dumps(figures)) == figures
