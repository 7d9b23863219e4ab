"""What lies around a reader: a checkout to stand in, a shell, a server, and things of their own."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.fates import fate
from tests.docs.pages import BIN, ROOT, Step, page_of, steps
from tests.docs.shapes import check_document, check_lines
from tests.docs.terminal import Interpreter, Shell
from tests.e2e.running import Running, environment

COPIED = ("benchmarks/demo/corpus", "benchmarks/experiments", "clients", "deploy", "examples")
FILES = ("Dockerfile", "Makefile", "README.md", "compose.yaml", "pyproject.toml")
LOCKED = ("clients/python/pyproject.toml", "openapi.yaml", "requirements.lock")
LOOPBACK = "http://127.0.0.1:8080"
KEYS = ("tw_01...", "tw_...", "tw_…")
SERVE = re.compile(r"(?:^|[ /])tailwise serve\b")
MADE = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")

INSTALLED = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_QUIET": "1",
}
"""So that ``pip install ./here`` is pip's own work, goes elsewhere, and asks no index."""


@dataclass(kw_only=True)
class Stage:
    """A reader in a checkout.

    ``given`` maps what a page leaves to its reader (an address, a key) to what this one has;
    ``before`` says what they do besides typing, by the beginning of the command it comes before.
    """

    folder: Path
    checkout: Path
    shell: Shell
    shared: Running | None = None
    typed: str = ""
    given: dict[str, str] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    python: Interpreter | None = None
    said: list[str] = field(default_factory=list)

    def serve(self, command: str = "tailwise serve") -> str:
        """Start the server; from here on the page's address and key are this one's.

        Where pages share one, it runs, and what it printed at its start is what comes back.
        """
        shared = self.shared and "".join(self.shared.logs)
        said = shared or self.shell.serve(self._mine(command))
        listening = re.search(r"^listening on (\S+)", said, re.MULTILINE)
        assert listening
        self.given[LOOPBACK] = listening[1]
        key = re.search(r"^admin key \(shown once\): (\S+)", said, re.MULTILINE)
        if key:
            self.given |= dict.fromkeys(KEYS, key[1])
        return said

    def ready(self) -> None:
        """A server runs, and its address and key are exported."""
        self.serve()
        self.shell.run(
            f"export TAILWISE_URL={self.given[LOOPBACK]} TAILWISE_API_KEY={self.given[KEYS[0]]}"
        )

    def play(self, name: str) -> list[str]:
        """Type the page from top to bottom; everything that was printed, by step."""
        self.said = []
        for step in steps(page_of(name)):
            if fate(name, step) is None:
                for begins, act in self.before.items():
                    if step.code.startswith(begins):
                        act()
                self.said.append(self._take(step))
        return self.said

    def _take(self, step: Step) -> str:
        if step.language == "python":
            said = self._interpreter().run(self._mine(step.code))
        elif step.language == "console" and SERVE.search(step.code):
            said = self.serve(step.code)
        else:
            said = self.shell.run(self._mine(step.code))
        if step.answer and step.answered_as == "json":
            check_document(step.answer, said)
        elif step.answer:
            check_lines(step.answer, said, whole=step.language != "console")
        return said

    def _mine(self, code: str) -> str:
        for shown in sorted(self.given, key=len, reverse=True):
            code = code.replace(shown, self.given[shown])
        return code

    def _interpreter(self) -> Interpreter:
        if self.python is None:
            found = self.shell.environ()
            self.python = Interpreter(
                self.folder, cwd=self.checkout, environ=found, typed=self.typed
            )
        return self.python


@contextmanager
def reading(
    folder: Path, *, shared: Running | None = None, typed: str = "", **settings: object
) -> Iterator[Stage]:
    """A reader in a checkout of their own; everything they start is stopped afterwards."""
    checkout = folder / "checkout"
    _copy(checkout)
    site = folder / "site"
    data_dir = shared.data_dir if shared else folder / "data"
    given = {"port": 0, "metrics_port": 0, "data_dir": data_dir, **settings}
    environ = {
        **environment(given),
        **INSTALLED,
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        "PIP_TARGET": str(site),
        "PYTHONPATH": str(site),
    }
    shell = Shell(folder, cwd=checkout, environ=environ)
    stage = Stage(folder=folder, checkout=checkout, shell=shell, shared=shared, typed=typed)
    try:
        yield stage
    finally:
        if stage.python is not None:
            stage.python.close()
        shell.close()


def _copy(checkout: Path) -> None:
    for name in COPIED:
        shutil.copytree(ROOT / name, checkout / name, ignore=MADE)
    for name in (*FILES, *LOCKED):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    venv = checkout / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(BIN.parent / name)
    for stamp in (".installed", ".encoder"):
        (venv / stamp).touch()  # make finds everything set up, and asks no index


def some_messages(checkout: Path, *, count: int, labels: bool = False) -> Path:
    """The reader's own ``messages.csv``: a part of the bundled corpus, classes in turns."""
    with (ROOT / "benchmarks/demo/corpus/messages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_class: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        by_class.setdefault(row["label"], []).append(row)
    columns = ["text", "label"] if labels else ["text"]
    turns = [row for several in zip(*by_class.values(), strict=False) for row in several]
    path = checkout / "messages.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(turns[:count])
    return path
