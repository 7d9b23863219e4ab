"""Whether an answer is taken, and as what: alone, as one of several, as a check, late, extra."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from core.errors import Conflict, NotAllowed, NotFound
from core.ledger import Ledger, Upload
from core.people import Assignment
from core.records import Item, ItemState, LabelEvent, LabelKind, Labels, Session
from core.requests import NewLabel
from core.resolution import CONSENSUS
from core.settling import STALE, answers_needed

PERSON = "per_"
Timing = Literal["on_time", "late", "unsolicited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    kind: LabelKind
    status: Timing = "on_time"


def find(ledger: Ledger, answer: NewLabel) -> Item:
    """The item the answer names; raises NotFound ``unknown-item``."""
    item_id = answer.item_id or ledger.by_external_id.get(answer.external_id or "")
    if item_id not in ledger.items:
        raise NotFound("this session has no such item", code="unknown-item")
    return ledger.items[item_id]


def shown_state(item: Item, kind: LabelKind, *, session: Session) -> ItemState:
    """What a person is told of the item's state: a check item looks like any other."""
    if item.split != "check":
        return item.state
    if kind != "declined":
        return "resolved"
    return "excluded" if session.settings.people.skip_limit == 1 else "selected"


def check_lease(ledger: Ledger, answer: NewLabel, item: Item) -> Assignment | None:
    """The person's assignment of this item; raises NotAllowed ``lease-not-yours`` where the
    answer names another one, or the token is wrong."""
    held = ledger.held.get(item.id)
    if answer.assignment_id is None:
        return held
    token = hashlib.sha256((answer.lease_token or "").encode("utf-8", "replace")).hexdigest()
    known = held.token_sha256 if held is not None else ""
    same = secrets.compare_digest(token, known)
    if held is None or not same or held.id != answer.assignment_id:
        raise NotAllowed("this lease is not yours, or its token is old", code="lease-not-yours")
    return held


def replayed(
    ledger: Ledger, upload: Upload, answer: NewLabel, item: Item, *, labels: Labels
) -> LabelEvent | None:
    """The event this answer repeats; raises Conflict where it contradicts one."""
    if answer.client_label_id and (event := ledger.by_client_id.get(answer.client_label_id)):
        told = (event.item_id, event.labels, event.kind in {"skipped", "declined"})
        if told != (item.id, labels, answer.skip):
            raise Conflict(
                "this client_label_id was used for another answer",
                code="client-label-id-reused",
                extras={"label_id": event.id},
            )
        return event
    if answer.supersedes:
        return None
    current = ledger.current.get(item.id)
    mine = ledger.said.get(item.id)
    if mine is None and current is not None and current.annotator_id == upload.annotator_id:
        mine = current
    if mine is None:
        return None
    if mine.kind == "declined":
        return mine if answer.skip else None
    if answer.skip or mine.labels != labels:
        raise Conflict(
            "you answered this item differently; name that label in supersedes, or undo it",
            code="already-labelled",
            extras={"label_id": mine.id},
        )
    return mine


def admit(
    ledger: Ledger, upload: Upload, answer: NewLabel, item: Item, *, lease: Assignment | None
) -> Admitted:
    """As what to store the answer; raises Conflict where the item may not be answered."""
    if item.split == "check" and lease is not None and lease.check:
        return _check(ledger, answer, item)
    if answer.supersedes:
        return _replace(ledger, upload, answer, item)
    _refuse_outside(item)
    batch = ledger.batches.get(item.id)
    if item.state in {"resolved", "conflict"}:
        return _extra(ledger, upload, answer, item, lease=lease)
    if answer.assignment_id is not None and item.id in ledger.lost:
        raise Conflict("your lease ended, and others hold the item now", code="lease-expired")
    stale = batch is not None and batch.state in STALE
    free = item.state == "pooled"
    if free and not stale and not upload.allow_unsolicited:
        closed = batch is not None and batch.state == "cancelled"
        raise Conflict(
            "its batch was cancelled" if closed else "the item is in no open batch",
            code="batch-closed" if closed else "item-not-selected",
        )
    if free and not answer.skip and item.id not in ledger.bought:
        _buy(ledger)
    several = (stale or not free) and upload.by_person and answers_needed(batch, item.id) > 1
    status: Timing = ("late" if stale else "unsolicited") if free else "on_time"
    return Admitted(kind=_kind(upload, answer, several=several), status=status)


