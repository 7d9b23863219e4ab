"""How a step's answer or failure is written down, as JSON text without any user's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, TypeVar

from core.errors import FieldError, JobFailed, TailwiseError

T = TypeVar("T")


def record(work: Callable[[], T], raised: list[Exception]) -> str:
    """Run ``work`` and return its record; what it raised is also appended to ``raised``.

    A TailwiseError is recorded whole (its words never quote texts), any other exception
    by the name of its class. ASCII, so that every database stores every answer.
    """
    try:
        return json.dumps({"value": work()})
    except TailwiseError as error:
        raised.append(error)
        return json.dumps({"error": _described(error)})
    except Exception as error:  # noqa: BLE001 -- the engine would store the exception's text
        raised.append(error)
        return json.dumps({"error": {"code": "internal", "detail": type(error).__name__}})


def replay(text: str) -> Any:
    """The recorded answer; a recorded failure is raised as the class it was."""
    recorded = json.loads(text)
    if "error" not in recorded:
        return recorded["value"]
    error = recorded["error"]
    kind = _classes().get(error.get("kind", ""), JobFailed)
    raise kind(
        error["detail"],
        code=error["code"],
        errors=[FieldError(**fields) for fields in error.get("errors", [])],
        extras=error.get("extras"),
    )


def _described(error: TailwiseError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "detail": error.detail,
        "errors": [asdict(field) for field in error.errors],
        "extras": error.extras,
    }


def _classes() -> dict[str, type[TailwiseError]]:
    def tree(kind: type[TailwiseError]) -> Iterator[type[TailwiseError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    return {kind.__name__: kind for kind in tree(TailwiseError)}
