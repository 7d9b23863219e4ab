"""Blinding: whose answers have no name yet, and the names that may be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.ports import Repositories
from core.records import LabelEvent, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLabel:
    """A label event as somebody may see it; ``annotator_id`` is None where it is hidden."""

    event: LabelEvent
    annotator_id: str | None


def seen_by(
    tx: Repositories, session: Session, events: Sequence[LabelEvent], *, viewer: str | None
) -> Sequence[SeenLabel]:
    """The events for ``viewer``, who may have to decide between them; None sees all names.

    Whose they are is told once their item is resolved, and of one's own always. Any other
    state may still lead to a conflict: who had read the names before it would know them.
    """
    if viewer is None:
        return [SeenLabel(event=event, annotator_id=event.annotator_id) for event in events]
    items = tx.items.by_ids(session.id, list({event.item_id for event in events}))
    decided = {item.id for item in items.values() if item.state == "resolved"}

    def name(event: LabelEvent) -> str | None:
        told = event.item_id in decided or event.annotator_id == viewer
        return event.annotator_id if told else None

    return [SeenLabel(event=event, annotator_id=name(event)) for event in events]


def names_of(tx: Repositories, session: Session, annotator_ids: Iterable[str]) -> dict[str, str]:
    """The display names of those who are people of this tenant, by id; keys have none."""
    found = {}
    for annotator_id in dict.fromkeys(annotator_ids):
        person = tx.people.get_person(annotator_id)
        if person is not None and person.tenant_id == session.tenant_id:
            found[annotator_id] = person.name
    return found
