"""Operations: who runs, who waits, and who holds a lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import plain, record_of, records_of, row_of
from adapters.store.indexes import refer
from adapters.store.statements import claim
from adapters.store.tables import operations
from core.errors import Conflict, NotFound, Unavailable
from core.records import FINISHED, Operation, OperationKind, OperationState, Options, Page, Progress

ATTEMPTS = 5
"""How often a lane may change hands while an operation tries to take it."""

_UNFINISHED = operations.c.state.in_(["queued", "running"])


class SqlOperations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, operation: Operation) -> None:
        """The same lane or request key is in use: Conflict names the operation that holds it."""
        for _ in range(ATTEMPTS):
            if claim(self._connection, operations, row_of(operation)):
                self._refer(operation.tenant_id, operation.session_id, operation.input)
                return
            holder = self._holder(operation)
            if holder is not None:
                raise Conflict(
                    "another operation of that kind is not finished yet",
                    code="operation-in-progress",
                    extras={"operation": holder.id, "kind": holder.kind},
                )
        raise Unavailable("the operation's lane keeps changing hands; try again")

    def get(self, tenant_id: str, operation_id: str) -> Operation:
        found = self._one(operations.c.tenant_id == tenant_id, operations.c.id == operation_id)
        if found is None:
            raise NotFound("there is no such operation", code="unknown-operation")
        return found

    def by_request(self, tenant_id: str, request_key: str) -> Operation | None:
        return self._one(
            operations.c.tenant_id == tenant_id, operations.c.request_key == request_key
        )

    def start(self, operation_id: str, *, now: datetime) -> Operation:
        """Raises NotFound ``unknown-operation``; ``started_at`` is when it first ran."""
        self._change(
            operation_id,
            state="running",
            attempt=operations.c.attempt + 1,
            started_at=sa.func.coalesce(
                operations.c.started_at, sa.literal(now, operations.c.started_at.type)
            ),
        )
        found = self._one(operations.c.id == operation_id)
        if found is None:
            raise NotFound("there is no such operation", code="unknown-operation")
        return found

    def progress(self, operation_id: str, progress: Progress) -> None:
        self._change(operation_id, progress=plain(progress))

    def finish(
        self,
        operation_id: str,
        state: OperationState,
        *,
        result: Options | None,
        error: Options | None,
        now: datetime,
    ) -> None:
        """``state`` is one of ``FINISHED``."""
        if state not in FINISHED:
            message = f"{state} is not how an operation ends"
            raise ValueError(message)
        changed = self._change(
            operation_id,
            state=state,
            lane=None,
            result=plain(result),
            error=plain(error),
            finished_at=now,
        )
        ended = self._one(operations.c.id == operation_id) if changed else None
        if ended is not None:
            named = result or (error or {}).get("extras") or {}
            self._refer(ended.tenant_id, ended.session_id, named)

    def request_cancel(self, operation_id: str) -> None:
        self._change(operation_id, cancel_requested=True)

    def cancel_requested(self, operation_id: str) -> bool:
        """True also where it is gone: it went with its session, and has nothing more to do."""
        query = sa.select(operations.c.cancel_requested).where(operations.c.id == operation_id)
        asked = self._connection.execute(query).scalar()
        return asked is None or bool(asked)

    def unfinished(
        self, session_id: str, kinds: Sequence[OperationKind] = ()
    ) -> Sequence[Operation]:
        """By id; no ``kinds`` means all of them."""
        query = sa.select(operations).where(operations.c.session_id == session_id, _UNFINISHED)
        if kinds:
            query = query.where(operations.c.kind.in_(kinds))
        return self._many(query.order_by(operations.c.id))

    def queued(self, *, limit: int = 100) -> Sequence[Operation]:
        query = sa.select(operations).where(operations.c.state == "queued")
        return self._many(query.order_by(operations.c.created_at, operations.c.id).limit(limit))

    def list(
        self,
        tenant_id: str,
        page: Page,
        *,
        session_id: str | None = None,
        kind: str | None = None,
        state: str | None = None,
    ) -> Sequence[Operation]:
        """By id."""
        query = sa.select(operations).where(operations.c.tenant_id == tenant_id)
        if session_id is not None:
            query = query.where(operations.c.session_id == session_id)
        if kind is not None:
            query = query.where(operations.c.kind == kind)
        if state is not None:
            query = query.where(operations.c.state == state)
        if page.after is not None:
            query = query.where(operations.c.id > page.after)
        return self._many(query.order_by(operations.c.id).limit(page.limit))

    def count(self, session_id: str, kind: OperationKind) -> int:
        query = sa.select(sa.func.count()).where(
            operations.c.session_id == session_id, operations.c.kind == kind
        )
        return int(self._connection.execute(query).scalar_one())

    def counts(self) -> Mapping[tuple[str, str], int]:
        by = (operations.c.kind, operations.c.state)
        query = sa.select(*by, sa.func.count()).group_by(*by)
        return {(kind, state): count for kind, state, count in self._connection.execute(query)}

    def _change(self, operation_id: str, **values: Any) -> int:
        """Change an unfinished operation; how many rows that were."""
        which = sa.and_(operations.c.id == operation_id, _UNFINISHED)
        return self._connection.execute(sa.update(operations).where(which).values(values)).rowcount

    def _holder(self, operation: Operation) -> Operation | None:
        """Who has what ``operation`` was refused; None when the holder has just finished."""
        same = operations.c.id == operation.id
        if operation.lane is not None:
            same |= operations.c.lane == operation.lane
        if operation.request_key is not None:
            same |= (operations.c.tenant_id == operation.tenant_id) & (
                operations.c.request_key == operation.request_key
            )
        found = self._many(sa.select(operations).where(same).limit(1))
        return found[0] if found else None

    def _one(self, *wanted: sa.ColumnElement[bool]) -> Operation | None:
        row = self._connection.execute(sa.select(operations).where(*wanted)).mappings().first()
        return record_of(Operation, row) if row else None

    def _many(self, query: sa.Select[Any]) -> Sequence[Operation]:
        return records_of(Operation, self._connection.execute(query))

    def _refer(self, tenant_id: str, session_id: str, document: Options) -> None:
        """An operation's files live as long as its session."""
        named = (document.get(key) for key in ("blob", "errors_blob"))
        refer(
            self._connection,
            tenant_id=tenant_id,
            session_id=session_id,
            digests=[digest for digest in named if isinstance(digest, str)],
        )
