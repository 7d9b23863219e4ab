"""Which model judges and writes on a server, as its settings say."""

from __future__ import annotations

import pytest

from core.budget import Price
from core.records import Choice
from runtime.answering import chat_service, known_oracles
from runtime.settings import load_settings

OWN = {"TAILWISE_OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "TAILWISE_OPENAI_MODEL": "smol"}
KEY = {"TAILWISE_ANTHROPIC_API_KEY": "k"}


def judge_of(environment):
    oracle = known_oracles(load_settings(environment)).make(Choice(name="llm"))
    return oracle.judge()


@pytest.mark.parametrize(
    ("environment", "name"),
    [(OWN, "openai_compatible"), (KEY, "anthropic"), ({**OWN, **KEY}, "anthropic")],
)
def test_auto_asks_what_this_server_is_set_up_for(environment, name):
    assert judge_of(environment).name == name


def test_without_an_address_there_is_no_service_of_one_s_own():
    assert chat_service(load_settings({"TAILWISE_OPENAI_MODEL": "smol"})) is None


def test_a_service_costs_nothing_unless_the_operator_says_so():
    free = chat_service(load_settings(OWN))
    paid = chat_service(load_settings({**OWN, "TAILWISE_OPENAI_OUTPUT_PRICE": "0.6"}))
    assert (free.price, paid.price) == (None, Price(input=0.0, output=0.6))


def test_its_key_is_in_no_repr():
    service = chat_service(load_settings({**OWN, "TAILWISE_OPENAI_API_KEY": "canary"}))
    assert service.api_key == "canary"
    assert "canary" not in repr(service)
