"""Reading the lines of a batch's answers without trusting any part of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from adapters.generators.answers import Answer, read_answer
from adapters.generators.tally import Reply
from adapters.generators.trouble import Trouble

FINAL: Final = frozenset(
    {"invalid_request_error", "authentication_error", "permission_error", "not_found_error"}
)
"""Kinds of error that the same request would meet again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one call: an answer, or trouble that the provider bills nothing for."""

    custom_id: str
    outcome: Reply | Trouble

    @property
    def answer(self) -> Answer | None:
        return self.outcome.answer if isinstance(self.outcome, Reply) else None


def read_line(line: str, *, request_id: str) -> Line | None:
    """None where the line is none of a batch's answers."""
    document = _document(line)
    custom_id, result = document.get("custom_id"), document.get("result")
    if not isinstance(custom_id, str) or not isinstance(result, dict):
        return None
    kind = result.get("type")
    if kind == "succeeded":
        body = json.dumps(result.get("message")).encode()
        digest = hashlib.sha256(line.strip().encode("utf-8", "surrogatepass")).hexdigest()
        reply = Reply(answer=read_answer(body), sha256=digest, request_id=request_id)
        return Line(custom_id=custom_id, outcome=reply)
    category = _category(kind, result)
    again = kind == "expired" or (kind == "errored" and category not in FINAL)
    trouble = Trouble(category=category, retryable=again, billable=False, request_id=request_id)
    return Line(custom_id=custom_id, outcome=trouble)


def custom_id_of(line: str) -> str | None:
    """None where the line names no call."""
    found = _document(line).get("custom_id")
    return found if isinstance(found, str) else None


def _category(kind: object, result: dict[str, Any]) -> str:
    if kind in {"expired", "canceled"}:
        return str(kind)
    error = result.get("error")
    inner = error.get("error") if isinstance(error, dict) else None
    name = inner.get("type") if isinstance(inner, dict) else None
    return name[:100] if kind == "errored" and isinstance(name, str) else "unknown_error"


def _document(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
