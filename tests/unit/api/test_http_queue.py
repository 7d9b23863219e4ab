"""Leases, flags and desks over HTTP."""

from __future__ import annotations

import pytest

from api.schemas.leases import LeasedItemSchema
from tests.unit.api.conftest import TOPICS, rows, session_document

KNOWN = {"author": "A", "text": "earlier"}


@pytest.fixture
def make_session(caller):
    """Makes an open session that people label, with a batch of ``size`` items."""

    def make(size=4, items=None, select=True, **people):
        document = session_document(oracle="human", min_distance=0, people=people)
        url = caller.post("/v1/sessions", document).headers["Location"]
        given = rows(12) if items is None else items
        added = caller.post(f"{url}/items", {"items": given})
        assert added.status_code == 200, added.json
        if select:
            made = caller.post(f"{url}/select", {"size": size})
            assert made.status_code == 201, made.json
        return url

    return make


@pytest.fixture
def annotator(caller_with):
    return caller_with("annotate")


def claim(who, url, **asked):
    answer = who.post(f"{url}/leases", asked, Idempotency_Key="")
    assert answer.status_code == 200, answer.json
    return answer.json


def act(who, url, lease, verb, **body):
    body = {"lease_token": lease["lease_token"], **body}
    return who.post(f"{url}/assignments/{lease['id']}/{verb}", body, Idempotency_Key="")


def answer_of(who, url, lease, label="garden", **more):
    row = {
        "item_id": lease["item"]["id"],
        "label": label,
        "assignment_id": lease["id"],
        "lease_token": lease["lease_token"],
        **more,
    }
    return who.post(f"{url}/label", {"labels": [row]})


def test_a_claim_shows_what_the_session_shows_and_nothing_else(make_session, annotator):
    facts = {"context": ["before", KNOWN, 5], "topics": "x", "source": "s", "secret": "t"}
    items = [{**row, "lang": "en", "metadata": facts} for row in rows(4)]
    url = make_session(items=items, metadata_shown=["source"])
    [lease] = claim(annotator, url)["assignments"]
    assert set(lease) == {
        "id",
        "lease_token",
        "expires_at",
        "ttl_s",
        "item",
        "guidelines_version",
    }
    assert set(lease["item"]) == set(LeasedItemSchema().fields)
    assert lease["item"]["context"] == [{"text": "before"}, KNOWN]
    assert lease["item"]["metadata"] == {"source": "s"}


def test_a_reload_gets_the_same_items_under_new_tokens(make_session, annotator):
    url = make_session()
    first = claim(annotator, url, count=2)["assignments"]
    again = claim(annotator, url, count=3)["assignments"]
    assert [one["id"] for one in again[:2]] == [one["id"] for one in first]
    assert len(again) == 3
    assert again[0]["lease_token"] != first[0]["lease_token"]
    refused = act(annotator, url, first[0], "heartbeat")
    assert (refused.status_code, refused.json["code"]) == (403, "lease-not-yours")


def test_answers_under_leases_finish_a_batch(make_session, annotator):
    url = make_session(size=3)
    for lease in claim(annotator, url, count=20)["assignments"]:
        assert answer_of(annotator, url, lease).status_code == 200
    empty = claim(annotator, url)
    assert empty == {"assignments": [], "reason": "none_left", "retry_after_s": None}


def test_an_empty_answer_says_when_others_leases_end(make_session, annotator, caller_with):
    url = make_session(size=2)
    claim(annotator, url, count=2, ttl_s=120)
    answer = caller_with("annotate").post(f"{url}/leases", {})
    assert answer.json["reason"] == "all_leased"
    assert 0 < answer.json["retry_after_s"] <= 120
    assert answer.headers["Retry-After"] == str(answer.json["retry_after_s"])


def test_a_released_item_is_free_at_once(make_session, annotator, caller_with):
    url = make_session(size=1)
    [lease] = claim(annotator, url)["assignments"]
    assert act(annotator, url, lease, "release").status_code == 204
    assert act(annotator, url, lease, "release").status_code == 204
    assert len(claim(caller_with("annotate"), url)["assignments"]) == 1


