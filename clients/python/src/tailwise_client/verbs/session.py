"""All verbs of one session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tailwise_client.binding import listing, verb
from tailwise_client.records.operations import Operation
from tailwise_client.records.sessions import Session
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.models import ModelVerbs
from tailwise_client.verbs.pool import PoolVerbs
from tailwise_client.verbs.queue import QueueVerbs
from tailwise_client.verbs.rounds import RoundVerbs
from tailwise_client.verbs.watching import WatchingVerbs
from tailwise_client.verbs.within import if_match
from tailwise_client.verbs.writing import WritingVerbs


class SessionVerbs(PoolVerbs, RoundVerbs, WritingVerbs, ModelVerbs, WatchingVerbs, QueueVerbs):
    """What can be done in a session, and to it."""

    @verb
    def get(self) -> Flow[Session]:
        """The session at a glance: phase, counts, what runs."""
        return self._get(Session, self.path)

    @verb
    def update(self, changes: Mapping[str, Any], *, revision: int | None = None) -> Flow[Session]:
        """Merge changes into name, task, guidelines or settings."""
        return self._patch(Session, self.path, changes, revision=revision)

    @verb
    def pause(self) -> Flow[Session]:
        """Take labels of what is out, but start nothing new."""
        return self._post(Session, f"{self.path}/pause")

    @verb
    def resume(self) -> Flow[Session]:
        """Go on after a pause."""
        return self._post(Session, f"{self.path}/resume")

    @verb
    def close(self) -> Flow[Session]:
        """End it; its models still predict."""
        return self._post(Session, f"{self.path}/close")

    @verb
    def reopen(self) -> Flow[Session]:
        """Go on after a close."""
        return self._post(Session, f"{self.path}/reopen")

    @listing
    def operations(
        self, *, kind: str | None = None, state: str | None = None, limit: int = 50
    ) -> Stream[Operation]:
        """Operations of this session."""
        path = "/v1/operations"
        return self._pages(Operation, path, session_id=self.id, kind=kind, state=state, limit=limit)

    @verb
    def delete(self, *, revision: int | None = None) -> Flow[Operation]:
        """Start deleting everything in it."""
        call = Call(method="DELETE", path=self.path, headers=if_match(revision))
        return self._call(Operation, call)
