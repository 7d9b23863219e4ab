"""The real SDK against a loopback server that misbehaves: every way ends in a named outcome."""

from __future__ import annotations

import json
import logging
import re
import threading
import time

import pytest

from adapters.generators.anthropic_messages import anthropic_model
from adapters.generators.model_generator import ModelGenerator
from core.errors import Conflict, InvalidOption
from core.screening import Candidate, Seed, screen, verdict
from tests import messages_server as server
from tests.messages_server import KEY, messages_server

GOOD = server.texts("one fine text", "two fine texts", "three fine texts")
PRICE_OF_GOOD = (700 * 0.10 + 300 * 0.50) / 1e6
SLACK_S = 1.5


def written_by(**options):
    return ModelGenerator(writer=anthropic_model(**options))


@pytest.fixture
def make(fake_time):
    """A generator on the fake clock unless a test needs real time."""

    def generator(url, **options):
        defaults = {"clock": fake_time.clock, "sleep": fake_time.sleep}
        return written_by(api_key=KEY, base_url=url, **{**defaults, **options})

    return generator


@pytest.fixture
def on_time():
    """Runs a call on the real clock and says how long it took."""

    def run(url, request, purse, **options):
        generator = written_by(api_key=KEY, base_url=url, **options)
        began = time.monotonic()
        result = generator.generate(request, purse=purse)
        return result, time.monotonic() - began

    return run


def test_a_good_answer_is_ok_and_carries_its_whole_account(make, make_request, purse):
    with messages_server(GOOD) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert result.outcome == "ok"
    assert [v.text for v in result.variations] == [
        "one fine text",
        "two fine texts",
        "three fine texts",
    ]
    assert (result.attempts, result.input_tokens, result.output_tokens) == (1, 700, 300)
    assert (result.model, result.request_id) == ("claude-haiku-5-5", "req_1")
    assert result.dollars == pytest.approx(PRICE_OF_GOOD)
    assert len(result.prompt_sha256) == len(result.response_sha256) == 64


def test_the_request_is_what_the_service_of_today_accepts(make, make_request, purse):
    with messages_server(GOOD) as fake:
        make(fake.url).generate(make_request(), purse=purse)
        (seen,) = fake.requests
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["anthropic-version"] == "2026-10-21"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.body["output_config"]["effort"] == "low"
    assert seen.body["output_config"]["format"]["type"] == "json_schema"
    assert not set(seen.body) & {"temperature", "top_p", "top_k", "tools", "stream"}


def test_money_is_reserved_before_the_request_and_settled_from_usage(make, make_request, purse):
    generator = None
    with messages_server(GOOD) as fake:
        generator = make(fake.url)
        generator.generate(make_request(), purse=purse)
    assert purse.reserved == [generator.estimate(make_request()).dollars]
    assert purse.settled == [pytest.approx(PRICE_OF_GOOD)]
    assert purse.tokens == [(700, 300)]
    assert purse.settled[0] < purse.reserved[0]


def test_cached_input_counts_as_input(make, make_request, purse):
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90}
    document = server.message(server.variations(["a", "b", "c"]), usage=usage)
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert result.input_tokens == 100


def test_an_empty_purse_means_over_budget_without_a_request(make, make_request, make_purse):
    purse = make_purse(limit=0.000001)
    with messages_server(GOOD) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
        assert fake.requests == []
    assert (result.outcome, result.attempts, result.dollars) == ("over_budget", 0, 0.0)


def test_the_budget_is_asked_again_before_each_retry(make, make_request, make_purse):
    with messages_server(server.hang_up) as fake:
        generator = make(fake.url)
        worst = generator.estimate(make_request()).dollars
        purse = make_purse(limit=worst * 2.5)
        result = generator.generate(make_request(), purse=purse)
        assert len(fake.requests) == 2
    assert (result.outcome, result.attempts) == ("over_budget", 2)
    assert sum(purse.settled) <= purse.limit


def test_another_conflict_of_the_purse_is_not_swallowed(make, make_request):
    class Closed:
        def reserve(self, dollars):
            raise Conflict("the session is closed", code="session-closed")

    with messages_server(GOOD) as fake, pytest.raises(Conflict, match="closed"):
        make(fake.url).generate(make_request(), purse=Closed())


# --- 1, 2, 3: the service is busy or broken ---------------------------------------------