def test_a_heartbeat_holds_longer(make_session, annotator):
    url = make_session()
    [lease] = claim(annotator, url, ttl_s=30)["assignments"]
    held = act(annotator, url, lease, "heartbeat", ttl_s=3600)
    assert held.status_code == 200
    assert held.json["expires_at"] > lease["expires_at"]


def test_a_skipped_item_never_comes_back(make_session, annotator):
    url = make_session(size=1, skip_limit=2)
    [lease] = claim(annotator, url)["assignments"]
    skipped = act(annotator, url, lease, "skip", reason="no idea")
    assert skipped.json == {"item_state": "selected"}
    assert claim(annotator, url)["reason"] == "none_left"


def test_a_flagged_item_waits_for_a_decision(make_session, annotator, caller, caller_with):
    url = make_session(size=1)
    [lease] = claim(annotator, url)["assignments"]
    flagged = act(annotator, url, lease, "flag", reason="unreadable", note="cut off")
    assert flagged.json["item_state"] == "excluded"
    [row] = caller.get(f"{url}/flags?state=open").json["data"]
    assert (row["note"], row["text"]) == ("cut off", lease["item"]["text"])
    assert (row["id"], row["item_state"]) == (flagged.json["flag_id"], "excluded")
    done = caller.post(f"{url}/flags/{row['id']}/resolve", {"resolution": "returned"})
    assert (done.json["state"], done.json["item_state"]) == ("resolved", "selected")
    assert claim(annotator, url)["assignments"] == []
    assert len(claim(caller_with("annotate"), url)["assignments"]) == 1
    twice = caller.post(f"{url}/flags/{row['id']}/resolve", {"resolution": "excluded"})
    assert (twice.status_code, twice.json["code"]) == (409, "flag-resolved")


def test_what_may_be_illegal_leaves_every_hand_and_its_text_is_not_shown(
    make_session, annotator, caller, caller_with
):
    url = make_session(size=2, overlap=2)
    other = caller_with("annotate")
    [lease] = claim(annotator, url)["assignments"]
    [same] = claim(other, url)["assignments"]
    assert same["item"]["id"] == lease["item"]["id"]
    act(annotator, url, lease, "flag", reason="illegal_content")
    lost = act(other, url, same, "heartbeat")
    assert (lost.status_code, lost.json["code"]) == (409, "lease-expired")
    [row] = caller.get(f"{url}/flags").json["data"]
    assert "text" not in row
    seen = caller_with("review").get(f"{url}/flags").json["data"][0]
    assert "text" not in seen
    events = caller.get(f"{url}/events?types=item.escalated").json["data"]
    assert [event["data"]["reason"] for event in events] == ["illegal_content"]


def test_flagging_the_last_item_completes_the_batch(make_session, annotator, caller):
    url = make_session(size=1)
    [lease] = claim(annotator, url)["assignments"]
    act(annotator, url, lease, "flag", reason="other")
    [batch] = caller.get(f"{url}/batches").json["data"]
    assert batch["state"] == "completed"


def test_a_desk_has_what_labelling_needs(make_session, annotator, caller_with):
    url = make_session(lease_s=300, support_text="talk")
    claim(annotator, url, count=2)
    desk = annotator.get(f"{url}/desk").json
    assert [label["id"] for label in desk["task"]["labels"]] == list(TOPICS)
    assert desk["people"]["lease_s"] == 300
    assert desk["people"]["support_text"] == "talk"
    assert desk["mine"] == {"answered_today": 0, "held": 2, "undoable": 0, "open_batches": 1}
    [row] = [r for r in annotator.get("/v1/desks").json["data"] if r["id"] == desk["session_id"]]
    assert row["waiting"] is True
    assert "review" not in row
    reviewer = caller_with("annotate", "review")
    assert {row["review"] for row in reviewer.get("/v1/desks").json["data"]} == {0}


def test_a_bound_key_sees_its_own_desk_only(make_session, caller_with):
    url, _other = make_session(), make_session()
    bound = caller_with("annotate", session_id=url.rsplit("/", 1)[-1])
    assert [f"/v1/sessions/{row['id']}" for row in bound.get("/v1/desks").json["data"]] == [url]


