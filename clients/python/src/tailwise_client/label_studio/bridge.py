"""Push a batch as tasks, never one twice; pull annotations as labels, never one twice.

What Label Studio has is asked for each time, so either may be repeated after any failure.
A task's data say which session and item it stands for; an annotation's number names its label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tailwise_client.asking import NewLabel, evenly
from tailwise_client.errors import Conflict, FieldProblem, NotAllowed, Problem, ProblemError
from tailwise_client.label_studio.label_config import (
    BEFORE,
    CHOICES,
    TEXT,
    instructions,
    label_config,
    shown_names,
)
from tailwise_client.label_studio.studio import Annotation, LabelStudio, Project, StudioTask
from tailwise_client.records.pool import Item
from tailwise_client.records.rounds import LabelRow
from tailwise_client.records.sessions import Session
from tailwise_client.session import SessionClient

SESSION, ITEM, BATCH = "tailwise_session", "tailwise_item", "tailwise_batch"
MOST_TASKS = 250
EDITED = "client-label-id-reused"
MOST_MS = 86_400_000
LEAST_TITLE = 3
"""Label Studio refuses shorter ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """``created`` tasks are new; ``present`` were there."""

    batch_id: str | None
    created: int
    present: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What became of the annotations: ``stored`` now, ``known`` from before, ``refused`` with
    the reasons (by item), ``unreadable`` because no class of the session was chosen."""

    stored: int
    known: int
    refused: Mapping[str, str]
    unreadable: int


def create_project(session: SessionClient, studio: LabelStudio, *, title: str = "") -> Project:
    """A project whose choices are the session's classes and whose instructions its guidelines."""
    now = session.get()
    chosen = title or now.name
    return studio.create_project(
        chosen if len(chosen) >= LEAST_TITLE else f"Tailwise: {chosen}",
        label_config=label_config(now.task),
        instructions=instructions(now.guidelines),
    )


def push(
    session: SessionClient, studio: LabelStudio, *, project_id: int, batch_id: str | None = None
) -> Pushed:
    """Make tasks of what waits in a batch, by default the open one.

    Raises NotAllowed where the key may not read texts (scope content:read).
    """
    chosen = batch_id or session.get().open_batch_id
    if chosen is None:
        return Pushed(batch_id=None, created=0, present=0)
    waiting = [item for item in session.items(batch_id=chosen) if item.state == "selected"]
    there = {item_id for item_id, _ in _ours(session, studio, project_id)}
    missing = [item for item in waiting if item.id not in there]
    tasks = [_task(session, item, chosen) for item in missing]
    created = sum(studio.import_tasks(project_id, part) for part in evenly(tasks, most=MOST_TASKS))
    return Pushed(batch_id=chosen, created=created, present=len(waiting) - len(missing))


def pull(
    session: SessionClient,
    studio: LabelStudio,
    *,
    project_id: int,
    by_annotator: bool = False,
) -> Pulled:
    """Store annotations as labels; a skipped task declines its item, and an annotation that was
    changed replaces its label.

    All labels are the key's own; with ``by_annotator`` they are those of ``label-studio:<user>``,
    which needs the scope oracle and lets several people answer an item.
    """
    now = session.get()
    answers: dict[str | None, list[NewLabel]] = defaultdict(list)
    unreadable = 0
    for item_id, task in _ours(session, studio, project_id):
        for annotation in task.annotations:
            answer = _answer(now, item_id, annotation, project_id=project_id)
            who = f"label-studio:{_user(annotation)}" if by_annotator else None
            if answer is None:
                unreadable += 1
            else:
                answers[who].append(answer)
    stored, known, refused = 0, 0, {}
    for who, theirs in answers.items():
        for answer, row in _stored(session, theirs, annotator_id=who):
            if row.error is not None:
                refused[answer.item_id or ""] = row.error.code
            elif row.status == "replayed":
                known += 1
            else:
                stored += 1
    return Pulled(stored=stored, known=known, refused=refused, unreadable=unreadable)


