"""What comes from outside: the environment's address and key, and the time of day."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tailwise_client.errors import NotConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An address, and a key that is shown nowhere."""

    url: str
    api_key: str = field(repr=False)


def access(url: str | None, api_key: str | None) -> Access:
    """What is given, else TAILWISE_URL and TAILWISE_API_KEY; raises NotConfigured."""
    return Access(
        url=variable("TAILWISE_URL", url, argument="url").rstrip("/"),
        api_key=variable("TAILWISE_API_KEY", api_key, argument="api_key"),
    )


def variable(name: str, given: str | None, *, argument: str) -> str:
    """``given``, else the environment's variable; raises NotConfigured."""
    found = given or os.environ.get(name, "")
    if not found:
        message = f"pass {argument}, or set {name}"
        raise NotConfigured(message)
    return found


def utc_now() -> datetime:
    """The time of day, which signatures carry."""
    return datetime.now(UTC)
