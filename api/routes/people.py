"""People: oneself, signing in and out, inviting and revoking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request

from api.answers import created, no_content
from api.blueprint import Blueprint
from api.context import caller, services, settings, tenant_id
from api.cookies import clear_cookie, refuse_foreign_origin, set_cookie
from api.guard import rate_limits
from api.pagination import paged
from api.schemas.people import (
    InvitationPageSchema,
    InvitationSchema,
    MeSchema,
    MintedInvitationSchema,
    NewInvitationSchema,
    OwnChangesSchema,
    PeopleQuery,
    PersonPageSchema,
    PersonSchema,
    SignedInSchema,
    SignInSchema,
)
from core.access import effective
from core.people import Invitation, NewInvitation, Person
from core.records import Page

HOUR = 3_600

blueprint = Blueprint(
    "people",
    prefix="/v1",
    description="People sign in by one-time links and a cookie; they never handle keys.",
)


@blueprint.get("/me", scope=None, answer=MeSchema)
def get_me() -> Response:
    """Say who is calling."""
    return _me(caller().person)


@blueprint.patch(
    "/me", scope=None, body=OwnChangesSchema, answer=MeSchema, if_match=False, refuses=(403,)
)
def change_me(changes: Mapping[str, Any]) -> Response:
    """Change one's own name and preferences; for people, not for keys."""
    name, preferences = changes.get("name"), changes["preferences"]
    return _me(services().change_own(caller(), name=name, preferences=preferences))


@blueprint.post(
    "/sign-in",
    public=True,
    body=SignInSchema,
    answer=SignedInSchema,
    idempotency="none",
    refuses=(401, 403, 429, 503),
)
def sign_in(asked: Mapping[str, Any]) -> Response:
    """Use a link; the answer sets the cookie of this browser."""
    refuse_foreign_origin(request)
    rate_limits().spend_as("sign-ins", request.remote_addr or "unknown")
    minted = services().accept_invitation(asked["token"])
    document = {"person": minted.person, "expires_at": minted.sign_in.expires_at}
    seconds = settings().sign_in_hours * HOUR
    response = jsonify(SignedInSchema().dump(document))
    return set_cookie(response, minted.token, request=request, seconds=seconds)


@blueprint.post("/sign-out", scope=None, idempotency="none", status=204, refuses=(403,))
def sign_out() -> Response:
    """End the sign-in of this browser."""
    services().sign_out(caller())
    return clear_cookie(no_content(), request=request)


@blueprint.post(
    "/invitations",
    scope="people:write",
    body=NewInvitationSchema,
    answer=MintedInvitationSchema,
    status=201,
    idempotency="refused",
    refuses=(404, 409, 410),
)
def create_invitation(new: NewInvitation) -> Response:
    """Make a link that signs one person in, once; the link is in this answer only."""
    minted = services().invite(caller(), new)
    document = {**InvitationSchema().dump(minted.invitation), "url": minted.path}
    return created(document, location="/v1/invitations")


@blueprint.get("/invitations", scope="people:write", query=PeopleQuery, answer=InvitationPageSchema)
def list_invitations(query: Mapping[str, Any]) -> Response:
    """List invitations, without their links."""

    def fetch(page: Page) -> Sequence[Invitation]:
        bound = caller().session_id
        with services().store.read() as tx:
            return tx.people.list_invitations(tenant_id(), page, session_id=bound)

    return paged(query, fetch, key=lambda found: found.id, schema=InvitationSchema())


@blueprint.post(
    "/invitations/<id:invitation_id>/revoke",
    scope="people:write",
    status=204,
    refuses=(409,),
)
def revoke_invitation(invitation_id: str) -> Response:
    """Make an unused link useless."""
    services().revoke_invitation(caller(), invitation_id)
    return no_content()


@blueprint.get("/people", scope="people:write", query=PeopleQuery, answer=PersonPageSchema)
def list_people(query: Mapping[str, Any]) -> Response:
    """List people, revoked ones too."""

    def fetch(page: Page) -> Sequence[Person]:
        bound = caller().session_id
        with services().store.read() as tx:
            return tx.people.list_persons(tenant_id(), page, session_id=bound)

    return paged(query, fetch, key=lambda found: found.id, schema=PersonSchema())


@blueprint.post("/people/<id:person_id>/revoke", scope="people:write", status=204)
def revoke_person(person_id: str) -> Response:
    """Sign a person out everywhere, for good, and take their leases back."""
    services().revoke_person(caller(), person_id)
    return no_content()


def _me(person: Person | None) -> Response:
    """The caller, with a person's name and preferences as they are now."""
    who = caller()
    document = {
        "id": who.id,
        "name": who.name if person is None else person.name,
        "role": None if person is None else person.role,
        "scopes": effective(who),
        "session_id": who.session_id,
        "preferences": {} if person is None else person.preferences,
    }
    return jsonify(MeSchema().dump(document))
