"""Who works here: people, invitations, and the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tailwise_client.asking import as_document
from tailwise_client.binding import Described, listing, verb
from tailwise_client.records.people import DeskEntry, Invitation, Me, Person
from tailwise_client.sending import Call
from tailwise_client.steps import Emit, Flow, Stream


class PeopleVerbs(Described):
    """People of the tenant; inviting and revoking needs the scope people:write."""

    @verb
    def me(self) -> Flow[Me]:
        """Who this key stands for, and what it may do."""
        return self._get(Me, "/v1/me")

    @verb
    def change_me(
        self, *, name: str | None = None, preferences: Mapping[str, Any] | None = None
    ) -> Flow[Me]:
        """Change one's own name and preferences, of which a null goes back to the default.

        Only people have them: a key is refused (NotAllowed, ``not-a-person``).
        """
        document = as_document({"name": name, "preferences": preferences})
        return self._call(Me, Call(method="PATCH", path="/v1/me", document=document))

    @listing
    def desks(self) -> Stream[DeskEntry]:
        """Sessions the caller can work in."""
        page = yield from self._get(dict, "/v1/desks")
        for row in page["data"]:
            yield Emit(self._read(DeskEntry, row))

    @listing
    def people(self, *, limit: int = 50) -> Stream[Person]:
        """Everybody who was ever let in."""
        return self._pages(Person, "/v1/people", limit=limit)

    @verb
    def revoke_person(self, person_id: str) -> Flow[None]:
        """End their sign-ins and leases."""
        call = Call(method="POST", path=f"/v1/people/{person_id}/revoke", keyed=True)
        yield from self._sender.send(call)

    @verb
    def invite(
        self,
        name: str,
        *,
        role: str = "annotator",
        session_id: str | None = None,
        hours: int | None = None,
        person_id: str | None = None,
    ) -> Flow[Invitation]:
        """A one-time link to the console in ``url``, told this once. ``role``: annotator,
        reviewer, lead or admin; ``person_id`` lets somebody sign in again."""
        document = as_document(
            {
                "name": name,
                "role": role,
                "session_id": session_id,
                "hours": hours,
                "person_id": person_id,
            }
        )
        call = Call(method="POST", path="/v1/invitations", document=document)
        return self._call(Invitation, call)

    @listing
    def invitations(self, *, limit: int = 50) -> Stream[Invitation]:
        """Invitations, without their links."""
        return self._pages(Invitation, "/v1/invitations", limit=limit)

    @verb
    def revoke_invitation(self, invitation_id: str) -> Flow[None]:
        """Make a link worthless."""
        path = f"/v1/invitations/{invitation_id}/revoke"
        yield from self._sender.send(Call(method="POST", path=path, keyed=True))
