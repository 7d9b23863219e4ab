"""Trained models; at most one per session is active, which the database itself holds."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, records_of, row_of
from adapters.store.indexes import refer
from adapters.store.statements import lock_session
from adapters.store.tables import models
from core.errors import Gone, NotFound
from core.records import Model, ModelState, Page


class SqlModels:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, model: Model) -> None:
        self._connection.execute(sa.insert(models), row_of(model))
        refer(
            self._connection,
            tenant_id=model.tenant_id,
            session_id=model.session_id,
            digests=[model.onnx],
        )

    def get(self, session_id: str, model_id: str) -> Model:
        query = sa.select(models).where(_of(session_id), models.c.id == model_id)
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("the session has no such model", code="unknown-model")
        model = record_of(Model, row)
        if model.state == "deleted":
            raise Gone("the model was deleted", code="model-deleted")
        return model

    def active(self, session_id: str) -> Model | None:
        # Written as in the partial index, so that it is used.
        query = sa.select(models).where(
            _of(session_id), models.c.state == sa.literal_column("'active'")
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return record_of(Model, row) if row else None

    def list(self, session_id: str, page: Page) -> Sequence[Model]:
        """By id."""
        query = sa.select(models).where(_of(session_id), _STANDING)
        if page.after is not None:
            query = query.where(models.c.id > page.after)
        query = query.order_by(models.c.id).limit(page.limit)
        return records_of(Model, self._connection.execute(query))

    def all(self, session_id: str) -> Sequence[Model]:
        """By version."""
        query = sa.select(models).where(_of(session_id), _STANDING).order_by(models.c.version)
        return records_of(Model, self._connection.execute(query))

    def set_state(self, session_id: str, model_id: str, state: ModelState) -> None:
        """Raises NotFound ``unknown-model``."""
        lock_session(self._connection, session_id)
        if state == "active":
            was = sa.and_(_of(session_id), models.c.state == "active", models.c.id != model_id)
            self._become("archived", was)
        if not self._become(state, sa.and_(_of(session_id), models.c.id == model_id)):
            raise NotFound("the session has no such model", code="unknown-model")

    def delete(self, session_id: str, model_id: str) -> None:
        """The row stays, so that its version number is not given again."""
        self.set_state(session_id, model_id, "deleted")

    def active_files(self) -> Sequence[str]:
        query = sa.select(models.c.onnx).where(models.c.state == sa.literal_column("'active'"))
        return [digest for (digest,) in self._connection.execute(query.distinct())]

    def next_version(self, session_id: str) -> int:
        last = sa.select(sa.func.max(models.c.version)).where(_of(session_id))
        return int(self._connection.execute(last).scalar() or 0) + 1

    def _become(self, state: ModelState, which: sa.ColumnElement[bool]) -> int:
        change = sa.update(models).where(which)
        change = change.values(state=state, revision=models.c.revision + 1)
        return self._connection.execute(change).rowcount


_STANDING = models.c.state != "deleted"


def _of(session_id: str) -> sa.ColumnElement[bool]:
    return models.c.session_id == session_id
