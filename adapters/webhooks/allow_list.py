"""What the operator, and nobody else, allows webhooks to reach besides the open internet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from adapters.webhooks.networks import Address

PLACE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
SENTENCE: Final = "exact host:port pairs or networks such as 10.1.0.0/16, separated by commas"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """``places`` are (host in lower case, port); both kinds may be reached over http too."""

    places: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def has_place(self, host: str, port: int) -> bool:
        """Whether the operator allowed exactly this host and port, whatever it resolves to."""
        return (host.lower(), port) in self.places

    def has_address(self, address: Address) -> bool:
        """Whether the address lies in an allowed network of its own IP version."""
        return any(address.version == n.version and address in n for n in self.networks)


def parse_allow_list(text: str) -> AllowList:
    """Raises ValueError with what is allowed."""
    places: set[tuple[str, int]] = set()
    networks: list[IPv4Network | IPv6Network] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        place = PLACE.fullmatch(entry)
        if place is not None and 0 < int(place[2]) <= 65_535:  # noqa: PLR2004 -- the last port
            places.add((_host(place[1]), int(place[2])))
        else:
            networks.append(_network(entry))
    return AllowList(places=frozenset(places), networks=tuple(networks))


def _host(written: str) -> str:
    bare = written.strip("[]").lower()
    return str(ip_address(bare)) if written.startswith("[") else bare


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry)
    except ValueError:
        raise ValueError(SENTENCE) from None
