"""Reading a Messages answer without trusting any part of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.generators.frames import frame_of
from core.generation import GenerationRequest, Variation
from core.prompting import DATA_OPEN

MAX_TEXT_CHARS = 20_000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A message as the provider sent it. Token counts are None where it did not say."""

    stop_reason: str | None
    category: str | None
    text: str
    model: str | None
    input_tokens: int | None
    output_tokens: int | None


def read_answer(body: bytes) -> Answer | None:
    """The message in a response body; None where the body is not a message at all."""
    document = _document(body.decode("utf-8", "replace"))
    if document is None or document.get("type") != "message":
        return None
    content = document.get("content")
    blocks = [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    texts = [b.get("text") for b in blocks if b.get("type") == "text"]
    input_tokens, output_tokens = _usage(document.get("usage"))
    return Answer(
        stop_reason=_word(document.get("stop_reason")),
        category=_category(document.get("stop_details")),
        text="".join(t for t in texts if isinstance(t, str)),
        model=_word(document.get("model")),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )


def read_variations(text: str, *, request: GenerationRequest) -> tuple[Variation, ...] | None:
    """The usable variations in an answer's text, at most ``request.count``.

    None where the text is not of the agreed shape. Left out: blank or unprintable texts,
    slot fillings that do not fit, and echoes of the prompt.
    """
    document = _document(text)
    rows = document.get("variations") if document else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    usable = [t for t in _texts(rows, request=request) if _is_usable(t)]
    return tuple(Variation(text=t) for t in usable[: request.count])


def _texts(rows: list[dict[str, Any]], *, request: GenerationRequest) -> Iterator[str]:
    frame = frame_of(request.text)
    for row in rows:
        if request.template.level == "strict_slots":
            fillings = row.get("slots")
            text = frame.assemble(fillings) if isinstance(fillings, list) else None
        else:
            text = row.get("text")
        if isinstance(text, str):
            yield text.strip()


def _is_usable(text: str) -> bool:
    plain = text.replace("\n", "").replace("\t", "")
    return bool(plain) and len(text) <= MAX_TEXT_CHARS and _is_clean(plain)


def _is_clean(text: str) -> bool:
    echoes = DATA_OPEN in text or "</data>" in text
    return not echoes and not _UNPRINTABLE.search(text)


def _document(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _usage(usage: object) -> tuple[int | None, int | None]:
    if not isinstance(usage, dict):
        return None, None
    cached = ("cache_creation_input_tokens", "cache_read_input_tokens")
    inputs = [usage.get("input_tokens"), *(usage.get(name) or 0 for name in cached)]
    counts = [n for n in (*inputs, usage.get("output_tokens")) if type(n) is int and n >= 0]
    if len(counts) <= len(inputs):
        return None, None
    return sum(counts[:-1]), counts[-1]


def _category(details: object) -> str | None:
    return _word(details.get("category")) if isinstance(details, dict) else None


def _word(value: object) -> str | None:
    return value[:100] if isinstance(value, str) else None
