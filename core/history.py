"""What stands of one item, read from every event that was ever appended about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.people import Vote
from core.records import LabelEvent, LabelKind

ANSWERS: Final[frozenset[LabelKind]] = frozenset({"created", "superseded"})
WORDS: Final[frozenset[LabelKind]] = ANSWERS | {"skipped"}
"""Kinds that decide their item at once."""
VOICES: Final[frozenset[LabelKind]] = frozenset({"vote", "declined"})
"""What one of several people says; the latest that its person did not take back stands."""


@dataclass(frozen=True, slots=True)
class History:
    """Events of one item by seq. An event that was undone stands for nothing."""

    events: Sequence[LabelEvent] = ()

    def standing(self) -> list[LabelEvent]:
        """Events that were not undone; the undoing ones are none of them."""
        undone = {event.target_id for event in self.events if event.kind == "undone"}
        return [e for e in self.events if e.kind != "undone" and e.id not in undone]

    def word(self) -> LabelEvent | None:
        """The last answer or skip."""
        words = [event for event in self.standing() if event.kind in WORDS]
        return words[-1] if words else None

    def said(self, annotator_id: str) -> LabelEvent | None:
        """What this person said last as one of several, or as an answer to a check."""
        kinds = {*VOICES, "check"}
        spoken = [e for e in self.standing() if e.kind in kinds and e.annotator_id == annotator_id]
        return spoken[-1] if spoken else None

    def votes(self) -> tuple[Vote, ...]:
        """Each person's answer, by seq; who declined later has none."""
        return self._voices("vote")

    def declines(self) -> tuple[Vote, ...]:
        """Each person's refusal to answer, by seq."""
        return self._voices("declined")

    def _voices(self, kind: LabelKind) -> tuple[Vote, ...]:
        last = {e.annotator_id: e for e in self.standing() if e.kind in VOICES}
        found = sorted((e for e in last.values() if e.kind == kind), key=lambda event: event.seq)
        return tuple(vote_of(event) for event in found)


def vote_of(event: LabelEvent) -> Vote:
    """An event as one person's standing answer."""
    return Vote(
        label_id=event.id,
        item_id=event.item_id,
        annotator_id=event.annotator_id,
        labels=event.labels,
        seq=event.seq,
        note=event.note,
        extra=event.status == "unsolicited",
    )
