"""Items held for a while: claimed on entry, and what is left unanswered released on exit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from tailwise_client.asking import NewLabel
from tailwise_client.binding import Awaiting, Blocking, Described, verb
from tailwise_client.drivers import AsyncDriver, Driver
from tailwise_client.errors import LeaseExpired, NotAllowed
from tailwise_client.records.people import Assignment, Claim, ItemState
from tailwise_client.records.rounds import LabelRow
from tailwise_client.steps import Flow
from tailwise_client.verbs.session import SessionVerbs


class LeaseVerbs(Described):
    """What somebody does with the items they hold. Iterating gives the assignments.

    ``reason`` and ``retry_after_s`` say why there are none.
    """

    def __init__(self, session: SessionVerbs, **asked: Any) -> None:
        super().__init__(sender=session._sender)
        self._session = session
        self._asked = asked
        self._held: dict[str, Assignment] = {}
        self.assignments: tuple[Assignment, ...] = ()
        self.reason: str | None = None
        self.retry_after_s: float | None = None

    def __iter__(self) -> Iterator[Assignment]:
        return iter(self.assignments)

    def __len__(self) -> int:
        return len(self.assignments)

    @verb
    def label(
        self,
        assignment: Assignment,
        labels: str | Sequence[str],
        *,
        note: str | None = None,
        duration_ms: int | None = None,
    ) -> Flow[LabelRow]:
        """Answer one; safe to repeat, since the assignment's id names the answer."""
        answer = NewLabel(
            item_id=assignment.item.id,
            labels=[labels] if isinstance(labels, str) else list(labels),
            assignment_id=assignment.id,
            lease_token=assignment.lease_token,
            client_label_id=assignment.id,
            note=note,
            duration_ms=duration_ms,
        )
        result = yield from self._session.label([answer])
        self._held.pop(assignment.id, None)
        return result.results[0]

    @verb
    def skip(self, assignment: Assignment, *, reason: str | None = None) -> Flow[ItemState]:
        """Decline one."""
        found = yield from self._session.skip(assignment, reason=reason)
        self._held.pop(assignment.id, None)
        return found

    @verb
    def flag(
        self, assignment: Assignment, reason: str, *, note: str | None = None
    ) -> Flow[ItemState]:
        """Hand one to a lead."""
        found = yield from self._session.flag(assignment, reason, note=note)
        self._held.pop(assignment.id, None)
        return found

    @verb
    def heartbeat(self, *, ttl_s: int | None = None) -> Flow[None]:
        """Keep all that is unanswered; call it well within the time to live."""
        for assignment in tuple(self._held.values()):
            yield from self._session.heartbeat(assignment, ttl_s=ttl_s)

    @verb
    def release(self) -> Flow[None]:
        """Give back all that is unanswered; what ran out meanwhile is forgotten."""
        for assignment in tuple(self._held.values()):
            with suppress(LeaseExpired, NotAllowed):
                yield from self._session.release(assignment)
            self._held.pop(assignment.id, None)

    def _claim(self) -> Flow[Claim]:
        return self._session.claim(**self._asked)

    def _take(self, claim: Claim) -> None:
        self.assignments = claim.assignments
        self.reason = claim.reason
        self.retry_after_s = claim.retry_after_s
        self._held.update({each.id: each for each in claim.assignments})


class Lease(Blocking, LeaseVerbs):
    """A context manager; made by ``SessionClient.lease``."""

    def __init__(self, session: SessionVerbs, *, driver: Driver, **asked: Any) -> None:
        super().__init__(session, **asked)
        self._driver = driver
        self._plain = _sharing(self, session)

    def __enter__(self) -> Lease:
        self._take(self._driver.run(self._claim()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.release()


class AsyncLease(Awaiting, LeaseVerbs):
    """An asynchronous context manager; made by ``AsyncSessionClient.lease``."""

    def __init__(self, session: SessionVerbs, *, driver: AsyncDriver, **asked: Any) -> None:
        super().__init__(session, **asked)
        self._driver = driver
        self._plain = _sharing(self, session)

    async def __aenter__(self) -> AsyncLease:
        self._take(await self._driver.run(self._claim()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        await self.release()


def _sharing(lease: LeaseVerbs, session: SessionVerbs) -> LeaseVerbs:
    """The same verbs as flows, over the same held items."""
    plain = LeaseVerbs(session)
    plain._held = lease._held
    return plain
