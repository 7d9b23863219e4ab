"""One session, as both clients see it."""

from __future__ import annotations

from collections.abc import Sequence

from tailwise_client.binding import Awaiting, Blocking
from tailwise_client.drivers import AsyncDriver, Driver
from tailwise_client.leases import AsyncLease, Lease
from tailwise_client.loop import LoopVerbs
from tailwise_client.sending import Sender


class SessionClient(Blocking, LoopVerbs):
    """The verbs of one session; each does its work and returns."""

    def __init__(self, id: str, *, sender: Sender, driver: Driver) -> None:
        super().__init__(id, sender=sender)
        self._driver = driver
        self._plain = LoopVerbs(id, sender=sender)

    def lease(
        self,
        *,
        count: int = 1,
        ttl_s: int | None = None,
        batch_id: str | None = None,
        languages: Sequence[str] | None = None,
        avoid_topics: Sequence[str] | None = None,
    ) -> Lease:
        """``with session.lease(count=5) as held:`` claims items and releases what is left."""
        return Lease(
            LoopVerbs(self.id, sender=self._sender),
            driver=self._driver,
            count=count,
            ttl_s=ttl_s,
            batch_id=batch_id,
            languages=languages,
            avoid_topics=avoid_topics,
        )


class AsyncSessionClient(Awaiting, LoopVerbs):
    """The verbs of one session; each returns something to await."""

    def __init__(self, id: str, *, sender: Sender, driver: AsyncDriver) -> None:
        super().__init__(id, sender=sender)
        self._driver = driver
        self._plain = LoopVerbs(id, sender=sender)

    def lease(
        self,
        *,
        count: int = 1,
        ttl_s: int | None = None,
        batch_id: str | None = None,
        languages: Sequence[str] | None = None,
        avoid_topics: Sequence[str] | None = None,
    ) -> AsyncLease:
        """``async with session.lease(count=5) as held:`` claims, and releases what is left."""
        return AsyncLease(
            LoopVerbs(self.id, sender=self._sender),
            driver=self._driver,
            count=count,
            ttl_s=ttl_s,
            batch_id=batch_id,
            languages=languages,
            avoid_topics=avoid_topics,
        )
