"""Concurrent callers share batches, and get their own rows back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest

from adapters.encoders.batching import MAX_WAITING, BatchingEncoder
from adapters.encoders.hashing import HashingEncoder
from core.errors import Unavailable


class Watched(HashingEncoder):
    """Counts its calls, and holds the first until told to go on."""

    calls: ClassVar[list[int]] = []
    gate: ClassVar[threading.Event] = threading.Event()

    def encode(self, texts: Sequence[str]):  # type: ignore[no-untyped-def]
        self.calls.append(len(texts))
        self.gate.wait(timeout=10)
        return super().encode(texts)


@pytest.fixture
def watched() -> Watched:
    Watched.calls = []
    Watched.gate = threading.Event()
    return Watched()


def test_callers_that_come_together_are_encoded_together(watched: Watched) -> None:
    encoder = BatchingEncoder(watched, window_s=0.2)
    watched.gate.set()
    texts = [f"text number {n}" for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda text: encoder.encode([text]), texts))
    assert len(watched.calls) < len(texts)
    for text, vectors in zip(texts, answers, strict=True):
        np.testing.assert_array_equal(vectors, HashingEncoder().encode([text]))


def test_a_failure_reaches_every_caller_and_the_next_call_works() -> None:
    class Broken(HashingEncoder):
        def encode(self, texts: Sequence[str]):  # type: ignore[no-untyped-def]
            if "bad" in texts:
                raise Unavailable("no weights", code="encoder-corrupt")
            return super().encode(texts)

    encoder = BatchingEncoder(Broken(), window_s=0.0)
    with pytest.raises(Unavailable, match="no weights"):
        encoder.encode(["bad"])
    assert encoder.encode(["good"]).shape == (1, 64)


def test_a_full_queue_is_refused_at_once(watched: Watched) -> None:
    encoder = BatchingEncoder(watched, window_s=0.0)
    with ThreadPoolExecutor(MAX_WAITING + 80) as pool:
        waiting = [pool.submit(encoder.encode, ["x"]) for _ in range(MAX_WAITING + 80)]
        refused = 0
        while refused == 0:
            refused = sum(call.done() and call.exception() is not None for call in waiting)
        watched.gate.set()
        kinds = {type(error) for call in waiting if (error := call.exception())}
    assert kinds == {Unavailable}