def test_way_1_a_short_retry_after_is_obeyed(make, make_request, purse, fake_time):
    busy = server.status(429, "rate_limit_error", retry_after="3")
    with messages_server(busy, GOOD) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("ok", 2)
    assert len(fake_time.slept) == 1
    assert 3.0 <= fake_time.slept[0] <= 3.3
    assert purse.settled == [0.0, pytest.approx(PRICE_OF_GOOD)]


def test_way_1_a_huge_retry_after_is_never_slept(make, make_request, purse, fake_time):
    busy = server.status(429, "rate_limit_error", retry_after="4000000")
    with messages_server(busy) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "rate_limit_error")
    assert (result.attempts, fake_time.slept, purse.settled) == (1, [], [0.0])


def test_way_1_a_pause_past_the_deadline_ends_the_call(make, make_request, purse, fake_time):
    busy = server.status(429, "rate_limit_error", retry_after="15")
    with messages_server(busy) as fake:
        result = make(fake.url, deadline_s=40).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("unavailable", 3)
    assert fake_time.now < 40


def test_a_spend_limit_of_the_account_is_not_retried(make, make_request, purse):
    def limit(handler):
        error = {"type": "rate_limit_error", "message": "no"}
        error["details"] = {"error_code": "enforced_spend_limit_reached"}
        handler.json(429, {"type": "error", "error": error})

    with messages_server(limit) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("unavailable", 1)


@pytest.mark.parametrize(
    "error", [(500, "api_error"), (503, "api_error"), (529, "overloaded_error")]
)
def test_way_2_and_3_server_errors_are_retried_n_times_at_no_charge(
    make, make_request, purse, fake_time, error
):
    with messages_server(server.status(*error)) as fake:
        result = make(fake.url, max_attempts=3).generate(make_request(), purse=purse)
        assert len(fake.requests) == 3
    assert (result.outcome, result.category, result.attempts) == ("unavailable", error[1], 3)
    assert purse.settled == [0.0, 0.0, 0.0]
    assert fake_time.now <= 60


def test_a_gateways_error_page_may_hide_a_bill_and_keeps_the_reservation(make, make_request, purse):
    with messages_server(server.bare_status(502), GOOD) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("ok", 2)
    assert purse.settled == [purse.reserved[0], pytest.approx(PRICE_OF_GOOD)]


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 413, 422])
def test_our_own_faults_are_not_retried_and_not_billed(make, make_request, purse, code):
    with messages_server(server.status(code, "some_error")) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "some_error")
    assert (result.attempts, purse.settled) == (1, [0.0])


def test_a_redirect_is_not_followed(make, make_request, purse):
    def elsewhere(handler):
        handler.raw(307, b"", {"location": f"{handler.fake.url}/v1/messages"})

    with messages_server(elsewhere) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
        assert len(fake.requests) == 1
    assert (result.outcome, result.category) == ("unavailable", "http_307")


# --- 4: the connection ----------------------------------------------------------------------


def test_way_4_a_refused_connection_is_retried_and_costs_nothing(make, make_request, purse):
    with server.refusing_port() as url:
        result = make(url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "connection_error")
    assert (result.attempts, purse.settled) == (4, [0.0] * 4)


def test_way_4_a_closed_connection_keeps_the_reservation_and_is_retried(make, make_request, purse):
    with messages_server(server.hang_up, GOOD) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("ok", 2)
    assert purse.settled == [purse.reserved[0], pytest.approx(PRICE_OF_GOOD)]


def test_way_4_a_body_cut_short_keeps_the_reservation_and_is_retried(make, make_request, purse):
    with messages_server(server.cut_body) as fake:
        result = make(fake.url, max_attempts=2).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "connection_lost")
    assert purse.settled == purse.reserved
    assert len(purse.reserved) == 2


# --- 5, 6: slow ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", [server.drip(), server.drip_head(), server.hang])
def test_way_5_and_6_a_slow_server_cannot_hold_the_call_past_its_deadline(
    make_request, purse, on_time, way
):
    with messages_server(way) as fake:
        result, elapsed = on_time(fake.url, make_request(), purse, deadline_s=1.0)
    assert (result.outcome, result.category) == ("unavailable", "timeout")
    assert elapsed < 1.0 + SLACK_S
    assert result.attempts == 1
    assert purse.settled == purse.reserved


