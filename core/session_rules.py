"""What a session document must satisfy, and what may still change once it is in use."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from core.errors import Conflict, FieldError, InvalidInput, InvalidOption
from core.ingest_rules import SEPARATOR
from core.ports import Repositories
from core.records import Choice, IndexVersion, Session, SessionSettings, Task
from core.registry import Registry
from core.requests import NewSession

MIN_CLASSES = 2
MAX_CLASSES = 200
SHARE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownComponents:
    """The registries a session's choices are checked against, by settings field."""

    registries: Mapping[str, Registry[Any]]
    templates: Set[str]
    gold_allowed: bool


def check_session(new: NewSession, *, known: KnownComponents) -> None:
    """Raises InvalidInput naming every field that breaks a rule."""
    errors = [*_task_errors(new.task), *_settings_errors(new.settings, known=known)]
    if not new.name.strip():
        errors.append(_error("/name", "empty-text", "a session needs a name"))
    if errors:
        raise InvalidInput(errors[0].detail, code=errors[0].code, errors=errors)


def check_change(old: Session, new: NewSession, *, used: Set[str], indexed: bool) -> None:
    """Raises Conflict when a change would contradict what is already stored.

    ``used`` are the class ids that labels, gold or generations refer to; ``indexed``
    says whether vectors exist.
    """
    missing = sorted(used - set(new.task.class_ids))
    if missing:
        raise Conflict(
            "class ids that labels refer to can be neither removed nor renamed",
            code="label-in-use",
            extras={"labels": missing},
        )
    if old.state != "draft" and new.task.kind != old.task.kind:
        raise Conflict(
            "one or many classes per text is fixed once the pool has items; start a new session",
            code="schema-locked",
            extras={"field": "/task/type"},
        )
    if indexed and new.settings.encoder != old.settings.encoder:
        raise Conflict(
            "the encoder is fixed once the pool is indexed; start a new session to change it",
            code="schema-locked",
            extras={"field": "/settings/encoder"},
        )


def require_free(session: Session) -> None:
    """Raises Conflict ``legal-hold`` where nothing of the session may be deleted."""
    if session.settings.retention.hold:
        raise Conflict(
            "the session is under a legal hold; set settings.retention.hold to false first",
            code="legal-hold",
        )


def require_open(session: Session, *, verb: str) -> None:
    """Raises Conflict ``session-not-open`` unless the round's verbs may run."""
    if session.state != "open":
        hint = "add items first" if session.state == "draft" else "resume or reopen it first"
        raise Conflict(
            f"{verb} needs an open session; this one is {session.state}: {hint}",
            code="session-not-open",
            extras={"state": session.state},
        )


def require_accepting(session: Session) -> None:
    """Raises Conflict ``session-not-open`` where no answer could be stored: what people hold
    can be answered while the session pauses."""
    if session.state not in {"open", "paused"}:
        raise Conflict(
            f"labels need an open session; this one is {session.state}",
            code="session-not-open",
            extras={"state": session.state},
        )


def require_index(tx: Repositories, session: Session) -> IndexVersion:
    """The session's current arrays; raises Conflict ``not-indexed`` before the first."""
    version = tx.indexes.latest(session.id)
    if version is None:
        raise Conflict("the pool is not indexed yet", code="not-indexed")
    return version


def _error(pointer: str, code: str, detail: str) -> FieldError:
    return FieldError(pointer=pointer, code=code, detail=detail)


def _task_errors(task: Task) -> list[FieldError]:
    errors = []
    ids = task.class_ids
    if not MIN_CLASSES <= len(ids) <= MAX_CLASSES:
        detail = f"a task has {MIN_CLASSES} to {MAX_CLASSES} classes"
        errors.append(_error("/task/labels", "class-count", detail))
    for place, class_id in enumerate(ids):
        if class_id in ids[:place]:
            pointer = f"/task/labels/{place}/id"
            errors.append(_error(pointer, "duplicate-label", "each class id occurs once"))
        if task.multi_label and SEPARATOR in class_id:
            pointer = f"/task/labels/{place}/id"
            detail = f"{SEPARATOR} separates the class ids of a multi-label answer in files"
            errors.append(_error(pointer, "separator-in-label", detail))
    given = [c.target_share for c in task.classes if c.target_share is not None]
    if sum(given) > 1 + SHARE_TOLERANCE or (
        len(given) == len(ids) and abs(sum(given) - 1) > SHARE_TOLERANCE
    ):
        detail = "target shares add up to at most 1, and to exactly 1 where every class has one"
        errors.append(_error("/task/labels", "target-shares", detail))
    return errors


def _settings_errors(settings: SessionSettings, *, known: KnownComponents) -> list[FieldError]:
    errors = []
    for field, registry in known.registries.items():
        choice: Choice = getattr(settings, field)
        errors.extend(_choice_errors(choice, registry=registry, pointer=f"/settings/{field}"))
    if settings.template not in known.templates:
        detail = f"no template of that name; known: {', '.join(sorted(known.templates))}"
        errors.append(_error("/settings/template", "unknown-template", detail))
    if _asks_gold(settings.oracle) and not known.gold_allowed:
        detail = "this server does not allow the gold oracle (simulation)"
        errors.append(_error("/settings/oracle/name", "gold-not-allowed", detail))
    return errors


def _asks_gold(oracle: Choice) -> bool:
    """Also as a member of a panel."""
    members = oracle.options.get("members", ())
    names = [m.get("name") for m in members if isinstance(m, Mapping)] if _many(members) else []
    return "gold" in {oracle.name, *names}


def _many(value: object) -> bool:
    return isinstance(value, list | tuple)


def _choice_errors(choice: Choice, *, registry: Registry[Any], pointer: str) -> list[FieldError]:
    try:
        component = registry.get(choice.name)
    except InvalidInput as error:
        return [_error(f"{pointer}/name", error.code, error.detail)]
    defaults = component.defaults()
    errors = [
        _error(
            f"{pointer}/options/{option}",
            "unknown-option",
            f"{choice.name} has no such option; known: {', '.join(defaults) or 'none'}",
        )
        for option in choice.options
        if option not in defaults
    ]
    return errors or _value_errors(choice, registry=registry, pointer=pointer)


def _value_errors(choice: Choice, *, registry: Registry[Any], pointer: str) -> list[FieldError]:
    """Values are checked by making the component, where that needs nothing but its options."""
    if not registry.pure:
        return []
    try:
        registry.make(choice)
    except InvalidOption as error:
        return [
            _error(f"{pointer}{found.pointer}", found.code, found.detail) for found in error.errors
        ]
    return []
