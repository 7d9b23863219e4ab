"""Who sees whose answers, and when."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import rows, session_document


@pytest.fixture
def contested(caller, caller_with):
    """Makes a session, and items of it that two keys answer with what they are given."""

    def make(*labels, resolution="unanimous"):
        people = {"overlap": 2, "resolution": resolution}
        document = session_document(oracle="human", min_distance=0, people=people)
        url = caller.post("/v1/sessions", document).headers["Location"]
        caller.post(f"{url}/items", {"items": rows(8)})
        items = caller.post(f"{url}/select", {"size": 3}).json["items"]
        voices = [caller_with("labels:write") for _ in labels]
        for voice, label in zip(voices, labels, strict=True):
            row = {"item_id": items[0]["id"], "label": label}
            assert voice.post(f"{url}/label", {"labels": [row]}).status_code == 200
        return url, items[0]["id"], voices

    return make


def names(who, url):
    found = who.get(f"{url}/labels").json["data"]
    return [row["annotator_id"] for row in found if row["kind"] != "created"]


def test_a_reviewer_does_not_learn_whose_answers_are_in_conflict(contested, caller_with):
    url, _, _ = contested("garden", "kitchen")
    assert names(caller_with("review", "content:read"), url) == [None, None]


def test_the_first_of_several_answers_has_no_name_before_there_is_a_conflict(
    contested, caller_with
):
    url, _, _ = contested("garden")
    assert names(caller_with("read"), url) == [None]


def test_an_answer_that_was_taken_back_has_no_name_either(contested, caller_with):
    url, _, [voice] = contested("garden")
    label = voice.get(f"{url}/labels/mine").json["data"][0]["label_id"]
    assert voice.post(f"{url}/labels/{label}/undo").status_code == 200
    assert names(caller_with("review"), url) == [None, None]


def test_an_item_taken_out_for_a_while_keeps_its_secret(contested, caller_with, service):
    url, item, _ = contested("garden", "kitchen")
    with service.store.write() as tx:
        tx.items.set_state(url.rpartition("/")[2], [item], "excluded")
    assert names(caller_with("review"), url) == [None, None]


def test_people_know_their_own_answers(contested):
    url, _, [one, two] = contested("garden", "kitchen")
    assert names(one, url) == [one.key_id, None]
    assert names(two, url) == [None, two.key_id]


def test_leads_see_whose_answers_they_are(contested, caller_with):
    url, _, voices = contested("garden", "kitchen")
    assert names(caller_with("people:write"), url) == [voice.key_id for voice in voices]


def test_names_are_told_once_the_item_is_decided(contested, caller_with):
    url, item, voices = contested("garden", "kitchen")
    reviewer = caller_with("review")
    decided = reviewer.post(f"{url}/items/{item}/adjudicate", {"label": "garden"})
    told = [(row["annotator_id"], row["name"]) for row in decided.json["answers"]]
    assert told == [(voice.key_id, None) for voice in voices]
    assert names(reviewer, url) == [voice.key_id for voice in voices]


def test_answers_that_agree_have_names(contested, caller_with):
    url, _, voices = contested("garden", "garden")
    assert names(caller_with("review"), url) == [voice.key_id for voice in voices]


def test_the_display_names_of_people_are_told_after_deciding(
    contested, caller, caller_with, service
):
    url, item, [_] = contested("garden")
    made = caller.post(
        "/v1/invitations", {"name": "Ada Lind", "role": "annotator"}, Idempotency_Key=""
    )
    token = made.json["url"].partition("#")[2]
    signed_in = caller.client.post("/v1/sign-in", json={"token": token})
    ada = signed_in.json["person"]["id"]
    row = {"item_id": item, "label": "kitchen"}
    given = caller.post(f"{url}/label", {"labels": [row], "annotator_id": ada})
    assert given.status_code == 200, given.json
    reviewer = caller_with("review")
    reviewer.client = caller.client.application.test_client()
    [conflict] = reviewer.get(f"{url}/conflicts").json["data"]
    assert all({"annotator_id", "name"}.isdisjoint(answer) for answer in conflict["answers"])
    decided = reviewer.post(f"{url}/items/{item}/adjudicate", {"label": "garden"})
    assert [answer["name"] for answer in decided.json["answers"]] == [None, "Ada Lind"]