def test_way_5_a_drip_uses_up_one_request_not_the_whole_call(make_request, purse, on_time):
    with messages_server(server.drip(0.1), GOOD) as fake:
        result, elapsed = on_time(fake.url, make_request(), purse, timeout_s=0.5)
    assert (result.outcome, result.attempts) == ("ok", 2)
    assert purse.settled == [purse.reserved[0], pytest.approx(PRICE_OF_GOOD)]
    assert elapsed < 60


# --- 7 to 12: strange answers -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"variations": [{"text": "cut o',
        "[]",
        "null",
        '{"variations": "no"}',
        '{"variations": ["bare"]}',
        "Sure! Here are three variations:",
        "[" * 20_000,
    ],
)
def test_way_7_an_answer_of_the_wrong_shape_is_invalid_and_billed_by_usage(
    make, make_request, purse, text
):
    with messages_server(server.answer(server.message(text))) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "malformed_answer")
    assert (result.attempts, purse.settled) == (1, [pytest.approx(PRICE_OF_GOOD)])


@pytest.mark.parametrize(
    "body",
    [b'{"type": "message", "content": [', b"", b"null", b"[1]", b'{"type": "list"}', b"\xff"],
)
def test_way_7_a_body_that_is_no_message_is_invalid_and_keeps_the_reservation(
    make, make_request, purse, body
):
    with messages_server(lambda handler: handler.raw(200, body)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "malformed_answer")
    assert purse.settled == purse.reserved


@pytest.mark.parametrize(
    "usage", [{"input_tokens": -1, "output_tokens": 1}, {"input_tokens": "9"}, {"output_tokens": 1}]
)
def test_nonsense_usage_keeps_the_reservation(make, make_request, purse, usage):
    document = server.message(server.variations(["a", "b", "c"]), usage=usage)
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert result.outcome == "ok"
    assert purse.settled == purse.reserved


def test_way_8_too_few_texts_are_a_shortfall(make, make_request, purse):
    with messages_server(server.texts("one", "two")) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, len(result.variations)) == ("shortfall", 2)


def test_way_8_too_many_texts_are_cut_to_the_count(make, make_request, purse):
    with messages_server(server.texts(*"abcdefgh")) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, len(result.variations)) == ("ok", 3)


def test_way_8_blank_and_unprintable_texts_do_not_count(make, make_request, purse):
    with messages_server(server.texts("  ", "a\x00b", "\ud800", "fine")) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, [v.text for v in result.variations]) == ("shortfall", ["fine"])


@pytest.mark.parametrize("text", [None, "I would rather not."])
def test_way_9_a_refusal_is_an_outcome_with_its_category(make, make_request, purse, text):
    details = {"type": "refusal", "category": "general_harms", "explanation": "no"}
    document = server.message(text, stop_reason="refusal", stop_details=details)
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("refused", "general_harms")
    assert (result.attempts, result.variations) == (1, ())
    assert purse.settled == [pytest.approx(PRICE_OF_GOOD)]


def test_way_9_a_refusal_without_details_is_still_refused(make, make_request, purse):
    document = server.message(None, stop_reason="refusal")
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("refused", "unspecified")


CUT = server.answer(server.message('{"variations": [{"te', stop_reason="max_tokens"))


def test_way_10_a_truncated_answer_is_asked_for_once_more_with_fewer(make, make_request, purse):
    with messages_server(CUT, server.texts("one")) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
        wanted = [int(re.search(r"Write (\d+) messages", s.prompt)[1]) for s in fake.requests]
    assert wanted == [3, 1]
    assert (result.outcome, result.attempts, len(result.variations)) == ("shortfall", 2, 1)
    assert purse.settled == [pytest.approx(PRICE_OF_GOOD)] * 2


def test_way_10_an_answer_truncated_twice_is_truncated(make, make_request, purse):
    with messages_server(CUT) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("truncated", 2)
    assert result.dollars == pytest.approx(2 * PRICE_OF_GOOD)


def test_way_10_the_retry_counts_among_the_attempts(make, make_request, purse):
    with messages_server(server.status(529, "overloaded_error"), CUT) as fake:
        result = make(fake.url, max_attempts=2).generate(make_request(), purse=purse)
    assert (result.outcome, result.attempts) == ("truncated", 2)


def test_way_11_empty_content_is_invalid(make, make_request, purse):
    with messages_server(server.answer(server.message(None))) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "empty_answer")
    assert purse.settled == [pytest.approx(PRICE_OF_GOOD)]


@pytest.mark.parametrize("stop", ["tool_use", "pause_turn", "something_new"])
def test_an_unknown_stop_is_invalid(make, make_request, purse, stop):
    document = server.message(server.variations(["a", "b", "c"]), stop_reason=stop)
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "unexpected_stop")


