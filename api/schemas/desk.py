"""Desks: what somebody who labels may know of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from api.schemas.documents import Answer
from api.schemas.fields import Flag, Items, Name, Nested, Text, Whole, identifier
from core.records import Session, SessionState
from core.rounds.desk import DeskRow, Mine

STATES = get_args(SessionState)


class DeskClassSchema(Answer):
    """A class to choose."""

    id = Text("Its id in answers.")
    name = Text("What people read.")
    definition = Text("What belongs in it.")
    examples = Items(Text("A text that belongs in it."), "Examples.", dump_only=True)


class DeskTaskSchema(Answer):
    """What is being labelled."""

    type = Name("One class per text, or any number.", "single", "multi")
    labels = Items(Nested(DeskClassSchema), "The classes, in order.", dump_only=True)


class DeskPeopleSchema(Answer):
    """How texts are shown, and where help is."""

    hide_text = Flag("Texts stay hidden until revealed.")
    greyscale = Flag("Pages without colour.")
    support_text = Text("What to do when a text weighs on somebody.")
    support_url = Text("Where help is found.")
    metadata_shown = Items(Text("A metadata key."), "Facts beside a text.", dump_only=True)
    lease_s = Whole("Seconds an item is held by default.")


class MineSchema(Answer):
    """Your own work here."""

    answered_today = Whole("Items you answered, skipped or flagged within 24 hours.")
    held = Whole("Items you hold.")
    undoable = Whole("Answers you can take back.")
    open_batches = Whole("Batches that wait for answers.")


class DeskSchema(Answer):
    """A session as those see it who label: no scores, no answers, no numbers of others."""

    session_id = identifier("The session.")
    name = Text("Its name.")
    state = Name("Its state.", *STATES)
    task = Nested(DeskTaskSchema)
    guidelines = Text("The guidelines, in Markdown.")
    guidelines_version = Whole("Their version.")
    people = Nested(DeskPeopleSchema)
    mine = Nested(MineSchema)


class DeskRowSchema(Answer):
    """A session to work in."""

    sometimes = ("review",)
    id = identifier("The session.")
    name = Text("Its name.")
    state = Name("Its state.", *STATES)
    waiting = Flag("Whether an item waits for you.")
    review = Whole("Variations to review; only for those who may.")


class DesksSchema(Answer):
    """The sessions you can work in."""

    data = Items(Nested(DeskRowSchema), "Open ones first.", dump_only=True)


def desk_document(session: Session, mine: Mine) -> Mapping[str, Any]:
    """What ``DeskSchema`` dumps."""
    return {
        "session_id": session.id,
        "name": session.name,
        "state": session.state,
        "task": {"type": session.task.kind, "labels": session.task.classes},
        "guidelines": session.guidelines,
        "guidelines_version": session.guidelines_version,
        "people": session.settings.people,
        "mine": {
            "answered_today": mine.answered_24h,
            "held": mine.held,
            "undoable": mine.undoable,
            "open_batches": mine.open_batches,
        },
    }


def row_document(row: DeskRow) -> Mapping[str, Any]:
    """What ``DeskRowSchema`` dumps."""
    session = row.session
    known = {} if row.review is None else {"review": row.review}
    return {
        "id": session.id,
        "name": session.name,
        "state": session.state,
        "waiting": row.waiting,
        **known,
    }
