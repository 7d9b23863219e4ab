"""The pages of those who lead: a session's figures and work, and the people."""

from __future__ import annotations

from flask import Response

from api.console.shell import blueprint, shell

LEADS = "people:write"
"""The scope that makes a lead: annotators and reviewers lack it."""


@blueprint.get("/sessions/<id:session_id>/lead")
def lead(session_id: str) -> Response:
    """Where a session stands, what runs, and its figures."""
    return shell("lead.html", scope=LEADS, session_id=session_id, here="lead")


@blueprint.get("/people")
def people() -> Response:
    """Who may sign in; invite and revoke."""
    return shell("people.html", scope=LEADS, here="people")
