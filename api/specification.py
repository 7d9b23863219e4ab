"""flask-smorest's Api with our problem documents in place of its errors, and shared components."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import flask_smorest
from flask import Flask
from flask.typing import ResponseReturnValue
from marshmallow.fields import Field
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from api.cookies import COOKIE
from api.errors import PROBLEM_JSON, answer_http_exception
from api.schemas.components import ChoiceSchema
from api.schemas.problems import ProblemSchema

DESCRIPTION = """\
Finds the rare, dangerous cases your safety data misses: pool in, cluster, select what the \
learner is least sure of, label, generate variations, review, retrain, repeat.

Refusals are problem documents (RFC 9457) with a stable `code`. Long work answers 202 with an \
operation to follow. Limits are the defaults; `GET /v1/limits` says what this server uses.
"""
KEY_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "tw_<id>_<secret>",
    "description": "An API key. The scopes an operation needs are listed with it; `admin` has all.",
}
SIGN_IN_SECURITY = {
    "type": "apiKey",
    "in": "cookie",
    "name": COOKIE,
    "description": (
        "The browser of a person who signed in. It counts only without an Authorization header,"
        " and for anything but reading only from our own origin."
    ),
}
HEADERS = {
    "IDEMPOTENCY_KEY": (
        "Idempotency-Key",
        "Makes a retry of this request safe: it has one effect and one answer.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    ),
    "PREFER": (
        "Prefer",
        "`wait=N` waits up to N seconds (at most 30) for the end of the operation.",
        {"type": "string", "examples": ["wait=10"]},
    ),
    "IF_MATCH": (
        "If-Match",
        "The ETag you last saw; without it 428, when outdated 412.",
        {"type": "string", "examples": ['"3"']},
    ),
    "IF_NONE_MATCH": (
        "If-None-Match",
        "An ETag you hold; 304 when it is still right.",
        {"type": "string"},
    ),
}


PATH_ID = "^[a-z]{2,4}_[A-Za-z0-9_]{1,60}$"
"""The prefix keeps ids apart from words such as ``review`` at the same place of a path."""
ID_SCHEMA = {
    "type": "string",
    "pattern": PATH_ID,
    "description": "An id from an earlier answer.",
}
PARTS = ("type", "enum", "properties", "additionalProperties")
"""What a schema says of a value that is not null."""
RESPONSE_HEADERS = {
    "LOCATION": ("Where the new thing, or the operation to follow, is.", "string"),
    "ETAG": ("The revision and a digest; send it back in If-Match or If-None-Match.", "string"),
    "RETRY_AFTER": ("Seconds to wait before asking again.", "integer"),
}


class IdConverter(BaseConverter):
    """An id in a path; anything that cannot be an id is an unknown URL."""

    regex = PATH_ID.strip("^$")


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest is untyped
    """Three overrides, pinned to flask-smorest 0.47 because the last is private."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        return answer_http_exception(error)

    def _register_responses(self) -> None:
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    def _register_etag_headers(self) -> None:
        for name, (header, description, schema) in HEADERS.items():
            parameter = {"name": header, "description": description, "schema": schema}
            self.spec.components.parameter(name, "header", parameter, lazy=True)
        for name, (description, kind) in RESPONSE_HEADERS.items():
            component = {"description": description, "schema": {"type": kind}}
            self.spec.components.header(name, component, lazy=True)
        required = {**self._idempotency_key(), "required": True}
        self.spec.components.parameter("IDEMPOTENCY_KEY_REQUIRED", "header", required, lazy=True)

    def _register_pagination_header(self) -> None:
        """Pages say where they end in their body."""

    @staticmethod
    def _idempotency_key() -> dict[str, Any]:
        header, description, schema = HEADERS["IDEMPOTENCY_KEY"]
        return {"name": header, "description": description, "schema": schema}


def make_api(app: Flask) -> Api:
    """The Api of ``app``, with nothing registered yet."""
    app.config.update(
        API_TITLE="Tailwise",
        API_VERSION=version("tailwise"),
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
            "components": {"securitySchemes": {"key": KEY_SECURITY, "sign_in": SIGN_IN_SECURITY}},
            "servers": [{"url": "/"}],
        },
    )
    app.url_map.converters["id"] = IdConverter
    api = Api()
    api.register_converter(IdConverter, lambda _converter: ID_SCHEMA)
    api.init_app(app)
    api.spec.components.schema("Choice", schema=ChoiceSchema)
    api.ma_plugin.converter.add_attribute_function(_null_apart)
    return api


def _null_apart(
    _converter: Any, field: Field[Any], *, ret: dict[str, Any], **_kwargs: Any
) -> dict[str, Any]:
    """A name of its own for the part of a nullable enum or object that is not null.

    Generators of clients make a class of each part; from ``type: [string, 'null']`` beside an
    ``enum`` they make several, called after their place.
    """
    if not field.allow_none or not ("enum" in ret or "object" in ret.get("type", ())):
        return {}
    title = "".join(word.capitalize() for word in (field.name or "value").split("_"))
    kinds = {kind: ret.pop(kind) for kind in PARTS if kind in ret}
    kinds["type"] = next(kind for kind in kinds["type"] if kind != "null")
    if "enum" in kinds:
        kinds["enum"] = [value for value in kinds["enum"] if value is not None]
    return {"anyOf": [{"title": title, **kinds}, {"type": "null"}]}
