"""Declares a route in one decorator: who may call it, what it takes, every status it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, TypeVar

import flask_smorest
import marshmallow

from api.json_body import StrictParser
from api.streaming import EVENT_STREAM

View = TypeVar("View", bound=Callable[..., Any])
SchemaLike: TypeAlias = type[marshmallow.Schema] | marshmallow.Schema | Mapping[str, Any]
Idempotency: TypeAlias = Literal["required", "optional", "refused", "none"]
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
RULES = "tailwise_rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One documented success besides the first."""

    status: int
    schema: SchemaLike | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a route takes, what the guard enforces before its view, and what it answers.

    ``scope`` None = everybody who is known; ``bound_keys`` False refuses callers who see
    one session only. ``consumes`` lists the media types of a streamed upload. ``idempotency`` says
    what an Idempotency-Key means here. ``refuses`` adds to the statuses that every such
    route may answer.
    """

    scope: str | None = "read"
    public: bool = False
    bound_keys: bool = True
    query: SchemaLike | None = None
    body: SchemaLike | None = None
    body_required: bool = True
    body_type: str = JSON
    consumes: Sequence[str] = ()
    answer: SchemaLike | Mapping[str, Any] | None = None
    status: int = 200
    also: Sequence[Answer] = ()
    refuses: Sequence[int] = ()
    produces: Sequence[str] = (JSON,)
    idempotency: Idempotency = "none"
    if_match: bool = False
    if_none_match: bool = False
    prefer: bool = False

    @property
    def upload(self) -> bool:
        return bool(self.consumes)

    @property
    def restricted(self) -> bool:
        """Whether some callers may not use it."""
        return not self.public and (self.scope is not None or not self.bound_keys)

    @property
    def has_body(self) -> bool:
        """Whether the route reads a body: a document or a streamed upload."""
        return self.body is not None or self.upload


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Routes of one noun. Views get the query, then the body, then the path's values."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, *, prefix: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=prefix, description=description)
        self._prepare_doc_cbks.append(_document_rules)

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.operation("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.operation("POST", rule, **{"idempotency": "optional", **options})

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view of PATCH, which asks for If-Match unless ``if_match`` is False."""
        return self.operation("PATCH", rule, **{"if_match": True, **options})

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.operation("DELETE", rule, **options)

    def operation(self, method: str, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view; the options are the fields of ``Rules``."""
        rules = Rules(**options)

        def decorate(view: View) -> View:
            wrapped = self._answering(self._refusing(view, rules, self.url_prefix + rule), rules)
            wrapped = self._taking(wrapped, rules)
            wrapped = self.doc(operationId=view.__name__, **_upload_body(rules.consumes))(wrapped)
            setattr(wrapped, RULES, rules)
            wrapped._apidoc[RULES] = rules
            self.add_url_rule(rule, view.__name__, wrapped, methods=[method])
            return view

        return decorate

    def _taking(self, view: Any, rules: Rules) -> Any:
        """Parse the body, then the query in front of it."""
        if rules.body is not None:
            view = self.arguments(
                rules.body, required=rules.body_required, content_type=rules.body_type
            )(view)
        if rules.query is not None:
            view = self.arguments(rules.query, location="query", error_status_code=400)(view)
        return view

    def _refusing(self, view: Any, rules: Rules, rule: str) -> Any:
        for code in sorted({*rules.refuses, *_usual_refusals(rules, rule)}):
            view = self.alt_response(code, response=HTTPStatus(code).name)(view)
        return view

    def _answering(self, view: Any, rules: Rules) -> Any:
        for other in rules.also:
            view = self.alt_response(
                other.status, schema=other.schema, description=other.description, success=True
            )(view)
        if rules.answer is not None:
            for media_type in set(rules.produces) - {JSON}:
                view = self._raw(view, rules, media_type)
            return self.response(rules.status, rules.answer)(view)
        if rules.status == HTTPStatus.NO_CONTENT:
            return self.alt_response(rules.status, success=True)(view)
        for media_type in rules.produces:
            view = self._raw(view, rules, media_type)
        return view

    def _raw(self, view: Any, rules: Rules, media_type: str) -> Any:
        raw = {"type": "string", "contentMediaType": media_type}
        if media_type != EVENT_STREAM:
            raw["format"] = "binary"  # a file, which clients made of the document do not decode
        return self.alt_response(rules.status, schema=raw, content_type=media_type, success=True)(
            view
        )


def _usual_refusals(rules: Rules, rule: str) -> set[int]:
    """What the guard and the parsers may answer for a route with these rules."""
    codes = {400, 401, 406, 429, 500, 503} if not rules.public else {400, 401, 406, 500}
    codes |= {403} if rules.restricted else set()
    codes |= {413, 415, 422} if rules.has_body else set()
    codes |= {411} if rules.upload else set()
    codes |= {409, 422} if rules.idempotency in {"required", "optional"} else set()
    codes |= {404} if "<" in rule else set()
    codes |= {412, 428} if rules.if_match else set()
    return codes | ({304} if rules.if_none_match else set())


def _upload_body(consumes: Sequence[str]) -> dict[str, Any]:
    """The request body of a streamed upload."""
    if not consumes:
        return {}
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in consumes}
    return {"requestBody": {"required": True, "content": content}}


def _headers(status: int, rules: Rules) -> dict[str, str]:
    """The headers of a success, each by the name of its shared description."""
    found = {}
    if status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        found["Location"] = "LOCATION"
    if status == HTTPStatus.ACCEPTED:
        found["Retry-After"] = "RETRY_AFTER"
    if status == HTTPStatus.OK and rules.if_none_match:
        found["ETag"] = "ETAG"
    return found


def _document_rules(
    doc: dict[str, Any], doc_info: Mapping[str, Any], **_kwargs: Any
) -> dict[str, Any]:
    """Adds header parameters and security to an operation; called by flask-smorest."""
    rules: Rules = doc_info[RULES]
    parameters = doc.setdefault("parameters", [])
    if rules.idempotency in {"required", "optional"}:
        required = rules.idempotency == "required"
        parameters.append("IDEMPOTENCY_KEY_REQUIRED" if required else "IDEMPOTENCY_KEY")
    parameters += ["IF_MATCH"] if rules.if_match else []
    parameters += ["IF_NONE_MATCH"] if rules.if_none_match else []
    parameters += ["PREFER"] if rules.prefer else []
    for status, response in doc["responses"].items():
        if isinstance(response, dict) and (names := _headers(int(status), rules)):
            response.setdefault("headers", {}).update(names)
    content = doc.get("requestBody", {}).get("content", {})
    if MERGE_PATCH in content:
        content[JSON] = content[MERGE_PATCH]
    scopes = [rules.scope] if rules.scope else []
    doc["security"] = [] if rules.public else [{"key": scopes}, {"sign_in": scopes}]
    return doc
