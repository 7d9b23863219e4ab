"""A model of one's own behind a loopback server that misbehaves: every way has a named end."""

from __future__ import annotations

import json
import time

import pytest

from adapters.generators.chat_completions import ChatService, chat_model
from adapters.generators.model_generator import ModelGenerator
from adapters.generators.model_judge import ModelJudge
from core.budget import Price
from core.errors import Conflict, InvalidOption
from core.opinions import Opinion, Question
from core.records import LabelClass
from tests import messages_server as server
from tests.completions_server import (
    MODEL,
    completion,
    completions_server,
    prompts,
    texts,
)
from tests.messages_server import KEY, answer, refusing_port

GOOD = texts("one fine text", "two fine texts", "three fine texts")


@pytest.fixture
def model(fake_time):
    def make(url, *, price=None, **options):
        service = ChatService(base_url=url, api_key=KEY, model=MODEL, price=price)
        timing = {"clock": fake_time.clock, "sleep": fake_time.sleep}
        return chat_model(service, model=None, **{**timing, **options})

    return make


@pytest.fixture
def written(model, make_request, purse):
    """The result that these steps of the server make of a request, and what was sent."""

    def run(*script, level="attributes", **options):
        with completions_server(*script) as fake:
            generator = ModelGenerator(writer=model(fake.url, **options))
            return generator.generate(make_request(level), purse=purse), fake

    return run


def test_a_good_answer_is_ok_and_carries_its_whole_account(written):
    result, _ = written(GOOD)
    assert result.outcome == "ok"
    assert next(v.text for v in result.variations) == "one fine text"
    assert (result.attempts, result.input_tokens, result.output_tokens) == (1, 700, 300)
    assert (result.model, result.request_id) == (MODEL, "chat_1")
    assert len(result.prompt_sha256) == len(result.response_sha256) == 64


def test_the_request_is_what_such_servers_take(written):
    _, fake = written(GOOD)
    (seen,) = fake.requests
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["accept-encoding"] == "identity"
    assert (seen.body["model"], seen.body["max_tokens"]) == (MODEL, 2048)
    assert [turn["role"] for turn in seen.body["messages"]] == ["system", "user"]
    shape = seen.body["response_format"]["json_schema"]
    assert shape["strict"] is True
    assert "variations" in shape["schema"]["properties"]


def test_without_a_key_none_is_sent(make_request, purse):
    with completions_server(GOOD) as fake:
        service = ChatService(base_url=fake.url, model=MODEL)
        generator = ModelGenerator(writer=chat_model(service, model=None))
        assert generator.generate(make_request(), purse=purse).outcome == "ok"
        assert "authorization" not in fake.requests[0].headers


def test_a_model_of_one_s_own_costs_nothing_and_its_tokens_are_told(written, purse):
    result, _ = written(GOOD)
    assert (result.dollars, purse.reserved, purse.settled) == (0.0, [0.0], [0.0])
    assert purse.tokens == [(700, 300)]


def test_where_the_operator_names_a_price_it_is_reserved_and_billed(written, purse):
    result, _ = written(GOOD, price=Price(input=1.0, output=2.0))
    assert result.dollars == pytest.approx(0.0013)
    assert purse.reserved[0] > purse.settled[0] == result.dollars


@pytest.mark.parametrize(
    ("document", "outcome", "category"),
    [
        (completion('{"variations": [', finish_reason="length"), "truncated", "max_tokens"),
        (completion("", finish_reason="content_filter"), "refused", "content_filter"),
        (completion(None, refusal="I would rather not."), "refused", "unspecified"),
        (completion("no json"), "invalid", "malformed_answer"),
        (completion(""), "invalid", "empty_answer"),
        (completion(None), "invalid", "empty_answer"),
        (completion("{}", finish_reason="tool_calls"), "invalid", "unexpected_stop"),
        (completion("{}", finish_reason=None), "invalid", "unexpected_stop"),
        ({"choices": []}, "invalid", "malformed_answer"),
        ({"choices": [7]}, "invalid", "malformed_answer"),
        ([], "invalid", "malformed_answer"),
        ({"error": {"message": "in a 200"}}, "invalid", "malformed_answer"),
    ],
)
def test_every_answer_has_a_named_outcome(written, document, outcome, category):
    result, _ = written(answer(document))
    assert (result.outcome, result.category, result.variations) == (outcome, category, ())


def test_a_truncated_answer_is_asked_for_again_by_half(written):
    cut = answer(completion("{", finish_reason="length"))
    result, fake = written(cut, texts("the only one"))
    assert result.outcome == "shortfall"
    assert len(fake.requests) == 2


def test_content_in_parts_is_read_as_one_text(written):
    parts = [{"type": "text", "text": '{"variations": [{"te'}, {"text": 'xt": "in parts"}]}'}]
    result, _ = written(answer(completion(parts)))
    assert [v.text for v in result.variations] == ["in parts"]


