"""Webhook endpoints and the outbox of what they are to hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, record_of, records_of, row_of
from adapters.store.tables import deliveries, events, webhook_endpoints
from core.errors import NotFound, PreconditionFailed
from core.records import Event, Page
from core.webhooks import Delivery, WebhookEndpoint

endpoints = webhook_endpoints


class SqlWebhooks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, endpoint: WebhookEndpoint) -> None:
        self._connection.execute(sa.insert(endpoints), row_of(endpoint))

    def get(self, tenant_id: str, endpoint_id: str) -> WebhookEndpoint:
        found = self.find(endpoint_id)
        if found is None or found.tenant_id != tenant_id:
            raise NotFound("there is no such webhook endpoint", code="unknown-endpoint")
        return found

    def find(self, endpoint_id: str) -> WebhookEndpoint | None:
        query = sa.select(endpoints).where(endpoints.c.id == endpoint_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else record_of(WebhookEndpoint, row)

    def list(self, tenant_id: str, page: Page) -> Sequence[WebhookEndpoint]:
        """By id."""
        query = sa.select(endpoints).where(endpoints.c.tenant_id == tenant_id)
        if page.after is not None:
            query = query.where(endpoints.c.id > page.after)
        query = query.order_by(endpoints.c.id).limit(page.limit)
        return records_of(WebhookEndpoint, self._connection.execute(query))

    def count(self, tenant_id: str) -> int:
        query = sa.select(sa.func.count()).where(endpoints.c.tenant_id == tenant_id)
        return int(self._connection.execute(query).scalar_one())

    def save(self, endpoint: WebhookEndpoint, *, expected_revision: int) -> None:
        """Raises PreconditionFailed when the stored revision is another."""
        changed = (
            sa.update(endpoints)
            .where(endpoints.c.id == endpoint.id, endpoints.c.revision == expected_revision)
            .values(row_of(endpoint))
        )
        if self._connection.execute(changed).rowcount == 0:
            raise PreconditionFailed("the endpoint changed since it was read")

    def delete(self, tenant_id: str, endpoint_id: str) -> None:
        endpoint = self.get(tenant_id, endpoint_id)
        # First the row that new deliveries refer to, so that none is added meanwhile.
        own = endpoints.c.id == endpoint.id
        self._connection.execute(sa.select(endpoints.c.id).where(own).with_for_update())
        self._connection.execute(sa.delete(deliveries).where(_of(endpoint.id)))
        self._connection.execute(sa.delete(endpoints).where(own))

    def disable(self, endpoint_id: str, *, reason: str) -> bool:
        disabled = (
            sa.update(endpoints)
            .where(endpoints.c.id == endpoint_id, endpoints.c.state == "enabled")
            .values(state="disabled", disabled_reason=reason, revision=endpoints.c.revision + 1)
        )
        return self._connection.execute(disabled).rowcount > 0

    def note_result(self, endpoint_id: str, *, succeeded: bool, now: datetime) -> None:
        row = sa.update(endpoints).where(endpoints.c.id == endpoint_id)
        since = endpoints.c.failing_since
        if succeeded:
            self._connection.execute(row.where(since.is_not(None)).values(failing_since=None))
        else:
            self._connection.execute(row.where(since.is_(None)).values(failing_since=now))

    # --- the outbox -----------------------------------------------------------

    def waiting(self, *, now: datetime, per_endpoint: int) -> bool:
        return bool(self._choose(now=now, limit=1, per_endpoint=per_endpoint))

    def due(
        self, *, now: datetime, lock_until: datetime, limit: int, per_endpoint: int
    ) -> Sequence[tuple[Delivery, WebhookEndpoint, Event]]:
        chosen = self._choose(now=now, limit=limit, per_endpoint=per_endpoint)
        if not chosen:
            return []
        taken = (
            sa.update(deliveries)
            .where(deliveries.c.id.in_(chosen), _due(now))
            .values(locked_until=lock_until)
            .returning(*deliveries.c)
        )
        rows = records_of(Delivery, self._connection.execute(taken))
        order = {delivery_id: place for place, delivery_id in enumerate(chosen)}
        return self._with_events(sorted(rows, key=lambda row: order[row.id]))

    def add_delivery(self, delivery: Delivery) -> None:
        self._connection.execute(sa.insert(deliveries), row_of(delivery))

    def delivery(self, tenant_id: str, delivery_id: str) -> Delivery:
        query = sa.select(deliveries).where(
            deliveries.c.id == delivery_id, deliveries.c.tenant_id == tenant_id
        )
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("there is no such delivery", code="unknown-delivery")
        return record_of(Delivery, row)

    def deliveries(
        self, tenant_id: str, endpoint_id: str, page: Page, *, state: str | None = None
    ) -> Sequence[Delivery]:
        """By id, which is by time."""
        query = sa.select(deliveries).where(_of(endpoint_id), deliveries.c.tenant_id == tenant_id)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        if page.after is not None:
            query = query.where(deliveries.c.id > page.after)
        query = query.order_by(deliveries.c.id).limit(page.limit)
        return records_of(Delivery, self._connection.execute(query))

    def save_delivery(self, delivery: Delivery) -> None:
        changed = sa.update(deliveries).where(deliveries.c.id == delivery.id)
        self._connection.execute(changed.values(row_of(delivery)))

    def prune(self, *, before: datetime) -> int:
        old = sa.delete(deliveries).where(
            deliveries.c.state == "delivered", deliveries.c.delivered_at <= before
        )
        return self._connection.execute(old).rowcount

    def requeue(self, endpoint_id: str, *, since: datetime, now: datetime) -> int:
        lost = (
            sa.update(deliveries)
            .where(
                _of(endpoint_id),
                deliveries.c.state.in_(["dead", "discarded"]),
                deliveries.c.created_at >= since,
            )
            .values(state="pending", attempts=0, next_attempt_at=now, locked_until=None)
        )
        return self._connection.execute(lost).rowcount

    def counts(self) -> Mapping[str, int]:
        query = sa.select(deliveries.c.state, sa.func.count().label("amount")).group_by(
            deliveries.c.state
        )
        return {row.state: int(row.amount) for row in self._connection.execute(query)}

    def _choose(self, *, now: datetime, limit: int, per_endpoint: int) -> Sequence[str]:
        """Ids of the oldest due rows, leaving each endpoint the room its locked rows leave."""
        row = deliveries.c
        held = (
            sa.select(row.endpoint_id, sa.func.count().label("held"))
            .where(row.state == "pending", row.locked_until > now)
            .group_by(row.endpoint_id)
            .subquery()
        )
        place = sa.func.row_number().over(
            partition_by=row.endpoint_id, order_by=(row.next_attempt_at, row.id)
        )
        queued = (
            sa.select(row.id, row.endpoint_id, row.next_attempt_at, place.label("place"))
            .where(_due(now))
            .subquery()
        )
        room = per_endpoint - sa.func.coalesce(held.c.held, 0)
        query = (
            sa.select(queued.c.id)
            .join(held, held.c.endpoint_id == queued.c.endpoint_id, isouter=True)
            .where(queued.c.place <= room)
            .order_by(queued.c.next_attempt_at, queued.c.id)
            .limit(limit)
        )
        return self._connection.execute(query).scalars().all()

    def _with_events(
        self, rows: Sequence[Delivery]
    ) -> Sequence[tuple[Delivery, WebhookEndpoint, Event]]:
        by_id: dict[str, Event] = {}
        for chunk in in_chunks({row.event_id for row in rows}):
            query = sa.select(events).where(events.c.id.in_(chunk))
            found = records_of(Event, self._connection.execute(query))
            by_id.update((event.id, event) for event in found)
        endpoint_ids = {row.endpoint_id for row in rows}
        query = sa.select(endpoints).where(endpoints.c.id.in_(endpoint_ids))
        owners = {e.id: e for e in records_of(WebhookEndpoint, self._connection.execute(query))}
        return [
            (row, owners[row.endpoint_id], by_id.get(row.event_id) or _test_event(row))
            for row in rows
        ]


HEARING = (
    sa.select(endpoints.c.id, endpoints.c.types)
    .where(
        endpoints.c.tenant_id == sa.bindparam("tenant"),
        endpoints.c.state == "enabled",
        sa.or_(endpoints.c.session_id.is_(None), endpoints.c.session_id == sa.bindparam("session")),
    )
    .order_by(endpoints.c.id)
    .with_for_update(read=True, key_share=True)
)
"""Built once: every event asks it."""


def hearing(connection: Connection, event: Event) -> Sequence[str]:
    """Ids of the enabled endpoints that are to hear of the event.

    They are held against deletion until the transaction ends, because the rows that are
    written next refer to them.
    """
    where = {"tenant": event.tenant_id, "session": event.session_id}
    rows = connection.execute(HEARING, where).all()
    return [id for id, types in rows if not types or event.type in types]


def _due(now: datetime) -> sa.ColumnElement[bool]:
    row = deliveries.c
    free = sa.or_(row.locked_until.is_(None), row.locked_until <= now)
    return sa.and_(row.state == "pending", row.next_attempt_at <= now, free)


def _of(endpoint_id: str) -> sa.ColumnElement[bool]:
    return deliveries.c.endpoint_id == endpoint_id


def _test_event(row: Delivery) -> Event:
    """A test message is in no feed, so its event is made from its row."""
    return Event(
        id=row.event_id,
        tenant_id=row.tenant_id,
        session_id="",
        sequence=0,
        type=row.type,
        data={"endpoint_id": row.endpoint_id},
        created_at=row.created_at,
    )
