"""What every page of the console shares: the blueprint, the frame and the headers.

A page is a frame without content: its script fetches what it shows from the public API.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, render_template, send_from_directory

from api import auth
from api.console.visitor import look, visitor
from api.context import services
from core.errors import TailwiseError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
blueprint = Blueprint(
    "console", __name__, url_prefix="/console", template_folder="templates", static_folder=None
)


def shell(
    template: str, *, scope: str | None = None, session_id: str | None = None, **context: Any
) -> Response:
    """The page for a signed-in person whose role has ``scope`` (None = any role).

    With ``session_id`` the template also gets the ``session`` record. Others get a page
    that says what to do: 401 signed out, 403 another role's page, 404 no such session.
    """
    seen = visitor()
    if seen is None:
        return page("join.html", status=401, ended=True)
    g.visitor = seen
    if scope is not None and not seen.may(scope):
        return page("refused.html", status=403, missing="role")
    if session_id is not None:
        try:
            auth.require_visible(seen.caller, session_id)
            context["session"] = services().session(seen.caller.tenant_id, session_id)
        except TailwiseError:
            return page("refused.html", status=404, missing="session")
    return page(template, **context)


def page(template: str, *, status: int = 200, **context: Any) -> Response:
    """A rendered page under the console's content policy, whoever asks for it."""
    seen = g.get("visitor")
    html = render_template(
        template, visitor=seen, look=seen.look if seen is not None else look({}), **context
    )
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/static/<name>")
def static(name: str) -> Response:
    """A style sheet, a script or a picture; browsers ask each time whether it changed."""
    response = send_from_directory(f"{blueprint.root_path}/static", name)
    response.headers["Cache-Control"] = "no-cache"
    return response
