"""Reading a chat completion without trusting any part of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.generators.answers import Answer

STOPS: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
}
"""Its words for why an answer ended, as ours."""


def read_completion(body: bytes) -> Answer | None:
    """The first choice in a response body; None where the body is no completion at all."""
    document = _object(_parsed(body))
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    message = _object(choices[0].get("message"))
    finish = _word(choices[0].get("finish_reason"))
    declined = bool(_word(message.get("refusal")))
    filtered = finish == "content_filter"
    usage = _object(document.get("usage"))
    counts = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
    known = None not in counts
    return Answer(
        stop_reason="refusal" if declined else STOPS.get(finish or "", finish),
        category="content_filter" if filtered and not declined else None,
        text=_text(message.get("content")),
        model=_word(document.get("model")),
        input_tokens=counts[0] if known else None,
        output_tokens=counts[1] if known else None,
    )


def error_kind(body: bytes) -> str | None:
    """What an error document says it is; None where it is no such document."""
    error = _object(_parsed(body)).get("error")
    if not isinstance(error, dict):
        return None
    return _word(error.get("code")) or _word(error.get("type")) or "error"


def _text(content: object) -> str:
    """Some servers send a list of parts."""
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [_object(part).get("text") for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _word(value: object) -> str | None:
    return value[:100] if isinstance(value, str) and value else None
