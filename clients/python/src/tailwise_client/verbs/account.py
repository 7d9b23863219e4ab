"""Sessions, keys, templates and the service itself: what belongs to the whole tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from tailwise_client.asking import as_document
from tailwise_client.binding import listing, verb
from tailwise_client.records.operations import Operation
from tailwise_client.records.people import ApiKey
from tailwise_client.records.service import Limits, Template, Version
from tailwise_client.records.sessions import Session
from tailwise_client.sending import Call, Sender
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.operations import OperationVerbs

S = TypeVar("S")


class AccountVerbs(OperationVerbs, Generic[S]):
    """What one key may do beyond single sessions; ``open_session`` makes a client of one."""

    def __init__(self, *, sender: Sender, open_session: Callable[[str], S]) -> None:
        super().__init__(sender=sender)
        self._open_session = open_session

    @verb
    def create_session(
        self,
        name: str,
        *,
        labels: Sequence[str | Mapping[str, Any]],
        type: str = "single",
        guidelines: str | None = None,
        settings: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Flow[S]:
        """A new session's client. ``labels`` are class ids, or ``{"id": …, "definition": …}``.

        ``type`` multi lets an item have several classes; ``settings`` are the session's.
        """
        classes = [{"id": each} if isinstance(each, str) else dict(each) for each in labels]
        document = as_document(
            {
                "name": name,
                "task": {"type": type, "labels": classes},
                "guidelines": guidelines,
                "settings": settings,
            }
        )
        made = yield from self._post(Session, "/v1/sessions", document, key=key)
        return self._open_session(made.id)

    @listing
    def sessions(self, *, state: str | None = None, limit: int = 50) -> Stream[Session]:
        """Sessions, oldest first."""
        return self._pages(Session, "/v1/sessions", state=state, limit=limit)

    @listing
    def operations(
        self,
        *,
        session_id: str | None = None,
        kind: str | None = None,
        state: str | None = None,
        limit: int = 50,
    ) -> Stream[Operation]:
        """Operations of the tenant."""
        return self._pages(
            Operation,
            "/v1/operations",
            session_id=session_id,
            kind=kind,
            state=state,
            limit=limit,
        )

    @verb
    def templates(self) -> Flow[tuple[Template, ...]]:
        """Prompts for writing variations."""
        page = yield from self._get(dict, "/v1/templates")
        return tuple(self._read(Template, row) for row in page["data"])

    @verb
    def add_template(self, id: str, *, level: str, system: str, body: str) -> Flow[Template]:
        """Add a template, or a new version of yours."""
        document = {"id": id, "level": level, "system": system, "body": body}
        return self._post(Template, "/v1/templates", document)

    @verb
    def create_key(
        self, name: str, *, scopes: Sequence[str], session_id: str | None = None
    ) -> Flow[ApiKey]:
        """A new key with its token, which is told this once; a lost answer is not repeated."""
        document = {"name": name, "scopes": list(scopes), "session_id": session_id}
        return self._call(ApiKey, Call(method="POST", path="/v1/keys", document=document))

    @listing
    def keys(self, *, limit: int = 50) -> Stream[ApiKey]:
        """Keys of the tenant, without their tokens."""
        return self._pages(ApiKey, "/v1/keys", limit=limit)

    @verb
    def revoke_key(self, key_id: str) -> Flow[None]:
        """End a key at once."""
        yield from self._sender.send(Call(method="DELETE", path=f"/v1/keys/{key_id}"))

    @verb
    def components(self) -> Flow[Mapping[str, Any]]:
        """The encoders, strategies, learners, generators … the service knows."""
        return self._get(dict, "/v1/components")

    @verb
    def limits(self) -> Flow[Limits]:
        """How much fits into one request."""
        return self._get(Limits, "/v1/limits")

    @verb
    def version(self) -> Flow[Version]:
        """The service's version."""
        return self._get(Version, "/v1/version")
