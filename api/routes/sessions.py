"""Sessions: made, read, changed, paused, closed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from marshmallow import ValidationError

from api.blueprint import MERGE_PATCH, Answer, Blueprint
from api.context import caller, current_session, request_key, services, tenant_id
from api.etags import expected_revision, tagged
from api.merge_patch import merge
from api.pagination import paged
from api.prefer import accepted
from api.schemas.operations import OperationSchema
from api.schemas.refusals import as_invalid_input
from api.schemas.sessions import (
    NewSessionSchema,
    SessionOverviewSchema,
    SessionPageSchema,
    SessionPatchSchema,
    SessionQuery,
    SessionSchema,
)
from core.records import Page, Session
from core.requests import NewSession

blueprint = Blueprint(
    "sessions",
    prefix="/v1/sessions",
    description="A session is one labelling task: its schema, its pool and every choice.",
)


@blueprint.post(
    "",
    scope="sessions:write",
    bound_keys=False,
    body=NewSessionSchema,
    answer=SessionOverviewSchema,
    status=201,
)
def create_session(new: NewSession) -> Response:
    """Open a session."""
    session = g.session = services().create_session(tenant_id(), new)  # who owns the kept reply
    response = _overview(session, status=201)
    response.headers["Location"] = f"/v1/sessions/{session.id}"
    return response


@blueprint.get("", query=SessionQuery, answer=SessionPageSchema)
def list_sessions(query: Mapping[str, Any]) -> Response:
    """List sessions."""
    bound = caller().session_id

    def fetch(page: Page) -> list[Session]:
        if bound is not None:
            only = services().session(tenant_id(), bound)
            return [only] if query.get("state") in {None, only.state} else []
        with services().store.read() as tx:
            return list(tx.sessions.list(tenant_id(), page, state=query.get("state")))

    return paged(query, fetch, key=lambda session: session.id, schema=SessionSchema())


@blueprint.get("/<id:session_id>", answer=SessionOverviewSchema, if_none_match=True, refuses=(410,))
def get_session() -> Response:
    """Read a session, its phase and what can be done next."""
    return _overview(current_session())


@blueprint.patch(
    "/<id:session_id>",
    scope="sessions:write",
    body=SessionPatchSchema,
    body_type=MERGE_PATCH,
    answer=SessionOverviewSchema,
    refuses=(409, 410),
)
def update_session(patch: Mapping[str, Any]) -> Response:
    """Change a session by merge patch."""
    session = current_session()
    revision = expected_revision(session.revision)
    new = _merged(session, patch)
    return _overview(services().update_session(session, new, expected_revision=revision))


@blueprint.delete(
    "/<id:session_id>",
    scope="sessions:write",
    if_match=True,
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=(Answer(status=200, schema=OperationSchema),),
    refuses=(409, 410),
)
def delete_session() -> Response:
    """Delete a session with everything in it."""
    session = current_session()
    revision = expected_revision(session.revision)
    return accepted(
        services().delete_session(session, expected_revision=revision, request_key=request_key())
    )


@blueprint.post(
    "/<id:session_id>/pause",
    scope="sessions:write",
    answer=SessionOverviewSchema,
    refuses=(409, 410),
)
def pause_session() -> Response:
    """Pause: no new batches, variations or trainings."""
    return _overview(services().transition(current_session(), "pause"))


@blueprint.post(
    "/<id:session_id>/resume",
    scope="sessions:write",
    answer=SessionOverviewSchema,
    refuses=(409, 410),
)
def resume_session() -> Response:
    """Resume a paused session."""
    return _overview(services().transition(current_session(), "resume"))


@blueprint.post(
    "/<id:session_id>/close",
    scope="sessions:write",
    answer=SessionOverviewSchema,
    refuses=(409, 410),
)
def close_session() -> Response:
    """Close: it can still be read, exported and asked for predictions."""
    return _overview(services().transition(current_session(), "close"))


@blueprint.post(
    "/<id:session_id>/reopen",
    scope="admin",
    answer=SessionOverviewSchema,
    refuses=(409, 410),
)
def reopen_session() -> Response:
    """Reopen a closed session; for admins."""
    return _overview(services().transition(current_session(), "reopen"))


def _overview(session: Session, *, status: int = 200) -> Response:
    document = SessionOverviewSchema().dump(services().overview(session))
    return tagged(document, revision=session.revision, status=status)


def _merged(session: Session, patch: Mapping[str, Any]) -> NewSession:
    """The session's document after the patch, checked as a new one is."""
    schema = NewSessionSchema()
    try:
        new: NewSession = schema.load(merge(schema.dump(session), patch))
    except ValidationError as error:
        raise as_invalid_input(error.messages) from None
    return new
