"""Declares a route in one decorator: who may call it, what it takes, every status it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, TypeVar

import flask_smorest
import marshmallow

from api.json_body import StrictParser

View = TypeVar("View", bound=Callable[..., Any])
SchemaLike: TypeAlias = type[marshmallow.Schema] | marshmallow.Schema | Mapping[str, Any]
Idempotency: TypeAlias = Literal["required", "optional", "refused", "none"]
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
RULES = "tailwise_rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the guard enforces before a view runs.

    ``scope`` None = any valid key. ``idempotency`` says what an Idempotency-Key means here.
    ``upload`` bodies are streamed and may be as large as an import file.
    """

    scope: str | None
    public: bool
    idempotency: Idempotency
    upload: bool
    produces: tuple[str, ...]
    takes_query: bool
    if_match: bool
    if_none_match: bool
    prefer: bool
    bound_keys: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One documented success besides the first."""

    status: int
    schema: SchemaLike | None = None
    description: str | None = None
    headers: Mapping[str, Any] | None = None


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
        return self.operation("PATCH", rule, **{"if_match": True, **options})

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.operation("DELETE", rule, **options)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: str | None = None,
        public: bool = False,
        query: SchemaLike | None = None,
        body: SchemaLike | None = None,
        body_required: bool = True,
        body_type: str = JSON,
        consumes: Sequence[str] = (),
        answer: SchemaLike | None = None,
        status: int = 200,
        headers: Mapping[str, Any] | None = None,
        also: Sequence[Answer] = (),
        refuses: Sequence[int] = (),
        produces: Sequence[str] = (JSON,),
        idempotency: Idempotency = "none",
        if_match: bool = False,
        if_none_match: bool = False,
        prefer: bool = False,
        bound_keys: bool = True,
    ) -> Callable[[View], View]:
        """Register a view with its rules; ``refuses`` adds to what every such route refuses."""
        rules = Rules(
            scope=scope,
            public=public,
            idempotency=idempotency,
            upload=bool(consumes),
            produces=tuple(produces),
            takes_query=query is not None,
            if_match=if_match,
            if_none_match=if_none_match,
            prefer=prefer,
            bound_keys=bound_keys,
        )

        def decorate(view: View) -> View:
            wrapped: Any = self._document_answers(
                view, answer=answer, status=status, headers=headers, produces=produces, also=also
            )
            if body is not None:
                wrapped = self.arguments(body, required=body_required, content_type=body_type)(
                    wrapped
                )
            if query is not None:
                wrapped = self.arguments(query, location="query", error_status_code=400)(wrapped)
            has_body = body is not None or bool(consumes)
            usual = _usual_refusals(rules, f"{self.url_prefix}{rule}", has_body=has_body)
            for code in sorted({*refuses, *usual}):
                wrapped = self.alt_response(code, response=HTTPStatus(code).name)(wrapped)
            wrapped = self.doc(operationId=view.__name__, **_upload_body(consumes))(wrapped)
            setattr(wrapped, RULES, rules)
            wrapped._apidoc[RULES] = rules
            self.add_url_rule(rule, view.__name__, wrapped, methods=[method])
            return view

        return decorate

    def _document_answers(
        self,
        view: Any,
        *,
        answer: SchemaLike | None,
        status: int,
        headers: Mapping[str, Any] | None,
        produces: Sequence[str],
        also: Sequence[Answer],
    ) -> Any:
        for other in also:
            view = self.alt_response(
                other.status,
                schema=other.schema,
                description=other.description,
                headers=other.headers,
                success=True,
            )(view)
        if tuple(produces) == (JSON,) and answer is not None:
            return self.response(status, answer, headers=headers)(view)
        for media_type in produces if status != HTTPStatus.NO_CONTENT else ():
            raw = {"type": "string", "contentMediaType": media_type}
            view = self.alt_response(
                status, schema=raw, content_type=media_type, headers=headers, success=True
            )(view)
        return (
            self.alt_response(status, success=True)(view)
            if status == HTTPStatus.NO_CONTENT
            else view
        )


def _usual_refusals(rules: Rules, rule: str, *, has_body: bool) -> set[int]:
    """What the guard and the parsers may answer for a route with these rules."""
    codes = {400, 401, 406, 429, 500, 503} if not rules.public else {400, 401, 406, 500}
    codes |= {403} if rules.scope or not rules.bound_keys else set()
    codes |= {413, 415, 422} if has_body else set()
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
    doc["security"] = [] if rules.public else [{"key": [rules.scope] if rules.scope else []}]
    return doc
