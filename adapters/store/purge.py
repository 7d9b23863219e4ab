"""Deleting a session: every row goes but its blanked tombstone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, plain
from adapters.store.people import forget_people
from adapters.store.tables import (
    api_keys,
    assignments,
    batch_items,
    batch_requests,
    batches,
    blob_references,
    costs,
    deliveries,
    events,
    flags,
    generations,
    index_versions,
    items,
    label_events,
    models,
    operations,
    provider_batches,
    replies,
    sessions,
    vectors,
    webhook_endpoints,
)
from core.records import Task
from core.texts import text_hash

OWNED = (
    assignments,
    flags,
    deliveries,
    webhook_endpoints,
    label_events,
    batch_items,
    batch_requests,
    batches,
    generations,
    costs,
    models,
    index_versions,
    events,
    api_keys,
    blob_references,
    replies,
    items,
)

FAREWELL = "session.deleted"


def purge_session(connection: Connection, session_id: str) -> Sequence[str]:
    """Delete what belongs to the session; digests of blobs that nobody refers to any more.

    People who are bound to it go too. The operation that deletes stays, so that whoever
    asked for it sees it finish, and so do the names of batches that lie at a provider, until
    they are gone there.
    """
    owner = connection.execute(
        sa.select(sessions.c.tenant_id).where(sessions.c.id == session_id)
    ).scalar_one()
    hashes = _text_hashes(connection, session_id)
    digests = _unshared_digests(connection, session_id)
    connection.execute(
        sa.delete(deliveries).where(deliveries.c.endpoint_id.in_(_bound(session_id)))
    )
    for table in OWNED:
        mine = table.c.session_id == session_id
        connection.execute(sa.delete(table).where(mine, *_no_farewell(table)))
    forget_people(connection, session_id)
    connection.execute(
        sa.delete(operations).where(
            operations.c.session_id == session_id, operations.c.kind != "delete"
        )
    )
    _send_off(connection, session_id)
    forget_vectors(connection, owner, hashes)
    _leave_tombstone(connection, session_id)
    return digests


def _no_farewell(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """What announces the deletion stays: ids only, for those who are told by webhook."""
    return [table.c.type != FAREWELL] if table in {events, deliveries} else []


def _bound(session_id: str) -> sa.Select[tuple[str]]:
    """Webhook endpoints that hear of this session alone; test messages to them are in none."""
    return sa.select(webhook_endpoints.c.id).where(webhook_endpoints.c.session_id == session_id)


def forget_vectors(connection: Connection, tenant_id: str, text_hashes: Iterable[str]) -> None:
    """Drop vectors of texts that no item of the tenant holds any more."""
    held = sa.exists().where(
        items.c.text_hash == vectors.c.text_hash, items.c.tenant_id == tenant_id
    )
    for chunk in in_chunks(text_hashes):
        connection.execute(
            sa.delete(vectors).where(
                vectors.c.tenant_id == tenant_id, vectors.c.text_hash.in_(chunk), ~held
            )
        )


def _send_off(connection: Connection, session_id: str) -> None:
    """What lies at a provider is to go too; only how to find it there is kept."""
    mine = provider_batches.c.session_id == session_id
    for_now = sa.func.coalesce(provider_batches.c.next_at, provider_batches.c.sent_at)
    connection.execute(
        sa.update(provider_batches).where(mine).values(state="leaving", calls=[], next_at=for_now)
    )


def _text_hashes(connection: Connection, session_id: str) -> set[str]:
    """Hashes of the session's items and of what was written from them."""
    mine = sa.select(items.c.text_hash).where(items.c.session_id == session_id)
    hashes = set(connection.execute(mine).scalars())
    written = sa.select(generations.c.text, generations.c.original_text).where(
        generations.c.session_id == session_id
    )
    for texts in connection.execute(written):
        hashes.update(text_hash(text) for text in texts if text is not None)
    return hashes


def _unshared_digests(connection: Connection, session_id: str) -> list[str]:
    other = blob_references.alias()
    shared = sa.exists().where(
        other.c.digest == blob_references.c.digest, other.c.session_id != session_id
    )
    query = sa.select(blob_references.c.digest).where(
        blob_references.c.session_id == session_id, ~shared
    )
    return list(connection.execute(query.order_by(blob_references.c.digest)).scalars())


def _leave_tombstone(connection: Connection, session_id: str) -> None:
    connection.execute(
        sa.update(sessions)
        .where(sessions.c.id == session_id)
        .values(
            name="",
            task=plain(Task(classes=())),
            guidelines="",
            settings={},
            state="deleted",
            revision=sessions.c.revision + 1,
        )
    )
