"""People: invited by one-time links, signed in by browser, and revoked at once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from core.access import Caller, digest, may_give, new_token
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotVerified
from core.people import (
    Invitation,
    MintedInvitation,
    MintedSignIn,
    NewInvitation,
    Person,
    Role,
    SignIn,
)
from core.ports import Clock, Ids, People, Repositories, Store

MOST_PREFERENCES: Final = 4_096
"""Bytes of all of a person's preferences as JSON."""

RandomBytes = Callable[[int], bytes]


def invite(
    caller: Caller,
    new: NewInvitation,
    *,
    store: Store,
    clock: Clock,
    ids: Ids,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> MintedInvitation:
    """A link for somebody new, or for a person's next browser; it counts once.

    Raises NotAllowed ``role-too-high`` for a role that may do more than the caller,
    NotFound ``unknown-session`` and ``unknown-person``, Conflict ``person-revoked`` and
    InvalidInput for a missing name or role, or one that is not the person's.
    """
    now = clock.now()
    token, token_sha256 = new_token("i", random_bytes=random_bytes)
    with store.write() as tx:
        name, role, session_id = _whom(tx, caller, new)
        _require_role(caller, role)
        if session_id is not None:
            tx.sessions.get(caller.tenant_id, session_id, lock=True)
        invitation = Invitation(
            id=ids.new("inv"),
            tenant_id=caller.tenant_id,
            name=name,
            role=role,
            session_id=session_id,
            token_sha256=token_sha256,
            created_by=caller.id,
            created_at=now,
            expires_at=now + timedelta(hours=new.hours),
            person_id=new.person_id,
        )
        tx.people.add_invitation(invitation)
    return MintedInvitation(invitation=invitation, token=token)


def accept(
    token: str,
    *,
    hours: int,
    store: Store,
    clock: Clock,
    ids: Ids,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> MintedSignIn:
    """Sign in with the token of a link; of two browsers with one link, one is let in.

    Raises NotVerified ``invitation-refused`` without telling what was wrong with it.
    """
    now = clock.now()
    cookie, cookie_sha256 = new_token("s", random_bytes=random_bytes)
    with store.write() as tx:
        invitation = tx.people.invitation_by_token(digest(token))
        if invitation is None or now >= invitation.expires_at:
            raise _refused()
        person = _invited(tx.people, invitation) or _newcomer(invitation, clock=clock, ids=ids)
        if person.revoked_at is not None:
            raise _refused()
        if not tx.people.use_invitation(invitation.id, person_id=person.id, now=now):
            raise _refused()
        if invitation.person_id is None:
            tx.people.add_person(person)
        sign_in = SignIn(
            id=ids.new("sig"),
            tenant_id=person.tenant_id,
            person_id=person.id,
            token_sha256=cookie_sha256,
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
        tx.people.add_sign_in(sign_in)
    return MintedSignIn(person=person, sign_in=sign_in, token=cookie)


def sign_out(caller: Caller, *, store: Store, clock: Clock) -> None:
    """End the sign-in of this browser; the person's others go on."""
    person = _signed_in(caller)
    with store.write() as tx:
        tx.people.revoke_sign_ins(person.id, now=clock.now(), only=caller.sign_in_id)


def revoke_invitation(caller: Caller, invitation_id: str, *, store: Store, clock: Clock) -> None:
    """Make a link useless; revoking it again changes nothing.

    Raises NotFound ``unknown-invitation``, NotAllowed ``role-too-high`` and Conflict
    ``invitation-used``: then the person is the one to revoke.
    """
    with store.write() as tx:
        found = tx.people.get_invitation(caller.tenant_id, invitation_id)
        if found is None or caller.session_id not in {None, found.session_id}:
            raise NotFound("there is no such invitation", code="unknown-invitation")
        _require_role(caller, found.role)
        if found.used_at is not None:
            raise Conflict(
                "this invitation was used; revoke the person",
                code="invitation-used",
                extras={"person_id": found.person_id},
            )
        tx.people.revoke_invitation(invitation_id, now=clock.now())


def revoke_person(caller: Caller, person_id: str, *, store: Store, clock: Clock) -> None:
    """End a person's sign-ins, leases and unused invitations; their answers stay.

    Raises NotFound ``unknown-person`` and NotAllowed ``role-too-high``.
    """
    with store.write() as tx:
        person = _visible(tx.people, caller, person_id)
        _require_role(caller, person.role)
        tx.people.revoke_person(person.id, now=clock.now())


def change_own(
    caller: Caller,
    *,
    name: str | None,
    preferences: Mapping[str, Any],
    store: Store,
) -> Person:
    """The caller with another name, and preferences replaced one by one; null removes one.

    Raises NotAllowed ``not-a-person`` for a key and InvalidInput ``preferences-too-large``.
    """
    own = _signed_in(caller)
    with store.write() as tx:
        person = _visible(tx.people, caller, own.id)
        merged = {**person.preferences, **preferences}
        kept = {option: value for option, value in merged.items() if value is not None}
        if len(json.dumps(kept, ensure_ascii=False).encode()) > MOST_PREFERENCES:
            detail = f"all preferences together may have at most {MOST_PREFERENCES} bytes"
            raise InvalidInput.at("/preferences", detail, code="preferences-too-large")
        person = replace(person, name=name or person.name, preferences=kept)
        tx.people.save_person(person)
    return person


def _whom(tx: Repositories, caller: Caller, new: NewInvitation) -> tuple[str, Role, str | None]:
    """(name, role, session id) of the invitation; a bound caller invites to the own session."""
    given = {"name": new.name, "role": new.role, "session_id": new.session_id}
    if new.person_id is not None:
        person = _visible(tx.people, caller, new.person_id)
        if person.revoked_at is not None:
            raise Conflict("this person was revoked; invite them anew", code="person-revoked")
        for field, value in given.items():
            if value not in {None, getattr(person, field)}:
                detail = f"leave {field} out: it is the person's, and an invitation keeps it"
                raise InvalidInput.at(f"/{field}", detail, code="not-the-persons")
        return person.name, person.role, person.session_id
    if new.name is None or new.role is None:
        missing = "name" if new.name is None else "role"
        detail = "this field is required unless person_id is given"
        raise InvalidInput.at(f"/{missing}", detail, code="missing-field")
    if caller.session_id not in {None, new.session_id or caller.session_id}:
        raise NotFound("there is no such session", code="unknown-session")
    return new.name, new.role, new.session_id or caller.session_id


def _require_role(caller: Caller, role: Role) -> None:
    if not may_give(caller, role):
        raise NotAllowed(
            f"the role {role} may do more than you may",
            code="role-too-high",
            extras={"role": role},
        )


def _signed_in(caller: Caller) -> Person:
    if caller.person is None:
        raise NotAllowed("this is for people who signed in, not for keys", code="not-a-person")
    return caller.person


def _visible(people: People, caller: Caller, person_id: str) -> Person:
    """The person, where the caller may know of them."""
    person = people.get_person(person_id)
    if (
        person is None
        or person.tenant_id != caller.tenant_id
        or caller.session_id not in {None, person.session_id}
    ):
        raise NotFound("there is no such person", code="unknown-person")
    return person


def _invited(people: People, invitation: Invitation) -> Person | None:
    """Who may sign in again with it; None where it makes a new person."""
    if invitation.person_id is None:
        return None
    person = people.get_person(invitation.person_id)
    if person is None:
        raise _refused()
    return person


def _newcomer(invitation: Invitation, *, clock: Clock, ids: Ids) -> Person:
    return Person(
        id=ids.new("per"),
        tenant_id=invitation.tenant_id,
        name=invitation.name,
        role=invitation.role,
        session_id=invitation.session_id,
        created_at=clock.now(),
    )


def _refused() -> NotVerified:
    detail = "this link is not good, or not any more; ask for a new one"
    return NotVerified(detail, code="invitation-refused")
