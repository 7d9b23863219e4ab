"""Prompt templates of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from api.answers import created
from api.blueprint import Blueprint
from api.context import services, tenant_id
from api.schemas.templates import NewTemplateSchema, TemplateSchema, TemplatesSchema

blueprint = Blueprint(
    "templates",
    prefix="/v1/templates",
    description="How variations are asked for: versioned prompts with named slots.",
)


@blueprint.get("", answer=TemplatesSchema)
def list_templates() -> Mapping[str, Any]:
    """List templates, built-in ones first."""
    return {"data": services().templates(tenant_id())}


@blueprint.post(
    "",
    scope="generate",
    bound_keys=False,
    body=NewTemplateSchema,
    answer=TemplateSchema,
    status=201,
    refuses=(409,),
)
def add_template(new: Mapping[str, Any]) -> Response:
    """Store a new version of a template."""
    template = services().add_template(tenant_id(), **new)
    return created(TemplateSchema().dump(template), location="/v1/templates")
