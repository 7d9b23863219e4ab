"""What a person who labels is shown of an item's metadata: the messages before it, chosen keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.records import Options

CONTEXT: Final = "context"
TOPICS: Final = "topics"
_OWN: Final = frozenset({CONTEXT, TOPICS})


def context_of(metadata: Options) -> list[dict[str, str]]:
    """The messages before a text, in order, each {text, author?}; what is neither a string
    nor such an object is left out."""
    given = metadata.get(CONTEXT)
    messages = given if isinstance(given, Sequence) and not isinstance(given, str) else []
    return [message for message in map(_message, messages) if message is not None]


def shown_metadata(metadata: Options, keys: Sequence[str]) -> dict[str, Any]:
    """The permitted keys that the item has."""
    return {key: metadata[key] for key in keys if key in metadata and key not in _OWN}


def _message(given: Any) -> dict[str, str] | None:
    if isinstance(given, str):
        return {"text": given}
    if not isinstance(given, Mapping) or not isinstance(given.get("text"), str):
        return None
    author = given.get("author")
    named = {"author": author} if isinstance(author, str) else {}
    return {**named, "text": given["text"]}
