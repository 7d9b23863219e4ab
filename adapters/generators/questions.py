"""From a question about texts to the prompt a judging model gets, and its answer read back."""

from __future__ import annotations

import json
from typing import Any, Final

from core.opinions import Opinion, Question
from core.prompting import DATA_RULE, Prompt, data_block

SYSTEM: Final = """\
You label texts for a text detector. The user turn holds the classes, the guidelines of the \
people who label, and numbered texts. Decide about each text on its own, by the definitions \
and the guidelines, as a careful annotator would.
{rule}
Give a confidence from 0 to 1: the share of careful annotators you expect to agree. Where the \
definitions do not settle a text, or you cannot judge it, set abstain to true and leave labels \
empty; somebody else will read it.
Answer with one entry per text, with its number n."""
ONE: Final = "Each text has exactly one class."
SEVERAL: Final = "A text may have several classes, or none: then labels is empty."


def build_question(question: Question) -> Prompt:
    """Everything that strangers wrote is data of the user turn; the data rule ends the system."""
    rule = SEVERAL if question.multi_label else ONE
    classes = [
        {"id": c.id, "name": c.name, "definition": c.definition, "examples": list(c.examples)}
        for c in question.classes
    ]
    texts = [{"n": n, "text": text} for n, text in enumerate(question.texts, start=1)]
    blocks = (
        data_block("classes", classes),
        data_block("guidelines", question.guidelines),
        data_block("texts", texts),
    )
    system = SYSTEM.format(rule=rule)
    return Prompt(system=f"{system}\n\n{DATA_RULE}", user="\n\n".join(blocks))


def opinions_schema(question: Question) -> dict[str, Any]:
    """The JSON schema of an answer; what it cannot say is checked when the answer is read."""
    label = {"type": "string", "enum": [c.id for c in question.classes]}
    fields = {
        "n": {"type": "integer"},
        "labels": {"type": "array", "items": label},
        "confidence": {"type": "number"},
        "abstain": {"type": "boolean"},
    }
    return _object(answers={"type": "array", "items": _object(**fields)})


def read_opinions(text: str, *, question: Question) -> tuple[Opinion, ...] | None:
    """One opinion per text of the question; None where the text is not of the agreed shape.

    A text that is not answered, answered twice, or answered against the schema gets an
    opinion without labels.
    """
    rows = _rows(text)
    if rows is None:
        return None
    by_number: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        number = row.get("n")
        if type(number) is int:
            by_number.setdefault(number, []).append(row)
    return tuple(
        _opinion(by_number.get(n, []), question=question) for n in range(1, len(question.texts) + 1)
    )


def _opinion(rows: list[dict[str, Any]], *, question: Question) -> Opinion:
    if len(rows) != 1 or rows[0].get("abstain") is not False:
        return Opinion()
    labels, confidence = rows[0].get("labels"), rows[0].get("confidence")
    known = {c.id for c in question.classes}
    good = isinstance(labels, list) and all(type(x) is str and x in known for x in labels)
    sure = type(confidence) in {int, float} and 0.0 <= confidence <= 1.0  # type: ignore[operator]
    if not good or not sure or not isinstance(labels, list) or confidence is None:
        return Opinion()
    found = tuple(sorted(set(labels)))
    if not question.multi_label and len(found) != 1:
        return Opinion()
    return Opinion(labels=found, confidence=float(confidence))


def _rows(text: str) -> list[dict[str, Any]] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows = document.get("answers") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return rows


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