def _ours(
    session: SessionClient, studio: LabelStudio, project_id: int
) -> list[tuple[str, StudioTask]]:
    """The project's tasks that stand for items of this session, with the items' ids."""
    return [
        (str(task.data[ITEM]), task)
        for task in studio.tasks(project_id)
        if task.data.get(SESSION) == session.id and task.data.get(ITEM)
    ]


def _task(session: SessionClient, item: Item, batch_id: str) -> dict[str, Any]:
    if item.text is None:
        detail = "tasks hold texts, and this key may not read them (scope content:read)"
        raise NotAllowed(Problem(status=403, code="scope-missing", detail=detail, extras={}))
    return {
        TEXT: item.text,
        BEFORE: _before(item.metadata.get("context")),
        SESSION: session.id,
        ITEM: item.id,
        BATCH: batch_id,
    }


def _before(context: Any) -> str:
    """Earlier messages, one a line: strings, or objects with author and text."""
    lines = []
    for message in context if isinstance(context, list) else []:
        if isinstance(message, Mapping):
            author = message.get("author")
            lines.append(f"{author}: {message.get('text', '')}" if author else message.get("text"))
        else:
            lines.append(message)
    return "\n".join(str(line) for line in lines)


def _answer(
    session: Session, item_id: str, annotation: Annotation, *, project_id: int
) -> NewLabel | None:
    """None where it cannot be read as an answer to this session."""
    name = f"label-studio:{project_id}:{annotation.id}"
    seconds = annotation.lead_time
    base = NewLabel(
        item_id=item_id,
        client_label_id=name,
        duration_ms=None if seconds is None else min(int(seconds * 1000), MOST_MS),
    )
    if annotation.was_cancelled:
        return replace(base, skip=True)
    ids = {shown: id for id, shown in shown_names(session.task.labels).items()}
    ids |= {label.id: label.id for label in session.task.labels}
    chosen = [
        choice
        for part in annotation.result
        if part.get("from_name") == CHOICES
        for choice in part.get("value", {}).get("choices", [])
    ]
    if any(choice not in ids for choice in chosen):
        return None
    if not chosen and session.task.type != "multi":
        return None
    return replace(base, labels=tuple(ids[choice] for choice in chosen))


def _user(annotation: Annotation) -> str:
    who = annotation.completed_by
    return str(who.get("id") if isinstance(who, Mapping) else who)


def _stored(
    session: SessionClient, answers: Sequence[NewLabel], *, annotator_id: str | None
) -> list[tuple[NewLabel, LabelRow]]:
    """Each answer with its row; what was changed since it was stored replaces its label."""
    rows = _labelled(session, answers, annotator_id=annotator_id)
    found = []
    for answer, row in zip(answers, rows, strict=True):
        earlier = row.extras.get("label_id")
        if row.error is None or row.error.code != EDITED or not isinstance(earlier, str):
            found.append((answer, row))
            continue
        newer = replace(
            answer, supersedes=earlier, client_label_id=f"{answer.client_label_id}:{_value(answer)}"
        )
        [again] = _labelled(session, [newer], annotator_id=annotator_id)
        found.append((answer, again))
    return found


def _value(answer: NewLabel) -> str:
    """Tells one value of an annotation from another."""
    return "skip" if answer.skip else "+".join(sorted(answer.labels or ()))[:60]


def _labelled(
    session: SessionClient, answers: Sequence[NewLabel], *, annotator_id: str | None
) -> Sequence[LabelRow]:
    """A row for each answer, also for a single one that is refused."""
    try:
        return session.label(answers, annotator_id=annotator_id).results
    except (Conflict, ProblemError) as refusal:
        if len(answers) != 1 or refusal.status not in {404, 409, 422}:
            raise
        problem = FieldProblem(pointer="", code=refusal.code, detail=refusal.detail)
        return [LabelRow(index=0, status="rejected", error=problem, extras=refusal.extras)]
