"""Generate variations of labelled items, and review them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.answers import without_content
from api.blueprint import Answer, Blueprint
from api.context import caller, current_session, request_key, services
from api.etags import optional_revision, tagged
from api.pagination import paged
from api.prefer import accepted
from api.schemas.generations import (
    DecisionSchema,
    GenerateRequestSchema,
    GenerationPageSchema,
    GenerationPlanSchema,
    GenerationQuery,
    GenerationSchema,
    ReviewRequestSchema,
    ReviewResultSchema,
    ReviewRowSchema,
)
from api.schemas.operations import OperationSchema
from core.records import Generation, Page
from core.requests import GenerateRequest, ReviewDecision, ReviewResult

blueprint = Blueprint(
    "generations",
    prefix="/v1/sessions/<id:session_id>",
    description="Written variations, each with its full lineage; only accepted ones train.",
)


@blueprint.post(
    "/generate",
    scope="generate",
    body=GenerateRequestSchema,
    body_required=False,
    idempotency="required",
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=(
        Answer(
            status=200,
            schema={"anyOf": [GenerationPlanSchema, OperationSchema]},
            description="The plan (dry_run), or the finished operation (Prefer: wait).",
        ),
    ),
    refuses=(404, 409, 410),
)
def generate(asked: tuple[GenerateRequest, bool]) -> Response:
    """Write variations of labelled items."""
    wish, dry_run = asked
    if dry_run:
        plan = services().plan_generation(current_session(), wish)
        return jsonify(GenerationPlanSchema().dump(plan))
    return accepted(services().start_generate(current_session(), wish, request_key=request_key()))


@blueprint.get("/generations", query=GenerationQuery, answer=GenerationPageSchema, refuses=(410,))
def list_generations(query: Mapping[str, Any]) -> Response:
    """List variations."""

    def fetch(page: Page) -> Sequence[Generation]:
        with services().store.read() as tx:
            return tx.generations.list(
                current_session().id,
                page,
                state=query.get("state"),
                operation_id=query.get("operation_id"),
                label=query.get("label"),
            )

    schema = without_content(GenerationSchema)
    return paged(query, fetch, key=lambda row: row.id, schema=schema)


@blueprint.get(
    "/generations/<id:generation_id>",
    answer=GenerationSchema,
    if_none_match=True,
    refuses=(410,),
)
def get_generation(generation_id: str) -> Response:
    """Read a variation with its lineage."""
    row = services().generation(current_session(), generation_id)
    return tagged(without_content(GenerationSchema).dump(row), revision=row.revision)


@blueprint.post(
    "/generations/<id:generation_id>/review",
    scope="review",
    body=DecisionSchema,
    answer=ReviewRowSchema,
    refuses=(409, 410, 412),
)
def review_generation(asked: Mapping[str, Any], generation_id: str) -> Any:
    """Decide on a variation; If-Match lets a decided one be decided again."""
    row = services().generation(current_session(), generation_id)
    revision = optional_revision(row.revision)
    decision = ReviewDecision(**asked, generation_id=row.id, expected_revision=revision)
    result = services().review(current_session(), [decision], reviewer=caller().id, mode="atomic")
    return result.results[0]


@blueprint.post(
    "/generations/review",
    scope="review",
    body=ReviewRequestSchema,
    answer=ReviewResultSchema,
    refuses=(409, 410, 412),
)
def review_generations(asked: Mapping[str, Any]) -> ReviewResult:
    """Decide on many variations."""
    return services().review(
        current_session(), asked["decisions"], reviewer=caller().id, mode=asked["mode"]
    )
