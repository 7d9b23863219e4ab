"""Reads JSON bodies strictly: one meaning per document, and nothing the database cannot hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

import marshmallow
from flask import Request
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy

from api.schemas.refusals import as_invalid_input, pointer_of
from core.errors import InvalidInput

MAX_DEPTH = 64
LARGEST = 2**63 - 1
MAX_DIGITS = 20
MAX_VALUES = 100_000
"""A thousand rows with a hundred facts each; a body of nothing but commas takes seconds to read."""
STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
Trail: TypeAlias = "tuple[Trail, str | int] | None"
"""Where a value sits: its container's trail and its own key; None is the document."""


def parse_document(raw: bytes) -> Any:
    """The value of a UTF-8 JSON text.

    Raises InvalidInput: ``malformed-json`` (syntax, encoding, a key twice, NaN, nesting
    past 64), ``too-many-values``, ``invalid-text`` (NUL, lone surrogates),
    ``invalid-number`` (not finite, or an integer past 64 bits).
    """
    _refuse_crowd(raw)
    try:
        document = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_bounded,
        )
    except (ValueError, RecursionError):
        detail = "the body is not one well-formed JSON text in UTF-8, nested at most 64 deep"
        raise InvalidInput(detail, code="malformed-json") from None
    _check(document)
    return document


def _refuse_crowd(raw: bytes) -> None:
    """Commas outside strings count the values before any of them is made."""
    if raw.count(b",") > MAX_VALUES and STRINGS.sub(b"", raw).count(b",") > MAX_VALUES:
        detail = f"a body holds at most {MAX_VALUES} values"
        raise InvalidInput(detail, code="too-many-values", extras={"limit": MAX_VALUES})


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        detail = "an object has the same key twice"
        raise InvalidInput(detail, code="malformed-json")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    detail = "NaN and Infinity are not JSON"
    raise InvalidInput(detail, code="malformed-json")


def _bounded(digits: str) -> int:
    """Reading thousands of digits takes quadratic time, so any huge number stands for them."""
    return int(digits) if len(digits) <= MAX_DIGITS else 2**64


def _check(document: Any) -> None:
    """Refuse what JSON can say and the service cannot store; iterative, so depth is harmless."""
    _check_scalar(document, None)
    stack: list[tuple[Any, Trail, int]] = [(document, None, 0)]
    while stack:
        container, trail, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise InvalidInput("the body is nested too deeply", code="malformed-json")
        for key, value in _members(container, trail):
            if isinstance(value, dict | list):
                stack.append((value, (trail, key), depth + 1))
            else:
                _check_scalar(value, (trail, key))


def _members(container: Any, trail: Trail) -> Iterator[tuple[str | int, Any]]:
    if isinstance(container, list):
        yield from enumerate(container)
    elif isinstance(container, dict):
        for key, value in container.items():
            _check_scalar(key, trail)
            yield key, value


def _check_scalar(value: Any, trail: Trail) -> None:
    if isinstance(value, str):
        if "\0" in value or not _encodable(value):
            detail = "text must not hold NUL characters or lone surrogates"
            raise InvalidInput.at(_pointer(trail), detail, code="invalid-text")
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= LARGEST):
        if isinstance(value, float) and math.isfinite(value):
            return
        detail = "numbers must be finite and whole ones fit in 64 bits"
        raise InvalidInput.at(_pointer(trail), detail, code="invalid-number")


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _pointer(trail: Trail) -> str:
    keys: list[str | int] = []
    while trail is not None:
        trail, key = trail
        keys.append(key)
    return pointer_of(reversed(keys))


def require_json(request: Request) -> None:
    """Raises InvalidInput ``unsupported-media-type`` unless the body says it is UTF-8 JSON."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    is_json = request.mimetype == "application/json" or (
        request.method == "PATCH" and request.mimetype == "application/merge-patch+json"
    )
    if not is_json or charset not in {"utf-8", "utf8"} or request.content_encoding:
        detail = "the body must be application/json in UTF-8, without a content encoding"
        raise InvalidInput(detail, code="unsupported-media-type")


def read_json(request: Request) -> Any:
    """The request's document; an absent body is an empty object."""
    raw = request.get_data(cache=True)
    if not raw and not request.mimetype:
        return {}
    require_json(request)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        detail = f"the body may have at most {limit} bytes"
        raise InvalidInput(detail, code="payload-too-large", extras={"limit": limit})
    return parse_document(raw)


class StrictParser(FlaskParser):
    """flask-smorest's way in, with this module's rules and this project's errors."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": None, "query": None}  # noqa: RUF012

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        return read_json(req)

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> MultiDictProxy:
        return MultiDictProxy(req.args, schema, known_multi_fields=())

    def handle_error(
        self,
        error: marshmallow.ValidationError,
        req: Request,
        schema: marshmallow.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        del req, schema, error_status_code, error_headers
        [(location, messages)] = error.messages_dict.items()
        refusal = as_invalid_input(messages, prefix="?" if location == "query" else "/")
        if location == "query":
            raise InvalidInput(refusal.detail, code="invalid-query", errors=refusal.errors)
        raise refusal from None
