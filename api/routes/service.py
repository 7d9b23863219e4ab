"""The service about itself: what it knows, what it takes, how it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from flask import Response, jsonify

from api.blueprint import Answer, Blueprint
from api.context import services, settings
from api.prefer import LONGEST_WAIT
from api.schemas.components import ComponentsSchema
from api.schemas.pages import LARGEST_PAGE
from api.schemas.service import AliveSchema, LimitsSchema, ReadySchema, VersionSchema
from core.registry import Component

blueprint = Blueprint("service", prefix="/v1", description="What this server is and takes.")
probes = Blueprint("probes", prefix="", description="For whoever watches over the process.")


@blueprint.get("/components", answer=ComponentsSchema)
def list_components() -> Mapping[str, Any]:
    """List everything that can be chosen by name, with its options."""
    kinds = ("encoders", "clusterers", "strategies", "learners", "generators", "oracles")
    return {kind: _described(getattr(services(), kind)) for kind in kinds}


@blueprint.get("/limits", public=True, answer=LimitsSchema)
def get_limits() -> Mapping[str, Any]:
    """Read what this server takes at most."""
    names = set(LimitsSchema().fields) - {"max_page", "max_wait_seconds"}
    values = {name: getattr(settings(), name) for name in names}
    return {**values, "max_page": LARGEST_PAGE, "max_wait_seconds": LONGEST_WAIT}


@blueprint.get("/version", public=True, answer=VersionSchema)
def get_version() -> Mapping[str, str]:
    """Read which program answers."""
    return {"name": "tailwise", "version": version("tailwise"), "api": "v1"}


@probes.get("/livez", public=True, answer=AliveSchema)
def alive() -> Mapping[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@probes.get(
    "/readyz",
    public=True,
    answer=ReadySchema,
    also=(Answer(status=503, schema=ReadySchema, description="Some check failed."),),
)
def ready() -> Response:
    """Whether the service can do its work."""
    checks = _checks()
    good = all(checks.values())
    response = jsonify(ReadySchema().dump({"ready": good, "checks": checks}))
    response.status_code = 200 if good else 503
    return response


def _checks() -> Mapping[str, bool]:
    """A store that cannot even be asked is a red check, not an error page."""
    try:
        return services().ready()
    except Exception:  # noqa: BLE001 -- whatever is wrong, the answer is that we are not ready
        return {"database": False}


def _described(components: Iterable[Component[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": component.name,
            "summary": component.summary,
            "options": [
                {"name": name, "default": _plain(default)}
                for name, default in component.defaults().items()
            ],
            "facts": component.facts,
        }
        for component in components
    ]


def _plain(default: Any) -> Any:
    """A default that JSON can say; None for the rest."""
    try:
        json.dumps(default, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return default
