"""What the operator writes in TAILWISE_WEBHOOK_ALLOW."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from adapters.webhooks.allow_list import parse_allow_list
from core.errors import InvalidInput
from runtime.settings import load_settings


def test_nothing_is_allowed_by_default():
    allow = parse_allow_list(load_settings({}).webhook_allow)
    assert allow.places == frozenset()
    assert allow.networks == ()


def test_places_and_networks_are_told_apart():
    allow = parse_allow_list(" Receiver.Internal:8000, 10.1.0.0/16,[FD00::1]:443 ,")
    assert allow.has_place("receiver.internal", 8000)
    assert allow.has_place("fd00::1", 443)
    assert allow.has_address(ip_address("10.1.2.3"))
    assert not allow.has_address(ip_address("10.2.0.1"))
    assert not allow.has_address(ip_address("fd00::1"))


@pytest.mark.parametrize(
    "entry", ["*", "example.com", "http://a:1", "10.1.0.5/16", "a:99999", "a:0"]
)
def test_anything_else_stops_the_server_at_its_start(entry):
    with pytest.raises(InvalidInput, match="TAILWISE_WEBHOOK_ALLOW must be exact host:port"):
        load_settings({"TAILWISE_WEBHOOK_ALLOW": entry})
