"""Generators by name, and what ``auto`` means."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adapters.generators import generators, resolve
from core.errors import Conflict, InvalidInput, InvalidOption
from core.records import Choice


@pytest.fixture
def registry():
    return generators(
        anthropic_key=None, anthropic_base_url=None, reserve=None, class_ids=("a", "b")
    )


def test_the_built_in_generators_are_registered(registry):
    known = {"anthropic", "openai_compatible", "local", "simulated", "perturb"}
    assert set(registry.names()) >= known


def test_auto_is_anthropic_with_a_key_and_perturb_without():
    assert resolve("auto", key_present=True) == "anthropic"
    assert resolve("auto", key_present=False) == "perturb"
    assert resolve("simulated", key_present=True) == "simulated"


def test_auto_prefers_a_key_to_a_server_of_one_s_own_and_that_to_rules():
    assert resolve("auto", key_present=True, chat_present=True) == "anthropic"
    assert resolve("auto", key_present=False, chat_present=True) == "openai_compatible"


def test_options_reach_the_generator(registry):
    assert registry.make(Choice(name="perturb", options={"edits": 2})).edits == 2


def test_a_key_makes_a_paid_generator():
    registry = generators(
        anthropic_key="k", anthropic_base_url=None, reserve=None, class_ids=("a",)
    )
    generator = registry.make(Choice(name="anthropic", options={"max_attempts": 2}))
    assert (generator.paid, generator.model) == (True, "claude-haiku-5-5")


@pytest.mark.parametrize("name", ["anthropic", "openai_compatible", "local", "simulated"])
def test_what_lacks_its_key_or_texts_is_not_configured(registry, name):
    with pytest.raises(Conflict) as refusal:
        registry.make(Choice(name=name))
    assert refusal.value.code == "generator-not-configured"


def test_an_unknown_generator_lists_the_known_ones(registry):
    with pytest.raises(InvalidInput) as refusal:
        registry.make(Choice(name="oracle_of_delphi"))
    assert refusal.value.code == "unknown-generator"
    assert "perturb" in refusal.value.extras["allowed"]


def test_nobody_can_set_the_key_through_an_option(registry):
    with pytest.raises(InvalidOption):
        registry.make(Choice(name="anthropic", options={"api_key": "mine"}))


def test_listing_generators_does_not_import_the_sdk():
    code = "import sys, adapters.generators; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
