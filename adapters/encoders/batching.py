"""Concurrent callers of one process share the encoder's batches."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import Unavailable
from core.ports import Encoder

MAX_TEXTS = 64
"""Texts encoded at once; more would make the first caller wait for the last."""

MAX_WAITING = 256
"""Calls that may wait; one more is refused, so that a full service says so at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    texts: Sequence[str]
    answer: Future[NDArray[np.float32]]


class BatchingEncoder:
    """An encoder whose ``encode`` waits up to ``window_s`` for others to join.

    One thread of its own does the work. Raises Unavailable ``overloaded`` when too many
    calls wait.
    """

    def __init__(self, encoder: Encoder, *, window_s: float) -> None:
        self._encoder = encoder
        self._window_s = window_s
        self._calls: queue.Queue[_Call] = queue.Queue(maxsize=MAX_WAITING)
        threading.Thread(target=self._serve, name="batching-encoder", daemon=True).start()

    @property
    def id(self) -> str:
        return self._encoder.id

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32, as the wrapped encoder answers it."""
        call = _Call(texts=texts, answer=Future())
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            raise Unavailable("too many predictions are waiting", code="overloaded") from None
        return call.answer.result()

    def truncated(self, texts: Sequence[str]) -> Sequence[bool]:
        return self._encoder.truncated(texts)

    def _serve(self) -> None:
        while True:
            self._answer(self._gather())

    def _gather(self) -> list[_Call]:
        """The next call and whoever joins it before the window closes."""
        calls = [self._calls.get()]
        waiting = len(calls[0].texts)
        closes = time.monotonic() + self._window_s
        while waiting < MAX_TEXTS:
            try:
                calls.append(self._calls.get(timeout=max(0.0, closes - time.monotonic())))
            except queue.Empty:
                break
            waiting += len(calls[-1].texts)
        return calls

    def _answer(self, calls: Sequence[_Call]) -> None:
        try:
            vectors = self._encoder.encode([text for call in calls for text in call.texts])
        except Exception as error:  # noqa: BLE001 -- handed to the callers who wait for it
            for call in calls:
                call.answer.set_exception(error)
            return
        start = 0
        for call in calls:
            call.answer.set_result(vectors[start : start + len(call.texts)])
            start += len(call.texts)