def _kind(upload: Upload, answer: NewLabel, *, several: bool) -> LabelKind:
    if not answer.skip:
        return "vote" if several else "created"
    limit = upload.session.settings.people.skip_limit
    return "declined" if upload.by_person and (several or limit > 1) else "skipped"


def _refuse_outside(item: Item) -> None:
    if item.split != "pool":
        raise Conflict(
            f"a {item.split} row is never labelled",
            code="item-not-in-pool",
            extras={"split": item.split},
        )
    if item.state == "excluded":
        raise Conflict("the item was skipped or taken out", code="item-excluded")


def _check(ledger: Ledger, answer: NewLabel, item: Item) -> Admitted:
    mine = ledger.said.get(item.id)
    if answer.supersedes and (mine is None or mine.id != answer.supersedes):
        raise _not_current(mine)
    return Admitted(kind="declined" if answer.skip else "check")


def _replace(ledger: Ledger, upload: Upload, answer: NewLabel, item: Item) -> Admitted:
    """One's own vote, or the item's answer where one decides it."""
    mine = ledger.said.get(item.id)
    if mine is not None and mine.kind == "vote" and mine.id == answer.supersedes:
        _refuse_outside(item)
        batch = ledger.batches.get(item.id)
        late: Timing = "late" if batch is not None and batch.state in STALE else "on_time"
        extra = mine.status == "unsolicited" and item.state in {"resolved", "conflict"}
        kind: LabelKind = "declined" if answer.skip else "vote"
        return Admitted(kind=kind, status="unsolicited" if extra else late)
    current = ledger.current.get(item.id)
    if current is None or current.id != answer.supersedes or current.annotator_id == CONSENSUS:
        raise _not_current(mine or current)
    if upload.annotator_id.startswith(PERSON) and current.annotator_id != upload.annotator_id:
        raise Conflict("somebody else gave this label", code="not-your-label")
    return Admitted(kind="skipped" if answer.skip else "superseded")


def _not_current(standing: LabelEvent | None) -> Conflict:
    return Conflict(
        "supersedes must name the item's current label, or yours where several answer",
        code="label-not-current",
        extras={"label_id": standing.id if standing else None},
    )


def _extra(
    ledger: Ledger, upload: Upload, answer: NewLabel, item: Item, *, lease: Assignment | None
) -> Admitted:
    """The item has its answers: one more is kept only where the request says so."""
    batch = ledger.batches.get(item.id)
    closed = answer.batch_id is not None and (
        answers_needed(batch, item.id) == 1
        or batch is None
        or batch.id != answer.batch_id
        or batch.state != "open"
    )
    if upload.allow_extra or (closed and upload.allow_unsolicited):
        return Admitted(kind="declined" if answer.skip else "vote", status="unsolicited")
    ended = lease is not None and (lease.state != "leased" or lease.expires_at <= upload.now)
    if answer.assignment_id is not None and ended:
        raise Conflict(
            "your lease ended, and others answered the item meanwhile", code="lease-expired"
        )
    current = ledger.current.get(item.id)
    raise Conflict(
        "the item has its answer already",
        code="batch-closed" if closed else "overlap-reached",
        extras={"label_id": current.id if current else None},
    )


def _buy(ledger: Ledger) -> None:
    """An answer for a free item counts against the label budget; a selected item already did."""
    if ledger.left_to_buy is None:
        return
    if ledger.left_to_buy <= 0:
        raise Conflict("the label budget is spent", code="budget-exceeded")
    ledger.left_to_buy -= 1
