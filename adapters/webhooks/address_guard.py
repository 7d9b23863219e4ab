"""Which URLs a webhook may have, and which addresses it may be sent to.

A URL is checked when it is registered and again before each attempt; the addresses of its
name are checked at each attempt, once, and the connection goes to an address that passed.
Nothing is looked up at registration: an answer would tell about names inside our network.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from adapters.webhooks.allow_list import AllowList
from adapters.webhooks.networks import Address, is_public
from core.errors import InvalidInput

LONGEST_URL: Final = 2_048
PORTS: Final = frozenset({443, 8443})
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[!$&-;=@-Z_a-z~%]*)?(?:\?[!$&-;=?-Z_a-z~%]*)?)"
)
"""One plain spelling, in ASCII: no credentials, no fragment, no backslash, no white space."""

CONTROL: Final = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
LONGEST_NAME: Final = 253
INSIDE: Final = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion"}
)
"""Last labels of names that are never on the open internet."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name; raises OSError where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL in its parts; ``host`` in lower case, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"


class AddressRefused(Exception):
    """The name has no address, or one that must not be reached; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WebhookGuard:
    """``own`` are the (host, port) pairs this server listens on; ``interfaces`` gives the
    addresses of this machine."""

    def __init__(
        self,
        *,
        allow: AllowList,
        resolve: Resolve,
        own: frozenset[tuple[str, int]],
        interfaces: Callable[[], frozenset[str]],
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        self._own = own
        self._interfaces = interfaces

    def check(self, url: str, *, own: str | None = None) -> None:
        """Raises InvalidInput ``url-not-allowed``."""
        target = self.target(url)
        if own is not None and own.lower() in {target.authority, f"{target.host}:{target.port}"}:
            raise _refused("this is the server's own address")

    def target(self, url: str) -> Target:
        """The URL in its parts; raises InvalidInput ``url-not-allowed``."""
        target = _parsed(url)
        if (target.host, target.port) in self._own:
            raise _refused("this is the server's own address")
        place = self._allow.has_place(target.host, target.port)
        network = target.address is not None and self._allow.has_address(target.address)
        if place or network:
            return target
        if target.scheme != "https":
            raise _refused("webhooks go over https")
        if target.port not in PORTS:
            raise _refused("webhooks go to port 443 or 8443")
        if target.address is not None and not is_public(target.address):
            raise _refused("this address is not on the open internet")
        if target.address is None and _is_inside(target.host):
            raise _refused("this name is not on the open internet")
        return target

    def addresses(self, target: Target) -> Sequence[str]:
        """Resolve once; every address must pass. Raises AddressRefused."""
        try:
            found = (
                [str(target.address)] if target.address else self._resolve(target.host, target.port)
            )
            addresses = [ip_address(text) for text in found]
        except (OSError, ValueError, UnicodeError):
            raise AddressRefused("name-not-resolved") from None
        if not addresses:
            raise AddressRefused("name-not-resolved")
        place = self._allow.has_place(target.host, target.port)
        listening = any(port == target.port for _, port in self._own)
        mine = self._interfaces() if listening else frozenset()
        for address in addresses:
            ours = str(address) in mine or address.is_loopback or address.is_unspecified
            if listening and ours:
                raise AddressRefused("address-refused")
            if not (place or self._allow.has_address(address) or is_public(address)):
                raise AddressRefused("address-refused")
        return [str(address) for address in addresses]


def resolve(host: str, port: int) -> Sequence[str]:
    """By the machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _parsed(url: str) -> Target:
    if len(url) > LONGEST_URL:
        raise _refused(f"a URL has at most {LONGEST_URL} characters")
    parts = URL.fullmatch(url)
    if parts is None or CONTROL.search(url):
        raise _refused("write it as https://host/path, in plain ASCII, without user or fragment")
    scheme, port = parts["scheme"], int(parts["port"] or DEFAULT_PORTS[parts["scheme"]])
    if not 0 < port < 65_536:  # noqa: PLR2004 -- the last port
        raise _refused("there is no such port")
    path = parts["target"]
    address = _literal(parts["host"])
    return Target(
        scheme=scheme,
        host=parts["host"].lower() if address is None else str(address),
        port=port,
        path=path if path.startswith("/") else f"/{path}",
        address=address,
    )


def _literal(host: str) -> Address | None:
    """The address a host spells out, None for a name; other spellings of numbers are refused."""
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except ValueError:
        if not _is_name(host):
            raise _refused("this is neither a host name nor a plain address") from None
        return None


def _is_name(host: str) -> bool:
    """Whether no resolver could take it for a number: 127.1, 0x7f.1 and 2130706433 are some."""
    labels = host.split(".")
    well_formed = all(map(LABEL.fullmatch, labels)) and len(host) <= LONGEST_NAME
    return well_formed and not NUMBER.fullmatch(labels[-1])


def _is_inside(host: str) -> bool:
    labels = host.split(".")
    return len(labels) == 1 or labels[-1] in INSIDE


def _refused(detail: str) -> InvalidInput:
    return InvalidInput.at("/url", detail, code="url-not-allowed")
