"""Stopping from outside: a SIGTERM ends a long command as Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def stopping_on_terminate() -> Iterator[None]:
    """Both signals raise KeyboardInterrupt in the main thread, so that clean-up runs.

    SIGINT is set too: a shell in the background starts its commands with it ignored.
    """

    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