def test_without_usage_the_worst_case_is_kept(written, purse):
    document = completion('{"variations": []}')
    del document["usage"]
    written(answer(document), price=Price(input=1.0, output=2.0))
    assert purse.settled == purse.reserved


@pytest.mark.parametrize(
    ("step", "category", "attempts"),
    [
        (server.status(401, "invalid_api_key"), "invalid_api_key", 1),
        (server.status(404, "not_found"), "not_found", 1),
        (server.status(429, "insufficient_quota"), "insufficient_quota", 1),
        (server.status(429, "rate_limit_exceeded"), "rate_limit_exceeded", 4),
        (server.status(503, "overloaded"), "overloaded", 4),
        (server.bare_status(502), "http_502", 4),
        (server.bare_status(302), "http_302", 1),
        (server.hang_up, "connection_lost", 4),
        (server.cut_body, "connection_lost", 4),
    ],
)
def test_trouble_is_tried_again_only_where_that_can_help(written, step, category, attempts):
    result, _ = written(step)
    assert (result.outcome, result.category) == ("unavailable", category)
    assert result.attempts == attempts


@pytest.mark.parametrize(
    ("step", "category"),
    [(server.huge, "answer_too_large"), (server.compressed, "answer_compressed")],
)
def test_an_answer_nobody_should_read_is_not_read(written, step, category):
    result, _ = written(step)
    assert (result.outcome, result.category, result.attempts) == ("invalid", category, 1)


def test_a_redirect_is_not_followed(written):
    def elsewhere(handler):
        handler.raw(307, b"", {"location": "http://127.0.0.1:9/v1/chat/completions"})

    result, fake = written(elsewhere)
    assert (result.category, len(fake.requests)) == ("http_307", 1)


@pytest.mark.parametrize("step", [server.drip(0.05), server.drip_head(0.05), server.hang])
def test_a_slow_server_cannot_hold_the_call_past_its_deadline(make_request, purse, step):
    with completions_server(step) as fake:
        service = ChatService(base_url=fake.url, model=MODEL)
        limits = {"deadline_s": 0.5, "timeout_s": 0.5, "max_attempts": 1}
        generator = ModelGenerator(writer=chat_model(service, model=None, **limits))
        began = time.monotonic()
        result = generator.generate(make_request(), purse=purse)
        took = time.monotonic() - began
    assert (result.outcome, result.category) == ("unavailable", "timeout")
    assert took < 5


def test_nobody_home_is_tried_again_and_never_billed(model, make_request, purse):
    with refusing_port() as url:
        writer = model(f"{url}/v1", price=Price(input=1.0, output=1.0))
        result = ModelGenerator(writer=writer).generate(make_request(), purse=purse)
    assert (result.category, result.attempts) == ("connection_error", 4)
    assert purse.settled == [0.0] * 4


def test_an_empty_purse_means_no_request(model, make_request, make_purse):
    with completions_server(GOOD) as fake:
        writer = model(fake.url, price=Price(input=1.0, output=1.0))
        purse = make_purse(limit=1e-9)
        assert ModelGenerator(writer=writer).generate(make_request(), purse=purse).attempts == 0
        assert fake.requests == []


def test_a_judge_may_be_one_too(model, purse):
    row = {"n": 1, "labels": ["harm"], "confidence": 0.8, "abstain": False}
    question = Question(
        classes=(LabelClass(id="harm", name="Harm"), LabelClass(id="none", name="None")),
        multi_label=False,
        texts=("some text",),
    )
    with completions_server(answer(completion(json.dumps({"answers": [row]})))) as fake:
        judgement = ModelJudge(reader=model(fake.url)).judge(question, purse=purse)
        (prompt,) = prompts(fake)
    assert judgement.opinions == (Opinion(labels=("harm",), confidence=0.8),)
    assert "some text" in prompt


# --- set up ---------------------------------------------------------------------------


@pytest.mark.parametrize("service", [None, ChatService(base_url="http://127.0.0.1:9/v1")])
def test_without_an_address_or_a_model_it_is_not_configured(service):
    with pytest.raises(Conflict) as refusal:
        chat_model(service, model=None)
    assert refusal.value.code == "generator-not-configured"


def test_a_session_may_name_another_model_of_the_server():
    service = ChatService(base_url="http://127.0.0.1:9/v1", model=MODEL)
    assert chat_model(service, model="larger").model == "larger"


@pytest.mark.parametrize("options", [{"model": 7}, {"max_tokens": 5}, {"deadline_s": 0}])
def test_options_out_of_range_are_refused(options):
    service = ChatService(base_url="http://127.0.0.1:9/v1", model=MODEL)
    with pytest.raises(InvalidOption):
        chat_model(service, **{"model": None, **options})


def test_the_key_is_in_no_repr():
    service = ChatService(base_url="http://127.0.0.1:9/v1", api_key=KEY, model=MODEL)
    assert KEY not in repr(chat_model(service, model=None))
