"""The budget as a generator sees it: a ledger row before each attempt, the bill after it."""

from __future__ import annotations

from collections.abc import Callable

from core.budget import Spend
from core.ports import Clock, Ids, Repositories, Store
from core.records import Cost, Session


class SessionPurse:
    """Reserves against the session's dollars and, where given, this operation's own limit.

    A reservation that is never settled (the process died, the answer was lost) keeps
    counting: the money may have been spent.
    """

    def __init__(
        self,
        session: Session,
        *,
        operation_id: str,
        generator: str,
        model: str | None,
        max_dollars: float | None,
        store: Store,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._session = session
        self._operation_id = operation_id
        self._generator = generator
        self._model = model
        self._max_dollars = max_dollars
        self._store = store
        self._clock = clock
        self._ids = ids

    def reserve(
        self, dollars: float, *, alongside: Callable[[Repositories, str], None] | None = None
    ) -> str:
        """Raises Conflict ``budget-exceeded``; the check and the row share a transaction, as
        does what ``alongside`` writes, which gets the reservation's id."""
        cost = Cost(
            id=self._ids.new("cst"),
            tenant_id=self._session.tenant_id,
            session_id=self._session.id,
            operation_id=self._operation_id,
            generator=self._generator,
            model=self._model,
            state="reserved",
            dollars=dollars,
            created_at=self._clock.now(),
        )
        with self._store.write() as tx:
            session = tx.sessions.get(self._session.tenant_id, self._session.id, lock=True)
            for spend in self._spends(tx, session):
                spend.check(dollars)
            tx.costs.add(cost)
            if alongside is not None:
                alongside(tx, cost.id)
        return cost.id

    def settle(
        self,
        reservation: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        with self._store.write() as tx:
            tx.costs.settle(
                reservation,
                dollars=dollars,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                request_id=request_id,
            )

    def _spends(self, tx: Repositories, session: Session) -> list[Spend]:
        own = tx.costs.total(session.id, operation_id=self._operation_id)
        return [
            Spend(limit=session.settings.budget.dollars, spent=tx.costs.total(session.id)),
            Spend(limit=self._max_dollars, spent=own),
        ]
