"""What a webhook may be sent to, with nothing allowed besides the open internet."""

from __future__ import annotations

import pytest

from adapters.webhooks.address_guard import AddressRefused
from core.errors import InvalidInput

ATTACKS = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:0:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[fec0::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://127.0.0.1./",
    "https://example.com./",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://example.com#@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/#part",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:80/",
    "http://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "//example.com/",
    "example.com",
    "https://",
    "https:///path",
    "https://example.com/a\r\nHost: 127.0.0.1",
    "https://example.com/a%0d%0aHost:%20127.0.0.1",
    "https://example.com/%00",
    "https://example.com/a b",
    "https://example.com/\tb",
    " https://example.com/",
    "https://exa mple.com/",
    "https://-example.com/",
    "https://exämple.com/",
    "https://example.com/" + "a" * 2_048,
    "https://example.com/" + "a" * 300_000,
]
INSIDE = [
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "2001::1",
    "fec0::1",
    "fd00::1",
    "fe80::1%lo",
    "ff0e::1",
    "224.0.0.1",
    "240.0.0.1",
    "0.0.0.0",
    "168.63.129.16",
    "4000::1",
]


@pytest.mark.parametrize("url", ATTACKS, ids=lambda url: url[:50].encode("ascii", "replace"))
def test_an_attack_is_refused_when_it_is_registered(guard_for, url):
    with pytest.raises(InvalidInput) as refused:
        guard_for().check(url)
    assert refused.value.code == "url-not-allowed"
    assert refused.value.errors[0].pointer == "/url"


@pytest.mark.parametrize("url", ATTACKS, ids=lambda url: url[:50].encode("ascii", "replace"))
def test_an_attack_is_refused_again_when_it_is_sent(courier_for, url):
    outcome = courier_for().post(url, headers={}, body=b"{}")
    assert outcome.error == "url-not-allowed"
    assert outcome.status is None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?tenant=1&x=%20y",
        "https://example.com:8443/a/b",
        "https://xn--exmple-cua.com/",
        "https://93.184.215.14/",
        "https://[2606:4700::1111]/",
    ],
)
def test_an_ordinary_url_is_taken(guard_for, url):
    target = guard_for().target(url)
    assert target.scheme == "https"
    assert target.path.startswith("/")


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_at_send(guard_for, address):
    guard = guard_for(names={"example.com": [[address]]})
    with pytest.raises(AddressRefused, match="address-refused"):
        guard.addresses(guard.target("https://example.com/"))


def test_one_bad_address_among_good_ones_refuses_the_name(guard_for):
    guard = guard_for(names={"example.com": [["93.184.215.14", "10.0.0.1"]]})
    with pytest.raises(AddressRefused, match="address-refused"):
        guard.addresses(guard.target("https://example.com/"))


def test_a_name_without_an_address_is_refused(guard_for):
    guard = guard_for(names={})
    with pytest.raises(AddressRefused, match="name-not-resolved"):
        guard.addresses(guard.target("https://example.com/"))


def test_an_allowed_place_may_be_reached_over_http_and_on_its_port_only(guard_for):
    guard = guard_for("receiver.internal:8000")
    assert guard.target("http://receiver.internal:8000/hook").port == 8000
    with pytest.raises(InvalidInput):
        guard.check("http://receiver.internal:8001/hook")


def test_an_allowed_network_lets_its_addresses_through_and_no_others(guard_for):
    guard = guard_for("10.1.0.0/16", names={"example.com": [["10.1.2.3"], ["10.2.0.1"]]})
    assert guard.target("http://10.1.2.3:9000/").port == 9000
    target = guard.target("https://example.com/")
    assert guard.addresses(target) == ["10.1.2.3"]
    with pytest.raises(AddressRefused):
        guard.addresses(target)


def test_the_servers_own_place_is_refused_even_where_its_network_is_allowed(guard_for):
    guard = guard_for("127.0.0.0/8", own=("127.0.0.1", 8080))
    with pytest.raises(InvalidInput):
        guard.check("http://127.0.0.1:8080/v1/callbacks/x")
    assert guard.target("http://127.0.0.1:8081/").port == 8081


def test_a_name_of_the_servers_own_address_is_refused_at_send(guard_for):
    guard = guard_for(
        names={"example.com": [["93.184.215.14"]]},
        own=("0.0.0.0", 8443),
        interfaces=frozenset({"93.184.215.14"}),
    )
    with pytest.raises(AddressRefused, match="address-refused"):
        guard.addresses(guard.target("https://example.com:8443/"))


@pytest.mark.parametrize("own", ["example.com", "example.com:443", "EXAMPLE.com"])
def test_the_name_the_server_was_called_by_is_refused(guard_for, own):
    with pytest.raises(InvalidInput):
        guard_for().check("https://example.com/v1/callbacks/x", own=own)
