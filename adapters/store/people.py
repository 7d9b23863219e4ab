"""Persons, their invitations and their browsers; tokens only as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, records_of, row_of
from adapters.store.tables import assignments, invitations, people, sign_ins
from core.people import Invitation, Person, SignIn
from core.records import Page

Record = TypeVar("Record", Person, Invitation, SignIn)


class SqlPeople:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_person(self, person: Person) -> None:
        self._connection.execute(sa.insert(people), row_of(person))

    def get_person(self, person_id: str) -> Person | None:
        return self._one(Person, sa.select(people).where(people.c.id == person_id))

    def list_persons(
        self, tenant_id: str, page: Page, *, session_id: str | None = None
    ) -> Sequence[Person]:
        query = _listing(people, tenant_id, page, session_id=session_id)
        return records_of(Person, self._connection.execute(query))

    def save_person(self, person: Person) -> None:
        changed = {"name": person.name, "preferences": row_of(person)["preferences"]}
        mine = sa.update(people).where(people.c.id == person.id)
        self._connection.execute(mine.values(**changed))

    def add_invitation(self, invitation: Invitation) -> None:
        self._connection.execute(sa.insert(invitations), row_of(invitation))

    def invitation_by_token(self, token_sha256: str) -> Invitation | None:
        query = sa.select(invitations).where(invitations.c.token_sha256 == token_sha256)
        return self._one(Invitation, query)

    def get_invitation(self, tenant_id: str, invitation_id: str) -> Invitation | None:
        query = sa.select(invitations).where(
            invitations.c.id == invitation_id, invitations.c.tenant_id == tenant_id
        )
        return self._one(Invitation, query)

    def list_invitations(
        self, tenant_id: str, page: Page, *, session_id: str | None = None
    ) -> Sequence[Invitation]:
        query = _listing(invitations, tenant_id, page, session_id=session_id)
        return records_of(Invitation, self._connection.execute(query))

    def use_invitation(self, invitation_id: str, *, person_id: str, now: datetime) -> bool:
        """One statement decides, so that of two at once only one is told yes."""
        used = sa.update(invitations).where(invitations.c.id == invitation_id, *_unused())
        done = self._connection.execute(used.values(used_at=now, person_id=person_id))
        return done.rowcount > 0

    def revoke_invitation(self, invitation_id: str, *, now: datetime) -> None:
        mine = sa.update(invitations).where(invitations.c.id == invitation_id, *_unused())
        self._connection.execute(mine.values(revoked_at=now))

    def add_sign_in(self, sign_in: SignIn) -> None:
        self._connection.execute(sa.insert(sign_ins), row_of(sign_in))

    def sign_in_by_token(self, token_sha256: str) -> SignIn | None:
        query = sa.select(sign_ins).where(sign_ins.c.token_sha256 == token_sha256)
        return self._one(SignIn, query)

    def revoke_sign_ins(self, person_id: str, *, now: datetime, only: str | None = None) -> None:
        ended = sa.update(sign_ins).where(
            sign_ins.c.person_id == person_id, sign_ins.c.revoked_at.is_(None)
        )
        if only is not None:
            ended = ended.where(sign_ins.c.id == only)
        self._connection.execute(ended.values(revoked_at=now))

    def revoke_person(self, person_id: str, *, now: datetime) -> None:
        person = sa.update(people).where(people.c.id == person_id, people.c.revoked_at.is_(None))
        self._connection.execute(person.values(revoked_at=now))
        self.revoke_sign_ins(person_id, now=now)
        theirs = sa.or_(invitations.c.created_by == person_id, invitations.c.person_id == person_id)
        self._connection.execute(
            sa.update(invitations).where(theirs, *_unused()).values(revoked_at=now)
        )
        held = sa.update(assignments).where(
            assignments.c.annotator_id == person_id, assignments.c.state == "leased"
        )
        self._connection.execute(held.values(state="released", ended_at=now))

    def prune(self, *, now: datetime, before: datetime) -> int:
        """An invitation goes with its token's hash, once nobody can use it any more."""
        ended = sa.or_(sign_ins.c.expires_at <= now, sign_ins.c.revoked_at <= before)
        old = sa.or_(
            invitations.c.used_at <= before,
            invitations.c.revoked_at <= before,
            invitations.c.expires_at <= before,
        )
        gone = [sa.delete(sign_ins).where(ended), sa.delete(invitations).where(old)]
        return sum(self._connection.execute(statement).rowcount for statement in gone)

    def _one(self, kind: type[Record], query: sa.Select[Any]) -> Record | None:
        row = self._connection.execute(query).mappings().one_or_none()
        return record_of(kind, row) if row else None


def forget_people(connection: Connection, session_id: str) -> None:
    """Delete who is bound to a session, with their browsers and invitations."""
    bound = sa.select(people.c.id).where(people.c.session_id == session_id)
    connection.execute(sa.delete(sign_ins).where(sign_ins.c.person_id.in_(bound)))
    for table in (people, invitations):
        connection.execute(sa.delete(table).where(table.c.session_id == session_id))


def _listing(
    table: sa.Table, tenant_id: str, page: Page, *, session_id: str | None
) -> sa.Select[Any]:
    query = sa.select(table).where(table.c.tenant_id == tenant_id)
    if session_id is not None:
        query = query.where(table.c.session_id == session_id)
    if page.after is not None:
        query = query.where(table.c.id > page.after)
    return query.order_by(table.c.id).limit(page.limit)


def _unused() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None)