REFUSALS = [
    ({"count": 21}, 422, "out-of-range"),
    ({"count": 0}, 422, "out-of-range"),
    ({"ttl_s": 29}, 422, "out-of-range"),
    ({"ttl_s": 3601}, 422, "out-of-range"),
    ({"who": "me"}, 422, "unknown-field"),
    ({"languages": "en"}, 422, "invalid-type"),
]


@pytest.mark.parametrize(("asked", "status", "code"), REFUSALS)
def test_a_claim_that_asks_for_nonsense_is_refused(make_session, annotator, asked, status, code):
    refused = annotator.post(f"{make_session()}/leases", asked)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (status, code)


def test_nobody_claims_without_the_scope_or_in_a_paused_session(
    make_session, annotator, caller, caller_with
):
    url = make_session()
    assert caller_with("read").post(f"{url}/leases", {}).status_code == 403
    [lease] = claim(annotator, url)["assignments"]
    caller.post(f"{url}/pause")
    refused = annotator.post(f"{url}/leases", {})
    assert (refused.status_code, refused.json["code"]) == (409, "session-not-open")
    assert act(annotator, url, lease, "heartbeat").status_code == 200


def test_somebody_elses_lease_is_not_yours(make_session, annotator, caller_with):
    url = make_session()
    [lease] = claim(annotator, url)["assignments"]
    for verb in ("heartbeat", "release", "skip"):
        refused = act(caller_with("annotate"), url, lease, verb)
        assert (refused.status_code, refused.json["code"]) == (403, "lease-not-yours")
    missing = act(annotator, url, {**lease, "id": "asg_none"}, "heartbeat")
    assert (missing.status_code, missing.json["code"]) == (404, "unknown-assignment")


def test_an_answered_lease_can_be_neither_skipped_nor_flagged(make_session, annotator):
    url = make_session()
    [lease] = claim(annotator, url)["assignments"]
    answer_of(annotator, url, lease)
    for verb, more in (("skip", {}), ("flag", {"reason": "other"}), ("release", {})):
        refused = act(annotator, url, lease, verb, **more)
        assert (refused.status_code, refused.json["code"]) == (409, "lease-expired")


def test_a_check_item_looks_like_any_other(make_session, annotator):
    checks = [{**row, "external_id": f"n-{n}"} for n, row in enumerate(rows(6, split="check"))]
    url = make_session(size=12, items=[*rows(12), *checks], check_share=0.5)
    seen = []
    while got := claim(annotator, url, count=4)["assignments"]:
        for lease in got:
            stored = answer_of(annotator, url, lease)
            assert stored.json["results"][0]["status"] == "created"
            assert stored.json["results"][0]["item_state"] == "resolved"
            assert "gold" not in str(lease)
            assert "check" not in str({k: v for k, v in lease["item"].items() if k != "text"})
        seen += got
    given = [lease for lease in seen if lease["item"]["external_id"].startswith("n-")]
    assert 0 < len(given) <= 6
    assert len(seen) == 12 + len(given)
    assert {frozenset(lease["item"]) for lease in seen} == {frozenset(seen[0]["item"])}
    mine = annotator.get(f"{url}/labels/mine?limit=10").json["data"]
    assert "check" not in {row["kind"] for row in mine}


def test_a_check_item_needs_gold(caller, session_url):
    bare = {"items": [{"external_id": "c", "text": "a text", "split": "check"}]}
    refused = caller.post(f"{session_url}/items", bare)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["code"] == "check-without-gold"


def test_a_check_item_is_never_selected(make_session, caller):
    url = make_session(size=100, items=[*rows(6), *rows(6, split="check")])
    [batch] = caller.get(f"{url}/batches").json["data"]
    items = caller.get(f"{url}/items?split=check").json["data"]
    assert batch["requested"] - batch["shortfall"] == 6
    assert {item["state"] for item in items} == {"pooled"}


def test_what_was_taken_back_comes_first(make_session, annotator):
    url = make_session(size=4)
    first, second = claim(annotator, url, count=2)["assignments"]
    stored = answer_of(annotator, url, first).json["results"][0]["label_id"]
    assert annotator.post(f"{url}/labels/{stored}/undo").status_code == 200
    again = claim(annotator, url, count=2)["assignments"]
    assert {one["item"]["id"] for one in again} == {first["item"]["id"], second["item"]["id"]}
