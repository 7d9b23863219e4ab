"""The pages of moderators and reviewers: which template, and who may see it."""

from __future__ import annotations

from flask import Response

from api.console.shell import blueprint, page, shell


@blueprint.get("")
def home() -> Response:
    """The sessions of the person who looks, and what waits in them."""
    return shell("home.html", here="home")


@blueprint.get("/join")
def join() -> Response:
    """Where an invitation leads; its token is in the fragment, which no server sees."""
    return page("join.html")


@blueprint.get("/settings")
def own_settings() -> Response:
    """A person's own keys, looks and topics to avoid."""
    return shell("settings.html", here="settings")


@blueprint.get("/sessions/<id:session_id>/annotate")
def annotate(session_id: str) -> Response:
    """One text at a time."""
    return shell("annotate.html", scope="annotate", session_id=session_id, here="annotate")


@blueprint.get("/sessions/<id:session_id>/review")
def review(session_id: str) -> Response:
    """Written variations beside the text they vary."""
    return shell("review.html", scope="review", session_id=session_id, here="review")


@blueprint.get("/sessions/<id:session_id>/adjudicate")
def adjudicate(session_id: str) -> Response:
    """Texts that people answered differently."""
    return shell("adjudicate.html", scope="review", session_id=session_id, here="adjudicate")


@blueprint.get("/sessions/<id:session_id>/flags")
def flags(session_id: str) -> Response:
    """What people found wrong with a text."""
    return shell("flags.html", scope="review", session_id=session_id, here="flags")
