"""What all verbs of one session share: its path, and the service's limits, asked for once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from tailwise_client.files import FileSink
from tailwise_client.records.service import Limits
from tailwise_client.sending import Call, Sender
from tailwise_client.steps import Flow
from tailwise_client.verbs.operations import OperationVerbs

T = TypeVar("T")


class Within(OperationVerbs):
    """Verbs of the session ``id``."""

    def __init__(self, id: str, *, sender: Sender) -> None:
        super().__init__(sender=sender)
        self.id = id
        self._known_limits: Limits | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    @property
    def path(self) -> str:
        """Where the session is, below the service's address."""
        return f"/v1/sessions/{self.id}"

    def _limits(self) -> Flow[Limits]:
        if self._known_limits is None:
            self._known_limits = yield from self._get(Limits, "/v1/limits")
        return self._known_limits

    def _patch(
        self, into: type[T], path: str, changes: Mapping[str, Any], *, revision: int | None
    ) -> Flow[T]:
        return self._call(into, patch_call(path, changes, revision=revision))

    def _download(
        self, path: str, to: str | Path, *, params: Mapping[str, Any] | None = None
    ) -> Flow[Path]:
        sink = FileSink(Path(to))
        call = Call(method="GET", path=path, params=params or {}, sink=sink, repeatable=True)
        try:
            yield from self._sender.send(call)
        finally:
            sink.discard()
        return sink.path


def patch_call(path: str, changes: Mapping[str, Any], *, revision: int | None) -> Call:
    """A merge patch of whatever is there, or of that revision only."""
    return Call(
        method="PATCH",
        path=path,
        document=dict(changes),
        media_type="application/merge-patch+json",
        headers=if_match(revision),
    )


def if_match(revision: int | None) -> dict[str, str]:
    """The precondition: this revision, or any."""
    return {"If-Match": "*" if revision is None else f'"{revision}"'}
