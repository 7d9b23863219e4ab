"""Which classes a session's answers can train, and the refusal where they are too few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.errors import Conflict
from core.records import Labelled, Labels, Session
from core.training import trainable_classes


def classes_to_train(
    session: Session, labelled: Sequence[Labelled], *, min_per_class: int
) -> Labels:
    """Classes of the session's schema with enough answers, in its order."""
    return trainable_classes(
        labelled,
        order=session.task.class_ids,
        min_per_class=min_per_class,
        multi_label=session.task.multi_label,
    )


def refuse_too_few(session: Session, labelled: Sequence[Labelled], *, min_per_class: int) -> None:
    """Raise Conflict ``insufficient-classes`` where there is nothing to tell apart."""
    several = session.task.multi_label
    required = 1 if several else 2
    hint = "one class, and answers without it" if several else "two classes"
    if len(classes_to_train(session, labelled, min_per_class=min_per_class)) < required:
        raise Conflict(
            f"a detector needs labels of at least {hint}",
            code="insufficient-classes",
            extras={
                "present": dict(Counter(c for row in labelled for c in row.labels)),
                "required": required,
                "min_per_class": min_per_class,
            },
        )
