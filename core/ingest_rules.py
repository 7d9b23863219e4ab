"""What one row must satisfy to enter the pool; pure, the same for requests and files."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from core.errors import InvalidInput
from core.records import SPLITS, Labels, NewItem, Options, Split
from core.texts import normalise, text_hash

MAX_TEXT_CHARS = 20_000
MAX_ID_CHARS = 200
MAX_LANG_CHARS = 35
MAX_METADATA_CHARS = 10_000
DERIVED_ID_CHARS = 32
SEPARATOR = "|"
"""Stands between the class ids of a multi-label gold cell; alone it means none of them."""


def check_row(
    raw: Mapping[str, Any],
    *,
    class_ids: Collection[str],
    multi_label: bool = False,
    max_text_chars: int = MAX_TEXT_CHARS,
) -> NewItem:
    """The row as an item. Known keys: text, external_id, gold, split, lang, metadata.

    A missing, None or (but for the text) empty value means "not given". Without an
    external id the row gets one from the hash of its normalised text, so that the same
    text gets the same id in every upload. ``gold`` is a class id or a list of one;
    with ``multi_label`` a list of any length ([] = none of the classes) or a string of
    ids with ``|`` between them (``|`` alone = none of the classes).
    Raises InvalidInput whose pointers are relative to the row: empty-text,
    invalid-text, too-long, missing-field, label-not-in-schema, too-many-labels,
    duplicate-label, unknown-split, check-without-gold, invalid-external-id, invalid-type,
    invalid-metadata.
    """
    text = _text(raw.get("text"), max_chars=max_text_chars)
    split = _split(raw.get("split"))
    gold = _gold(raw.get("gold"), class_ids=class_ids, multi_label=multi_label)
    if split == "check" and gold is None:
        detail = "a check item measures people by its known label: give it gold"
        raise InvalidInput.at("/gold", detail, code="check-without-gold")
    return NewItem(
        external_id=_external_id(raw.get("external_id")) or derived_id(text),
        text=text,
        split=split,
        gold=gold,
        lang=_lang(raw.get("lang")),
        metadata=_metadata(raw.get("metadata")),
    )


def derived_id(text: str) -> str:
    """The external id of a row that brings none."""
    return f"text-{text_hash(text)[:DERIVED_ID_CHARS]}"


def storable(text: str) -> bool:
    """Whether every database can hold it: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object, *, max_chars: int) -> str:
    if value is None:
        raise InvalidInput.at("/text", "the row has no text", code="missing-field")
    text = _string(value, at="/text")
    if len(text) > max_chars:
        detail = f"a text has at most {max_chars} characters"
        raise InvalidInput.at("/text", detail, code="too-long", limit=max_chars)
    if not storable(text):
        detail = "the text holds NUL, lone surrogates or bytes that are not UTF-8"
        raise InvalidInput.at("/text", detail, code="invalid-text")
    if not normalise(text):
        raise InvalidInput.at("/text", "the text is empty", code="empty-text")
    return text


def _external_id(value: object) -> str | None:
    if value is None or value == "":
        return None
    name = _string(value, at="/external_id")
    if len(name) > MAX_ID_CHARS or not name.isprintable() or name != name.strip():
        detail = f"an external id has 1 to {MAX_ID_CHARS} printable characters, no blanks around it"
        raise InvalidInput.at("/external_id", detail, code="invalid-external-id")
    return name


def _split(value: object) -> Split:
    if value is None or value == "":
        return "pool"
    if value not in SPLITS:
        detail = f"a split is one of {', '.join(SPLITS)}"
        raise InvalidInput.at("/split", detail, code="unknown-split", allowed=list(SPLITS))
    return value


def _gold(value: object, *, class_ids: Collection[str], multi_label: bool) -> Labels | None:
    given = _several(value) if multi_label else _at_most_one(value)
    if given is None:
        return None
    labels = [_string(label, at="/gold") for label in given]
    if any(label not in class_ids for label in labels):
        detail = "the gold label is not in the session's schema"
        allowed = sorted(class_ids)
        raise InvalidInput.at("/gold", detail, code="label-not-in-schema", allowed=allowed)
    if len(set(labels)) < len(labels):
        detail = "a gold label names each class once"
        raise InvalidInput.at("/gold", detail, code="duplicate-label")
    return tuple(sorted(labels))


def _at_most_one(value: object) -> list[Any] | None:
    given = list(value) if isinstance(value, list | tuple) else [value]
    if given in ([], [None], [""]):
        return None
    if len(given) > 1:
        detail = "a single-label session takes one gold label per row"
        raise InvalidInput.at("/gold", detail, code="too-many-labels")
    return given


def _several(value: object) -> list[Any] | None:
    """The ids of a multi-label cell; None where the gold is not known."""
    if value is None or value == "":
        return None
    if isinstance(value, list | tuple):
        return list(value)
    cell = _string(value, at="/gold").strip()
    return [] if cell == SEPARATOR else [part.strip() for part in cell.split(SEPARATOR)]


def _lang(value: object) -> str | None:
    if value is None or value == "":
        return None
    lang = _string(value, at="/lang")
    if len(lang) > MAX_LANG_CHARS or not lang.isascii() or not lang.isprintable():
        detail = "a language is a BCP 47 tag such as en or pt-BR"
        raise InvalidInput.at("/lang", detail, code="invalid-language")
    return lang


def _metadata(value: object) -> Options:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput.at("/metadata", "metadata is an object", code="invalid-type")
    try:
        written = json.dumps(dict(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        detail = "metadata holds what JSON cannot"
        raise InvalidInput.at("/metadata", detail, code="invalid-metadata") from None
    if len(written) > MAX_METADATA_CHARS or "\\u0000" in written or not storable(written):
        detail = f"metadata has at most {MAX_METADATA_CHARS} characters as JSON, without NUL"
        raise InvalidInput.at("/metadata", detail, code="invalid-metadata")
    stored: Options = json.loads(written)
    return stored


def _string(value: object, *, at: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput.at(at, "the value must be a string", code="invalid-type")
    return value