def test_way_12_a_huge_answer_is_refused_before_it_is_read(make, make_request, purse):
    with messages_server(server.huge) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "answer_too_large")
    assert (result.attempts, purse.settled) == (1, purse.reserved)


def test_a_compressed_answer_is_refused_because_its_size_is_unknown(make, make_request, purse):
    with messages_server(server.compressed) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("invalid", "answer_compressed")


def test_an_echoed_prompt_yields_no_variation(make, make_request, purse):
    with messages_server(server.echo) as fake:
        result = make(fake.url).generate(make_request(), purse=purse)
    assert (result.outcome, result.variations) == ("shortfall", ())


def test_an_echoed_seed_is_dropped_by_the_screens(make, make_request, purse):
    request = make_request()
    with messages_server(server.texts(request.text.upper(), request.text)) as fake:
        result = make(fake.url).generate(request, purse=purse)
    seed = Seed(id="itm_1", text=request.text, label=request.label, vector=request.vector)
    candidates = [
        Candidate(id=str(n), text=v.text, vector=request.vector)
        for n, v in enumerate(result.variations)
    ]
    assert [verdict(s) for s in screen(candidates, seed=seed)] == ["drop", "drop"]


# --- levels, settings, silence --------------------------------------------------------------


def test_strict_slots_are_put_together_by_our_code(make, make_request, purse):
    rows = [{"slots": ["anxious", "mortgage", "changed", "this"]}, {"slots": ["too few"]}]
    document = server.message(json.dumps({"variations": rows}))
    with messages_server(server.answer(document)) as fake:
        request = make_request("strict_slots", count=1)
        result = make(fake.url).generate(request, purse=purse)
        schema = fake.requests[0].body["output_config"]["format"]["schema"]
    assert "slots" in schema["properties"]["variations"]["items"]["properties"]
    assert [v.text for v in result.variations] == [
        "I have been so anxious about my mortgage since the landlord changed it this month"
    ]


def test_free_form_asks_for_a_probability_with_each_text(make, make_request, purse):
    rows = [{"text": "far away from it", "probability": 0.02}]
    document = server.message(json.dumps({"variations": rows}))
    with messages_server(server.answer(document)) as fake:
        result = make(fake.url).generate(make_request("free_form", count=1), purse=purse)
        schema = fake.requests[0].body["output_config"]["format"]["schema"]
    assert schema["properties"]["variations"]["items"]["required"] == ["text", "probability"]
    assert result.outcome == "ok"


def test_the_same_request_gives_the_same_pauses(make_request, make_purse, fake_time, make):
    pauses = []
    for _ in range(2):
        fake_time.slept.clear()
        with messages_server(server.status(529, "overloaded_error")) as fake:
            make(fake.url).generate(make_request(), purse=make_purse())
        pauses.append(list(fake_time.slept))
    assert pauses[0] == pauses[1]
    assert len(pauses[0]) == 3


def test_one_generator_serves_many_threads(make, make_request, make_purse):
    outcomes = []
    with messages_server(GOOD) as fake:
        generator = make(fake.url)

        def work():
            outcomes.append(generator.generate(make_request(), purse=make_purse()).outcome)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == ["ok"] * 6


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_the_generator_is_not_configured(key):
    with pytest.raises(Conflict) as refusal:
        written_by(api_key=key)
    assert refusal.value.code == "generator-not-configured"


@pytest.mark.parametrize(
    "options",
    [
        {"model": "claude-unheard-of"},
        {"max_attempts": 0},
        {"max_attempts": 99},
        {"max_attempts": True},
        {"deadline_s": 0},
        {"deadline_s": float("nan")},
        {"timeout_s": -1},
        {"max_tokens": 100_000},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOption):
        written_by(api_key=KEY, **options)


def test_the_key_is_not_in_the_generators_repr():
    assert KEY not in repr(written_by(api_key=KEY))


def test_nothing_of_prompt_answer_or_key_is_logged(make, make_request, purse, caplog):
    caplog.set_level(logging.DEBUG)
    canary = "canary-7f3a in the seed"
    with messages_server(server.hang_up, server.texts("canary-answer", "b", "c")) as fake:
        result = make(fake.url).generate(make_request(text=canary), purse=purse)
    assert result.outcome == "ok"
    assert "canary" not in caplog.text
    assert KEY not in caplog.text
