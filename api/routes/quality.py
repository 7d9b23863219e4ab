"""Quality of people's answers, for leads."""

from __future__ import annotations

from api.blueprint import Blueprint
from api.context import current_session, services
from api.schemas.quality import QualitySchema
from core.rounds.quality import Quality

blueprint = Blueprint(
    "quality",
    prefix="/v1/sessions/<id:session_id>",
    description="How far people agree, and how they do on items whose label is known.",
)


@blueprint.get("/quality", scope="people:write", answer=QualitySchema, refuses=(410,))
def get_quality() -> Quality:
    """Agreement, checks, skips, flags and pace."""
    return services().quality(current_session())
