"""What a stream says about an operation, and what its client already knows."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from api.schemas.operations import OperationSchema, ProgressSchema
from api.streaming import Message
from core.records import Operation

LONGEST_MARK = 16


class Told:
    """Remembers the last ``state`` and ``progress`` sent. An id is ``<state>~<progress>``:
    marks of both as they were known after the message, so that a client that comes again
    gets exactly what it missed of the present."""

    def __init__(self, *, state: str = "", progress: str = "") -> None:
        self._state = state
        self._progress = progress

    @classmethod
    def by(cls, last_event_id: str | None) -> Told:
        """What a client knows that saw this id last; nothing, where it is not one of ours."""
        state, _, progress = (last_event_id or "").partition("~")
        return cls(state=state, progress=progress)

    def knows_end(self, operation: Operation) -> bool:
        """Whether the client has heard all of an operation that is over."""
        return operation.done and (self._state, self._progress) == _marks(operation)

    def news(self, operation: Operation) -> Sequence[Message]:
        """What changed: progress before state, so that the end is the last to be said."""
        state, progress = _marks(operation)
        news = []
        if progress != self._progress:
            self._progress = progress
            data = ProgressSchema().dump(operation.progress)
            news.append(Message(id=self._id(), event="progress", data=data))
        if state != self._state:
            self._state = state
            data = OperationSchema().dump(operation)
            news.append(Message(id=self._id(), event="state", data=data))
        return news

    def _id(self) -> str:
        return f"{self._state}~{self._progress}"


def _marks(operation: Operation) -> tuple[str, str]:
    progress = operation.progress
    state = f"{operation.state}.{operation.attempt}.{int(operation.cancel_requested)}"
    known = f"{progress.phase} {progress.done} {progress.total}"
    return state, sha256(known.encode()).hexdigest()[:LONGEST_MARK]
