"""People, their leases and what they flagged; who may call the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tailwise_client.records.sessions import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextMessage:
    """A message that came before the item."""

    text: str = field(repr=False)
    author: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedItem:
    """What somebody who answers may see of an item."""

    id: str
    external_id: str
    text: str = field(repr=False)
    lang: str | None = None
    context: tuple[ContextMessage, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An item held for the caller until ``expires_at``; the token proves it."""

    id: str
    lease_token: str = field(repr=False)
    expires_at: datetime
    item: LeasedItem
    ttl_s: int = 600
    guidelines_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claim gave. Where it gave nothing, ``reason`` is none_left, all_leased, quota or
    break_due, and ``retry_after_s`` says when to ask again."""

    assignments: tuple[Assignment, ...]
    reason: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTime:
    """A lease that was kept alive."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemState:
    """Where an item is after it was skipped or flagged."""

    item_state: str
    flag_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What somebody who answers may know of a session."""

    session_id: str
    name: str
    state: str
    task: Task
    guidelines: str = ""
    guidelines_version: int = 1
    people: Mapping[str, Any] = field(default_factory=dict)
    mine: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """A session the caller can work in; ``review`` counts what waits for a reviewer."""

    id: str
    name: str
    state: str
    waiting: bool = False
    review: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who the credential stands for."""

    id: str
    name: str
    scopes: tuple[str, ...]
    role: str | None = None
    session_id: str | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in to the console."""

    id: str
    name: str
    role: str
    created_at: datetime
    session_id: str | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time link; ``url`` is told only by the call that made it, as a path under the
    service's address."""

    id: str
    name: str
    role: str
    expires_at: datetime
    url: str | None = field(default=None, repr=False)
    session_id: str | None = None
    person_id: str | None = None
    created_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key; ``token`` is told only by the call that made it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    session_id: str | None = None
    revoked_at: datetime | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something a person found wrong with an item; ``text`` is absent where it was illegal."""

    id: str
    item_id: str
    reason: str
    state: str
    created_at: datetime
    external_id: str | None = None
    item_state: str | None = None
    annotator_id: str | None = None
    name: str | None = None
    note: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    resolution: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictAnswer:
    """One of the answers that disagree; the name is told only after deciding."""

    who: str
    labels: tuple[str, ...]
    note: str | None = field(default=None, repr=False)
    annotator_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictItem:
    """An item whose answers disagree."""

    item_id: str
    answers: tuple[ConflictAnswer, ...]
    external_id: str = ""
    text: str | None = field(default=None, repr=False)
    context: tuple[ContextMessage, ...] = field(default=(), repr=False)
    lang: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudication:
    """What deciding a conflict did."""

    item_state: str
    label_id: str
    answers: tuple[ConflictAnswer, ...] = ()
