import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.jobs.dbos_jobs import DbosJobs
from adapters.store.engine import make_jobs_engine

PROGRAM = Path(__file__).with_name("journal_worker.py")
ROOT = Path(__file__).parents[4]
PATIENCE = 60.0


class Bench:
    """A jobs database with a worker process that can be killed and started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.journal = folder / "journal"
        self.stderr = folder / "stderr"
        self.gate = folder / "gate"
        self.journal.touch()
        self.engine = make_jobs_engine(url)
        self.jobs = DbosJobs(self.engine)
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        started = self.lines().count("ready")
        with self.stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM, self.url, self.journal, self.gate],
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT)},
                stderr=stderr,
            )
        self.wait_until(lambda lines: lines.count("ready") > started or self._ended())
        assert not self._ended(), self.stderr.read_text()

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def wait_for(self, *lines: str) -> None:
        self.wait_until(lambda seen: set(lines) <= set(seen))

    def wait_until(self, holds: Callable[[list[str]], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds(self.lines()):
            assert time.monotonic() < deadline, (self.lines(), self.stderr.read_text())
            time.sleep(0.02)

    def open_gate(self) -> None:
        self.gate.touch()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        self.process.terminate()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.jobs.close()
        self.engine.dispose()


@pytest.fixture
def bench(request, tmp_path) -> Iterator[Bench]:
    """On SQLite, or on the database that a test's indirect parameter names."""
    if getattr(request, "param", "sqlite") == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue("postgres").create()
    bench = Bench(url, tmp_path)
    yield bench
    bench.close()
