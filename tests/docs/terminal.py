"""Two programs that somebody types into: a shell, and Python, each for a whole page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

LIMIT_SECONDS = 300.0
INTERPRETER = Path(__file__).with_name("interpreter.py")


class Failed(AssertionError):
    """A command ended badly; the message holds it and what it printed."""


class Shell:
    """One bash; variables and functions stay, and an error ends it."""

    def __init__(self, folder: Path, *, cwd: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._count = 0
        self._serving: list[int] = []
        self._process = subprocess.Popen(
            ["bash", "-e", "-u", "-o", "pipefail", "-s"],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """Everything that the commands print."""
        self._count += 1
        script = self._folder / f"step-{self._count}.sh"
        output = script.with_suffix(".out")
        script.write_text(code)
        answer = _asked(self._process, f". {script} </dev/null >{output} 2>&1; echo done\n")
        said = output.read_text(errors="replace") if output.exists() else ""
        if answer.strip() != "done":
            raise Failed(f"{code}\n{said}")
        return said

    def environ(self) -> dict[str, str]:
        """What a program started now would find there."""
        pairs = self.run("env -0").split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def serve(self, command: str) -> str:
        """Start a server as in another terminal; what it printed until it listens.

        One that runs already is stopped before.
        """
        self.stop()
        log = self._folder / f"serve-{self._count}.log"
        log.touch()
        self._serving.append(int(self.run(f"{command} >{log} 2>&1 &\necho $!\n")))
        deadline = time.monotonic() + LIMIT_SECONDS
        while not re.search(r"^listening on .*\n", said := log.read_text(), re.MULTILINE):
            alive = Path(f"/proc/{self._serving[-1]}").exists()
            if time.monotonic() > deadline or not alive:
                raise Failed(f"{command}\n{said}")
            time.sleep(0.05)
        return said

    def stop(self) -> None:
        """The server, if one was started, with its worker."""
        while self._serving:
            server = self._serving.pop()
            self.run(f"kill {server} || true; wait {server} || true")

    def close(self) -> None:
        """Whatever runs is stopped."""
        try:
            if self._process.poll() is None:
                self.stop()
        finally:
            for server in self._serving:
                os.kill(server, signal.SIGTERM)
            _end(self._process)


class Interpreter:
    """One Python with the exported variables of a shell; ``typed`` is what people type into it."""

    def __init__(self, folder: Path, *, cwd: Path, environ: Mapping[str, str], typed: str) -> None:
        self._output = folder / "python.out"
        self._read = 0
        (folder / "typed").write_text(typed)
        questions, self._questions = os.pipe()
        self._replies, replies = os.pipe()
        self._errors = folder / "python.err"
        with (
            (folder / "typed").open() as keyboard,
            self._output.open("w") as output,
            self._errors.open("w") as errors,
        ):
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", INTERPRETER, str(questions), str(replies)],
                cwd=cwd,
                env=dict(environ),
                stdin=keyboard,
                stdout=output,
                stderr=errors,
                pass_fds=(questions, replies),
            )
        os.close(questions)
        os.close(replies)
        self._ask = os.fdopen(self._questions, "w", buffering=1)
        self._hear = os.fdopen(self._replies)

    def run(self, code: str) -> str:
        """What the block prints."""
        answer = _asked(self._process, json.dumps(code) + "\n", to=self._ask, by=self._hear)
        said = self._output.read_text()[self._read :]
        self._read += len(said)
        if answer.strip() != "done":
            raise Failed(f"{code}\n{said}\n{self._errors.read_text()}")
        return said

    def close(self) -> None:
        """The program ends, and with it what it started."""
        self._ask.close()
        self._hear.close()
        _end(self._process)


def _asked(
    process: subprocess.Popen[Any],
    line: str,
    *,
    to: IO[str] | None = None,
    by: IO[str] | None = None,
) -> str:
    """The line that a program answers; it is killed, and "" comes back, when it takes too long."""
    out, back = to or process.stdin, by or process.stdout
    assert out is not None
    assert back is not None
    watch = threading.Timer(LIMIT_SECONDS, process.kill)
    watch.start()
    try:
        out.write(line)
        out.flush()
        return str(back.readline())
    except BrokenPipeError:
        return ""
    finally:
        watch.cancel()


def _end(process: subprocess.Popen[Any]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
