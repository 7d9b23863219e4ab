"""The ledger of paid attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import records_of, row_of
from adapters.store.tables import costs
from core.records import Cost, Page


class SqlCosts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, cost: Cost) -> None:
        self._connection.execute(sa.insert(costs), row_of(cost))

    def settle(
        self,
        cost_id: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        """An attempt that cost nothing is released; what is settled already stays."""
        billed = bool(dollars or input_tokens or output_tokens)
        settled = (
            sa.update(costs)
            .where(costs.c.id == cost_id, costs.c.state == "reserved")
            .values(
                state="settled" if billed else "released",
                dollars=dollars,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                request_id=request_id,
            )
        )
        self._connection.execute(settled)

    def total(self, session_id: str, *, operation_id: str | None = None) -> float:
        query = sa.select(sa.func.sum(costs.c.dollars)).where(costs.c.session_id == session_id)
        if operation_id is not None:
            query = query.where(costs.c.operation_id == operation_id)
        return float(self._connection.execute(query).scalar() or 0.0)

    def by_operation(self, session_id: str) -> Mapping[str, float]:
        query = sa.select(costs.c.operation_id, sa.func.sum(costs.c.dollars))
        query = query.where(costs.c.session_id == session_id).group_by(costs.c.operation_id)
        return {operation: float(spent) for operation, spent in self._connection.execute(query)}

    def list(self, session_id: str, page: Page) -> Sequence[Cost]:
        """By id."""
        query = sa.select(costs).where(costs.c.session_id == session_id)
        if page.after is not None:
            query = query.where(costs.c.id > page.after)
        query = query.order_by(costs.c.id).limit(page.limit)
        return records_of(Cost, self._connection.execute(query))
