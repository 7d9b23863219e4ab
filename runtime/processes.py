"""Starting, watching and stopping the processes of one server."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from core.errors import Unavailable

FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 30.0
STEADY_SECONDS: Final = 60.0
WATCH_SECONDS: Final = 0.2
PR_SET_PDEATHSIG: Final = 1

Child = subprocess.Popen[bytes]


def start_python(
    arguments: Sequence[str], *, environ: Mapping[str, str], directory: Path, fds: Sequence[int]
) -> Child:
    """Start our interpreter in ``directory``, with nothing but installed code to import.

    It gets a session of its own, so that the terminal's Ctrl-C reaches only the
    supervisor, which then stops the others in order.
    """
    return subprocess.Popen(  # noqa: S603 -- our own interpreter and modules
        [sys.executable, "-P", *arguments],
        env={**environ, "PYTHONSAFEPATH": "1"},
        cwd=directory,
        pass_fds=tuple(fds),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for_line(
    child: Child, fd: int, *, seconds: float, stopping: threading.Event, name: str
) -> bool:
    """Whether the child wrote to the pipe ``fd``; False when asked to stop before.

    Raises Unavailable ``start-failed`` when it ended or was silent for ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stopping.is_set():
        ready, _, _ = select.select([fd], [], [], WATCH_SECONDS)
        if ready and os.read(fd, 64):
            return True
        if child.poll() is not None:
            raise Unavailable(f"the {name} ended with {child.returncode}", code="start-failed")
    if stopping.is_set():
        return False
    raise Unavailable(f"the {name} was not ready in {seconds:.0f} seconds", code="start-failed")


class RestartDelay:
    """How long to wait before a process that died is started again.

    Doubles from one second to thirty; a process that lived a minute starts over.
    """

    def __init__(self) -> None:
        self._next = FIRST_DELAY

    def after(self, lived_seconds: float) -> float:
        """Seconds to wait, for a process that lived so many; the next wait is twice as long."""
        if lived_seconds >= STEADY_SECONDS:
            self._next = FIRST_DELAY
        delay, self._next = self._next, min(2 * self._next, LONGEST_DELAY)
        return delay


class Kept:
    """A process that is started again whenever it dies."""

    def __init__(self, child: Child, *, start: Callable[[], Child], name: str) -> None:
        self.child = child
        self._start = start
        self._name = name
        self._delay = RestartDelay()
        self._due: float | None = None
        self._since = time.monotonic()

    def look(self) -> None:
        """Notice a death, or start again once its time has come; never waits."""
        now = time.monotonic()
        if self._due is None and self.child.poll() is not None:
            delay = self._delay.after(now - self._since)
            self._due = now + delay
            structlog.get_logger().error(
                "process died", process=self._name, code=self.child.returncode, restart_in=delay
            )
        elif self._due is not None and now >= self._due:
            self._due, self._since = None, now
            self.child = self._start()


def watch(web: Child, kept: Kept | None, *, stopping: threading.Event) -> int:
    """Keep things running until asked to stop (0) or until ``web`` ends (1)."""
    while not stopping.wait(WATCH_SECONDS):
        if web.poll() is not None:
            structlog.get_logger().error("process died", process="web", code=web.returncode)
            return 1
        if kept is not None:
            kept.look()
    return 0


def stop_all(children: Sequence[Child], *, seconds: float) -> bool:
    """Ask every child to stop, and end those still there after ``seconds``; whether none was."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + seconds
    willing = True
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            willing = False
    return willing


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    return stopping


def die_with_parent(signal_name: str) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.Signals[signal_name].value, 0, 0, 0)
