"""Leases, conflicts and flags: the work of people, one item at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tailwise_client.asking import as_document
from tailwise_client.binding import listing, verb
from tailwise_client.records.people import (
    Adjudication,
    Assignment,
    Claim,
    ConflictItem,
    Desk,
    Flag,
    ItemState,
    LeaseTime,
)
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.within import Within


class QueueVerbs(Within):
    """What people do in a session."""

    @verb
    def desk(self) -> Flow[Desk]:
        """What somebody who answers may know: classes, guidelines, own figures."""
        return self._get(Desk, f"{self.path}/desk")

    @verb
    def claim(
        self,
        *,
        count: int = 1,
        ttl_s: int | None = None,
        batch_id: str | None = None,
        languages: Sequence[str] | None = None,
        avoid_topics: Sequence[str] | None = None,
    ) -> Flow[Claim]:
        """Hold up to 20 items for the caller; what is still held comes first.

        Where it gives none, ``reason`` says why and ``retry_after_s`` when to ask again.
        """
        document = as_document(
            {
                "count": count,
                "ttl_s": ttl_s,
                "batch_id": batch_id,
                "languages": _list(languages),
                "avoid_topics": _list(avoid_topics),
            }
        )
        path = f"{self.path}/leases"
        call = Call(method="POST", path=path, document=document, repeatable=True)
        return self._call(Claim, call)

    @verb
    def heartbeat(self, assignment: Assignment, *, ttl_s: int | None = None) -> Flow[LeaseTime]:
        """Keep the lease alive; raises LeaseExpired where somebody else took the item."""
        document = _held(assignment, ttl_s=ttl_s)
        return self._call(LeaseTime, self._about(assignment, "heartbeat", document))

    @verb
    def release(self, assignment: Assignment) -> Flow[None]:
        """Give the item back unanswered."""
        yield from self._sender.send(self._about(assignment, "release", _held(assignment)))

    @verb
    def skip(self, assignment: Assignment, *, reason: str | None = None) -> Flow[ItemState]:
        """Decline it; this caller does not get it again."""
        document = _held(assignment, reason=reason)
        return self._call(ItemState, self._about(assignment, "skip", document))

    @verb
    def flag(
        self, assignment: Assignment, reason: str, *, note: str | None = None
    ) -> Flow[ItemState]:
        """Hand it to a lead: illegal_content, person_at_risk, personal_data, wrong_language,
        unreadable or other."""
        document = _held(assignment, reason=reason, note=note)
        return self._call(ItemState, self._about(assignment, "flag", document))

    @listing
    def conflicts(self, *, limit: int = 50) -> Stream[ConflictItem]:
        """Items whose answers disagree; names are hidden."""
        return self._pages(ConflictItem, f"{self.path}/conflicts", limit=limit)

    @verb
    def adjudicate(
        self, item_id: str, labels: str | Sequence[str], *, note: str | None = None
    ) -> Flow[Adjudication]:
        """Decide a conflict; the answer tells who had said what."""
        chosen = [labels] if isinstance(labels, str) else list(labels)
        document = as_document({"labels": chosen, "note": note})
        return self._post(Adjudication, f"{self.path}/items/{item_id}/adjudicate", document)

    @listing
    def flags(self, *, state: str | None = "open", limit: int = 50) -> Stream[Flag]:
        """What people found wrong."""
        return self._pages(Flag, f"{self.path}/flags", state=state, limit=limit)

    @verb
    def resolve_flag(self, flag_id: str, resolution: str, *, note: str | None = None) -> Flow[Flag]:
        """Decide a flag: the item is returned or excluded."""
        document = as_document({"resolution": resolution, "note": note})
        return self._post(Flag, f"{self.path}/flags/{flag_id}/resolve", document)

    def _about(self, assignment: Assignment, verb: str, document: dict[str, Any]) -> Call:
        """The service keeps no key for these: only a heartbeat is the same when done twice."""
        path = f"{self.path}/assignments/{assignment.id}/{verb}"
        repeatable = verb == "heartbeat"
        return Call(method="POST", path=path, document=document, repeatable=repeatable)


def _held(assignment: Assignment, **more: Any) -> dict[str, Any]:
    return as_document({"lease_token": assignment.lease_token, **more})


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
