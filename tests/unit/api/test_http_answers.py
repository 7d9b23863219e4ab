"""Several people answer, undo and adjudicate over HTTP."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from core.people import Assignment
from tests.unit.api.conftest import rows, session_document

TOKEN = "lease-token"


@pytest.fixture
def url(caller):
    """A session in which two people answer each item, with an open batch."""
    document = session_document(oracle="human", people={"overlap": 2})
    made = caller.post("/v1/sessions", document).headers["Location"]
    assert caller.post(f"{made}/items", {"items": rows(12)}).status_code == 200
    return made


@pytest.fixture
def batch(caller, url):
    return caller.post(f"{url}/select", {"size": 3}).json


@pytest.fixture
def people(caller_with):
    """Three keys that label."""
    return [caller_with("labels:write") for _ in range(3)]


def answer(who, url, item, label, **more):
    row = {"item_id": item["id"], "label": label, **more.pop("row", {})}
    return who.post(f"{url}/label", {"labels": [row], **more})


def state(response):
    return response.json["results"][0]["item_state"]


def refusal(response):
    return response.status_code, response.json["code"]


def test_two_people_resolve_an_item_or_disagree(url, batch, people):
    ann, bob, cem = people
    first, second, _ = batch["items"]
    assert state(answer(ann, url, first, "garden")) == "selected"
    assert state(answer(bob, url, first, "garden")) == "resolved"
    assert refusal(answer(cem, url, first, "garden")) == (409, "overlap-reached")
    extra = answer(cem, url, first, "kitchen", allow_extra=True)
    assert (extra.status_code, state(extra)) == (200, "resolved")
    answer(ann, url, second, "garden")
    assert state(answer(bob, url, second, "kitchen")) == "conflict"


def test_the_overview_counts_conflicts(caller, url, batch, people):
    answer(people[0], url, batch["items"][0], "garden")
    answer(people[1], url, batch["items"][0], "kitchen")
    found = caller.get(url).json
    assert (found["counts"]["conflict"], found["counts"]["selected"]) == (1, 2)
    assert found["phase"] == "labelling"


def test_a_conflict_is_shown_without_names_and_decided_once(caller, url, batch, people):
    ann, bob, _ = people
    item = batch["items"][0]
    answer(ann, url, item, "garden")
    answer(bob, url, item, "kitchen")
    [found] = caller.get(f"{url}/conflicts").json["data"]
    assert found["item_id"] == item["id"]
    assert [(a["who"], a["labels"]) for a in found["answers"]] == [
        ("A", ["garden"]),
        ("B", ["kitchen"]),
    ]
    assert ann.key_id not in str(found)
    decide = f"{url}/items/{item['id']}/adjudicate"
    decided = caller.post(decide, {"label": "harbour", "note": "look again"})
    assert (decided.status_code, decided.json["item_state"]) == (200, "resolved")
    assert [a["annotator_id"] for a in decided.json["answers"]] == [ann.key_id, bob.key_id]
    assert refusal(caller.post(decide, {"label": "harbour"})) == (409, "no-conflict")
    assert caller.get(f"{url}/conflicts").json["data"] == []


def test_a_conflict_shows_texts_only_with_content_read(caller_with, url, batch, people):
    answer(people[0], url, batch["items"][0], "garden")
    answer(people[1], url, batch["items"][0], "kitchen")
    [plain] = caller_with("review").get(f"{url}/conflicts").json["data"]
    [full] = caller_with("review", "content:read").get(f"{url}/conflicts").json["data"]
    assert "text" not in plain
    assert "note" not in plain["answers"][0]
    assert full["text"].startswith("a note on")
    assert full["context"] == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "missing-label"),
        ({"label": "nope"}, "label-not-in-schema"),
        ({"labels": ["garden", "kitchen"]}, "too-many-labels"),
        ({"label": "garden", "labels": ["garden"]}, "too-many-labels"),
        ({"label": "garden", "why": "x"}, "unknown-field"),
    ],
)
def test_a_decision_outside_the_schema_is_refused(caller, url, batch, document, code):
    decide = f"{url}/items/{batch['items'][0]['id']}/adjudicate"
    assert refusal(caller.post(decide, document)) == (422, code)


def test_deciding_an_unknown_item_is_404(caller, url):
    response = caller.post(f"{url}/items/itm_none/adjudicate", {"label": "garden"})
    assert refusal(response) == (404, "unknown-item")


def test_conflicts_need_the_scope_review(people, url):
    assert people[0].get(f"{url}/conflicts").status_code == 403
    decide = f"{url}/items/itm_none/adjudicate"
    assert people[0].post(decide, {"label": "garden"}).status_code == 403


def test_ones_own_latest_answers_are_listed_and_taken_back(url, batch, people):
    ann, bob, _ = people
    answer(ann, url, batch["items"][0], "garden")
    answer(bob, url, batch["items"][0], "garden")
    [mine] = ann.get(f"{url}/labels/mine").json["data"]
    assert (mine["kind"], mine["labels"], mine["undoable"]) == ("answer", ["garden"], True)
    assert mine["item_id"] == batch["items"][0]["id"]
    assert ann.post(f"{url}/labels/{mine['label_id']}/undo").status_code == 200
    assert ann.get(f"{url}/labels/mine").json["data"] == []
    assert state(answer(ann, url, batch["items"][0], "garden")) == "resolved"


def test_an_annotator_id_must_be_ones_own(caller, url, batch, people):
    ann, item = people[0], batch["items"][0]
    assert answer(ann, url, item, "garden", annotator_id=ann.key_id).status_code == 200
    other = answer(ann, url, item, "garden", annotator_id="somebody")
    assert refusal(other) == (403, "annotator-mismatch")
    assert answer(caller, url, item, "garden", annotator_id="somebody").status_code == 200


# --- leases -----------------------------------------------------------------------


@pytest.fixture
def lease(service, url, batch):
    """Holds the batch's first item for a caller; the fields that name the lease."""

    def hold(who, *, seconds=600):
        now = service.clock.now()
        made = Assignment(
            id=service.ids.new("asg"),
            tenant_id=who.tenant_id,
            session_id=url.rsplit("/", 1)[1],
            item_id=batch["items"][0]["id"],
            batch_id=batch["id"],
            annotator_id=who.key_id,
            state="leased",
            token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
            check=False,
            claimed_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        with service.store.write() as tx:
            tx.assignments.hold(made)
        return {"assignment_id": made.id, "lease_token": TOKEN}

    return hold


def test_who_may_only_annotate_answers_what_they_hold(caller_with, url, batch, lease):
    ann = caller_with("annotate")
    item = batch["items"][0]
    without = answer(ann, url, item, "garden")
    assert (without.status_code, without.json["scope"]) == (403, "labels:write")
    assert answer(ann, url, item, "garden", row=lease(ann)).status_code == 200
    assert len(ann.get(f"{url}/labels/mine").json["data"]) == 1


def test_a_lease_of_somebody_else_is_403(caller_with, url, batch, lease):
    ann, bob = caller_with("annotate"), caller_with("annotate")
    row = lease(ann)
    response = answer(bob, url, batch["items"][0], "garden", row=row)
    assert refusal(response) == (403, "lease-not-yours")
    wrong = {**row, "lease_token": "wrong"}
    response = answer(ann, url, batch["items"][0], "garden", row=wrong)
    assert refusal(response) == (403, "lease-not-yours")


def test_an_expired_lease_counts_until_others_have_answered(caller_with, url, batch, people, lease):
    ann, late = caller_with("annotate"), caller_with("annotate")
    item = batch["items"][0]
    assert answer(ann, url, item, "garden", row=lease(ann, seconds=-1)).status_code == 200
    answer(people[0], url, item, "garden")
    response = answer(late, url, item, "garden", row=lease(late, seconds=-1))
    assert refusal(response) == (409, "lease-expired")


def test_half_a_lease_is_a_malformed_answer(caller, url, batch):
    response = answer(caller, url, batch["items"][0], "garden", row={"assignment_id": "asg_1"})
    assert refusal(response) == (422, "missing-field")


# --- batches that end early -------------------------------------------------------


def test_a_select_may_supersede_the_open_batch(caller, url, batch):
    assert refusal(caller.post(f"{url}/select", {})) == (409, "batch-open")
    again = caller.post(f"{url}/select", {"size": 2, "supersede": True, "ttl_s": 3600})
    assert again.status_code == 201, again.json
    assert again.json["expires_at"] is not None
    assert caller.get(f"{url}/batches/{batch['id']}").json["state"] == "superseded"
    [event] = caller.get(f"{url}/events?types=batch.superseded").json["data"]
    assert event["data"]["batch_id"] == batch["id"]


def test_a_refused_select_supersedes_nothing(caller, url, batch):
    paused = caller.post(f"{url}/pause")
    assert paused.status_code == 200
    refused = caller.post(f"{url}/select", {"supersede": True})
    assert refusal(refused) == (409, "session-not-open")
    assert caller.get(f"{url}/batches/{batch['id']}").json["state"] == "open"


def test_a_repeated_request_supersedes_nothing(caller, url):
    key = {"Idempotency_Key": "the-same-request"}
    wish = {"size": 2, "supersede": True}
    first = caller.post(f"{url}/select", wish, **key).json
    again = caller.post(f"{url}/select", wish, **key).json
    assert again["id"] == first["id"]
    assert caller.get(f"{url}/batches/{first['id']}").json["state"] == "open"


def test_a_late_answer_says_so(caller, url, batch, people):
    caller.post(f"{url}/select", {"size": 1, "supersede": True, "seed": 5})
    free = [
        row["id"]
        for row in caller.get(f"{url}/items?status=pooled").json["data"]
        if row["id"] in {item["id"] for item in batch["items"]}
    ]
    response = answer(people[0], url, {"id": free[0]}, "garden", row={"batch_id": batch["id"]})
    assert response.status_code == 200, response.json
    [event] = caller.get(f"{url}/labels?item_id={free[0]}").json["data"]
    assert event["status"] == "late"
