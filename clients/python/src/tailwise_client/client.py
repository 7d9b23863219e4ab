"""The clients: where the service is, which key is used, how patient to be."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType

import httpx2

from tailwise_client.binding import Awaiting, Blocking
from tailwise_client.configuration import Access, access, utc_now
from tailwise_client.drivers import AsyncDriver, Driver
from tailwise_client.retrying import Retries
from tailwise_client.sending import Sender, fresh_key
from tailwise_client.session import AsyncSessionClient, SessionClient
from tailwise_client.verbs.account import AccountVerbs, S
from tailwise_client.verbs.endpoints import EndpointVerbs
from tailwise_client.verbs.people import PeopleVerbs

TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
USER_AGENT = "tailwise-client/0.1"


class TenantVerbs(AccountVerbs[S], PeopleVerbs, EndpointVerbs):
    """All verbs that are not of one session."""


class Tailwise(Blocking, TenantVerbs[SessionClient]):
    """A service, as one key sees it; every method does its work and returns.

    ``url`` and ``api_key`` default to the variables TAILWISE_URL and TAILWISE_API_KEY.
    ``timeout`` bounds each attempt, in seconds; ``retries`` says how many there are. A
    ``transport`` of your own brings proxies or certificates (``httpx2.HTTPTransport``). Time
    and chance can be given too: ``sleep``, ``monotonic``, ``wall``, ``chance``, ``new_key``.

    Use it as a context manager, or close it. Raises NotConfigured.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float | httpx2.Timeout = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
        new_key: Callable[[], str] = fresh_key,
    ) -> None:
        where = access(url, api_key)
        self.url = where.url
        http = httpx2.Client(
            base_url=where.url, headers=_headers(where), timeout=timeout, transport=transport
        )
        self._driver = Driver(http, sleep=sleep)
        sender = _sender(retries, chance=chance, new_key=new_key, monotonic=monotonic, wall=wall)
        super().__init__(sender=sender, open_session=self.session)
        self._plain = TenantVerbs(sender=sender, open_session=self.session)

    def session(self, id: str) -> SessionClient:
        """A client of one session; asks the service nothing."""
        return SessionClient(id, sender=self._sender, driver=self._driver)

    def close(self) -> None:
        """Close its connections."""
        self._driver.close()

    def __enter__(self) -> Tailwise:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Tailwise({self.url!r})"


class AsyncTailwise(Awaiting, TenantVerbs[AsyncSessionClient]):
    """The same for asyncio: methods return something to await, listings are ``async for``."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float | httpx2.Timeout = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
        new_key: Callable[[], str] = fresh_key,
    ) -> None:
        where = access(url, api_key)
        self.url = where.url
        http = httpx2.AsyncClient(
            base_url=where.url, headers=_headers(where), timeout=timeout, transport=transport
        )
        self._driver = AsyncDriver(http, sleep=sleep)
        sender = _sender(retries, chance=chance, new_key=new_key, monotonic=monotonic, wall=wall)
        super().__init__(sender=sender, open_session=self.session)
        self._plain = TenantVerbs(sender=sender, open_session=self.session)

    def session(self, id: str) -> AsyncSessionClient:
        """A client of one session; asks the service nothing."""
        return AsyncSessionClient(id, sender=self._sender, driver=self._driver)

    async def close(self) -> None:
        """Close its connections."""
        await self._driver.close()

    async def __aenter__(self) -> AsyncTailwise:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncTailwise({self.url!r})"


def _headers(where: Access) -> dict[str, str]:
    return {"Authorization": f"Bearer {where.api_key}", "User-Agent": USER_AGENT}


def _sender(
    retries: Retries | None,
    *,
    chance: random.Random | None,
    new_key: Callable[[], str],
    monotonic: Callable[[], float],
    wall: Callable[[], datetime],
) -> Sender:
    return Sender(
        retries=retries or Retries(),
        chance=chance or random.Random(),  # noqa: S311  (spreads waits, keeps no secret)
        new_key=new_key,
        monotonic=monotonic,
        wall=wall,
    )
