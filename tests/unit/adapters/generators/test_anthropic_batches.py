"""The real SDK against a loopback server that speaks the Message Batches protocol."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.generators import batch_counter, generators
from adapters.generators.batch_generator import MAX_REQUESTS, anthropic_batches
from core.errors import InvalidOption, JobFailed, ProviderTrouble
from core.provider_batches import Patience
from core.records import Choice
from tests.batches_server import batches_server, errored, succeeded, well
from tests.messages_server import KEY, refusing_port, variations

PRICE_OF_ONE = (700 * 0.10 + 300 * 0.50) / 1e6 / 2


@pytest.fixture
def fake():
    with batches_server() as server:
        yield server


def writer_at(url, **patience):
    return anthropic_batches(
        api_key=KEY,
        base_url=url,
        model="claude-haiku-5-5",
        timeout_s=5.0,
        max_tokens=2048,
        patience=Patience(**patience),
    )


@pytest.fixture
def calls(make_request):
    return {f"op-0-{n:05d}": make_request("paraphrase", text=f"seed {n}") for n in range(5)}


def test_answers_are_joined_by_custom_id_whatever_their_order(fake, calls):
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    found = writer.fetch(batch.id, calls=calls)
    assert set(found) == set(calls)
    for custom_id, one in found.items():
        assert one.result.outcome == "ok"
        assert all(custom_id in v.text for v in one.result.variations)
        assert one.result.request_id == batch.id


def test_a_call_costs_half_and_so_does_its_worst_case(fake, calls, make_request):
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    bills = [one.result.dollars for one in writer.fetch(batch.id, calls=calls).values()]
    assert bills == pytest.approx([PRICE_OF_ONE] * 5)
    registry = generators(
        anthropic_key=KEY, anthropic_base_url=fake.url, reserve=None, class_ids=("a",)
    )
    direct = registry.make(Choice(name="anthropic")).estimate(make_request()).dollars
    assert writer.estimate(make_request()).dollars == pytest.approx(direct / 2)


def test_errored_and_expired_calls_cost_nothing_and_may_be_tried_again(fake, calls):
    fates = {
        "op-0-00000": errored("overloaded_error"),
        "op-0-00001": errored("invalid_request_error"),
        "op-0-00002": {"type": "expired"},
        "op-0-00003": {"type": "canceled"},
    }
    fake.fate = lambda custom_id, params: fates.get(custom_id) or well(custom_id, params)
    writer = writer_at(fake.url)
    found = writer.fetch(writer.hand_in(writer.pack(calls)).id, calls=calls)
    told = {k: (one.result.category, one.again, one.result.dollars) for k, one in found.items()}
    assert told["op-0-00000"] == ("overloaded_error", True, 0.0)
    assert told["op-0-00001"] == ("invalid_request_error", False, 0.0)
    assert told["op-0-00002"] == ("expired", True, 0.0)
    assert told["op-0-00003"] == ("canceled", False, 0.0)
    assert told["op-0-00004"][:2] == (None, False)


def test_a_missing_answer_is_billed_at_its_worst_case(fake, calls):
    writer = writer_at(fake.url)
    parcel = writer.pack(calls)
    batch = writer.hand_in(parcel)
    del fake.batches[batch.id].results["op-0-00001"]
    one = writer.fetch(batch.id, calls=calls)["op-0-00001"]
    assert (one.result.outcome, one.result.category) == ("unavailable", "no_answer")
    assert one.result.dollars == parcel.dollars["op-0-00001"]


@pytest.mark.parametrize("line", ["{", "[]", '{"custom_id": 3}', '{"custom_id": "x"}', '"x"'])
def test_a_line_of_another_shape_is_no_answer(fake, calls, line):
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    whole = fake.lines(fake.batches[batch.id])
    fake.lines = lambda _batch: line.encode() + b"\n" + whole
    found = writer.fetch(batch.id, calls=calls)
    assert {one.result.outcome for one in found.values()} == {"ok"}


def test_nonsense_of_one_call_spoils_no_other(fake, calls):
    fake.fate = lambda key, params: succeeded("no") if key.endswith("2") else well(key, params)
    writer = writer_at(fake.url)
    found = writer.fetch(writer.hand_in(writer.pack(calls)).id, calls=calls)
    outcomes = {key: one.result.outcome for key, one in found.items()}
    assert outcomes.pop("op-0-00002") == "invalid"
    assert set(outcomes.values()) == {"ok"}


def test_a_running_batch_tells_its_counts_and_can_be_stopped(fake, calls):
    fake.released = False
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    assert (batch.ended, batch.counts.processing) == (False, 5)
    writer.counter.stop(batch.id)
    view = writer.counter.look(batch.id)
    assert (view.ended, view.counts.canceled, view.counts.total) == (True, 2, 5)


def test_recent_batches_are_listed_over_pages_until_one_is_older(fake, calls):
    writer = writer_at(fake.url)
    now = datetime.now(UTC)
    for age in (3, 2, 1, 0, 0):
        fake.now = lambda age=age: now - timedelta(hours=age)
        writer.hand_in(writer.pack(calls))
    recent = list(writer.counter.recent(since=now - timedelta(hours=1, minutes=30)))
    assert [view.id for view in recent] == ["msgbatch_005", "msgbatch_004", "msgbatch_003"]


def test_the_mark_of_an_ended_batch_is_one_of_its_custom_ids(fake, calls):
    writer = writer_at(fake.url)
    assert writer.counter.mark(writer.hand_in(writer.pack(calls)).id) in calls


def test_an_erased_batch_is_gone(fake, calls):
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    writer.counter.erase(batch.id)
    with pytest.raises(ProviderTrouble) as trouble:
        writer.counter.look(batch.id)
    assert (trouble.value.gone, fake.erased) == (True, [batch.id])


def test_a_connection_that_ends_after_the_sending_leaves_doubt(fake, calls):
    fake.after = lambda method, _path: method == "POST"
    writer = writer_at(fake.url)
    with pytest.raises(ProviderTrouble) as trouble:
        writer.hand_in(writer.pack(calls))
    assert (trouble.value.unsure, len(fake.batches)) == (True, 1)


def test_what_never_reached_the_provider_leaves_none(calls):
    with refusing_port() as url:
        writer = writer_at(url)
        with pytest.raises(ProviderTrouble) as trouble:
            writer.hand_in(writer.pack(calls))
    assert (trouble.value.unsure, trouble.value.passing) == (False, True)


def test_answers_are_fetched_from_no_other_address(fake, calls):
    writer = writer_at(fake.url)
    batch = writer.hand_in(writer.pack(calls))
    shown = fake.shown
    fake.shown = lambda b: {**shown(b), "results_url": "http://127.0.0.2:9/stolen"}
    with pytest.raises(ProviderTrouble) as trouble:
        writer.fetch(batch.id, calls=calls)
    assert trouble.value.category == "foreign_results_url"


def test_too_many_calls_are_refused_before_anything_is_sent(fake, make_request, monkeypatch):
    writer = writer_at(fake.url)
    monkeypatch.setattr("adapters.generators.batch_generator.MAX_REQUESTS", 3)
    with pytest.raises(JobFailed) as refused:
        writer.pack({f"c{n}": make_request() for n in range(4)})
    assert (refused.value.code, fake.seen, MAX_REQUESTS) == ("batch-too-large", [], 100_000)


def test_too_many_bytes_are_refused_before_anything_is_sent(fake, make_request, monkeypatch):
    monkeypatch.setattr("adapters.generators.batch_generator.MAX_BATCH_BYTES", 4_000)
    big = replace(make_request(), text="long " * 2_000)
    with pytest.raises(JobFailed) as refused:
        writer_at(fake.url).pack({"c": big})
    assert (refused.value.code, fake.seen) == ("batch-too-large", [])


def test_neither_key_nor_prompt_is_in_the_words_of_trouble(fake, calls):
    fake.before = lambda _method, _path: 529
    writer = writer_at(fake.url)
    with pytest.raises(ProviderTrouble) as trouble:
        writer.hand_in(writer.pack(calls))
    assert KEY not in str(trouble.value)
    assert "seed" not in str(trouble.value)
    assert KEY not in repr(writer)


@pytest.mark.parametrize(
    "patience", [{"poll_s": 0}, {"poll_s": 20, "poll_most_s": 10}, {"settle_s": -1}]
)
def test_patience_out_of_range_is_refused(fake, patience):
    with pytest.raises(InvalidOption):
        writer_at(fake.url, **patience)


def test_there_is_a_counter_only_where_there_is_a_key_and_a_protocol():
    there = {"anthropic_key": KEY, "anthropic_base_url": None}
    assert batch_counter("anthropic", **there) is not None
    assert batch_counter("anthropic", anthropic_key=None, anthropic_base_url=None) is None
    assert batch_counter("perturb", **there) is None


def test_variations_are_read_as_a_direct_answer_is(fake, calls):
    fake.fate = lambda key, _params: succeeded(variations(["an </data> echo", "fine", " "]))
    writer = writer_at(fake.url)
    found = writer.fetch(writer.hand_in(writer.pack(calls)).id, calls=calls)
    assert [v.text for v in found["op-0-00000"].result.variations] == ["fine"]
    assert found["op-0-00000"].result.outcome == "shortfall"
