"""People and their work: who they are, what they hold, what they flagged.

Every record belongs to a tenant; a token is kept as its SHA-256 only. Times are
timezone-aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from core.records import Labels, Options

Role: TypeAlias = Literal["annotator", "reviewer", "lead", "admin"]

AssignmentState: TypeAlias = Literal["leased", "submitted", "skipped", "flagged", "released"]
CLOSED: frozenset[AssignmentState] = frozenset({"submitted", "skipped", "flagged"})
"""After these a person never gets the item again."""

FlagReason: TypeAlias = Literal[
    "illegal_content", "person_at_risk", "personal_data", "wrong_language", "unreadable", "other"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one person has had to do with one item: one row per item and person.

    ``leased`` counts while ``expires_at`` lies ahead, which is read when somebody claims;
    a new claim by the same person renews the row with another token. ``check`` marks an
    item whose label is known and which only measures.
    """

    id: str
    tenant_id: str
    session_id: str
    item_id: str
    batch_id: str | None
    annotator_id: str
    state: AssignmentState
    token_sha256: str
    check: bool
    claimed_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimable:
    """An item that waits for answers, as the queue sees it, without its text.

    ``taken_back``: the person undid an answer to it, and gets it again at once. ``fresh``:
    the person never held it.
    """

    item_id: str
    batch_id: str | None
    check: bool = False
    taken_back: bool = False
    fresh: bool = False


UNDONE: Final = "undone"
"""Why an assignment was released whose answer its person took back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One person's day in a session: ``answered`` counts ended assignments since ``since``, of
    which ``first_ended`` is the oldest; ``streak_started`` is the first claim after the last
    pause of the break's length."""

    answered: int
    streak_items: int
    streak_started: datetime | None
    last_ended: datetime | None
    first_ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something a person found wrong with an item; open until a lead decides."""

    id: str
    tenant_id: str
    session_id: str
    item_id: str
    assignment_id: str | None
    annotator_id: str
    reason: FlagReason
    note: str | None
    state: Literal["open", "resolved"]
    resolution: Literal["returned", "excluded"] | None
    resolved_by: str | None
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in to the console. ``session_id`` None = every session of the
    tenant. ``preferences`` are the person's own: keys, text size, blur, opt-out topics."""

    id: str
    tenant_id: str
    name: str
    role: Role
    session_id: str | None
    preferences: Options = field(default_factory=dict)
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """Whom to invite; with ``person_id`` the rest is that person's and may be left out."""

    name: str | None = None
    role: Role | None = None
    session_id: str | None = None
    person_id: str | None = None
    hours: int = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time link that makes somebody a person; it expires, and can be revoked.

    ``person_id`` names the person who used it, or whom it lets sign in again.
    """

    id: str
    tenant_id: str
    name: str
    role: Role
    session_id: str | None
    token_sha256: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    person_id: str | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A person's browser, known by the hash of its cookie."""

    id: str
    tenant_id: str
    person_id: str
    token_sha256: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedInvitation:
    """A new invitation, and the token of its link, which is shown once and stored nowhere."""

    invitation: Invitation
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """The link without its host; a fragment never reaches a server or its log."""
        return f"/console/join#{self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedSignIn:
    """A person at a new browser, and the token of its cookie."""

    person: Person
    sign_in: SignIn
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's standing answer to one item, for agreement and adjudication. An ``extra``
    one came when the item had its answers, and decides nothing."""

    label_id: str
    item_id: str
    annotator_id: str
    labels: Labels
    seq: int
    note: str | None = None
    extra: bool = False
