"""The API described: /v1/openapi.yaml, and /v1/docs with assets that a package carries."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from flask import Blueprint, Response, current_app, send_from_directory

ASSETS = re.compile(r"[a-z0-9-]+\.(?:js|css|png|html)")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Tailwise API</title>
<link rel="stylesheet" href="/v1/docs/assets/swagger-ui.css">
<link rel="icon" type="image/png" href="/v1/docs/assets/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/v1/docs/assets/swagger-ui-bundle.js"></script>
<script src="/v1/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/v1/openapi.yaml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
blueprint = Blueprint("docs", __name__, url_prefix="/v1")


@blueprint.get("/docs")
def page() -> Response:
    """The page; everything it loads comes from this server."""
    response = Response(PAGE, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/docs/start.js")
def start_script() -> Response:
    """In a file of its own, because the page's policy allows no inline script."""
    return Response(START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/assets/<name>")
def asset(name: str) -> Response:
    """A file of the Swagger UI that the flask-swagger-ui package carries."""
    folder = str(files("flask_swagger_ui") / "dist")
    response = send_from_directory(folder, name)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@blueprint.get("/openapi.yaml")
def specification() -> Response:
    """The OpenAPI document of this version."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return Response(as_yaml(api.spec.to_dict()), content_type="application/yaml; charset=utf-8")


def as_yaml(document: dict[str, Any]) -> str:
    """Stable text of a document: insertion order, no anchors."""
    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # untyped
    """YAML without anchors and aliases, which not every OpenAPI reader follows."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
