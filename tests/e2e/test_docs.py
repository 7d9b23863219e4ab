"""What the documentation says to type is typed here, and what it links to exists."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tailwise_client
from benchmarks.evidence.cells import check_arms
from benchmarks.evidence.experiment import ARM_FIELDS, TABLES, load_experiment
from tailwise_client.webhooks import sign
from tests.e2e.named_commands import check_command
from tests.e2e.pages import BIN, DOCS, NOT_RUN, PAGES, ROOT, blocks, commands, name_of, words
from tests.e2e.pages import program as program_of
from tests.e2e.running import environment, running

CLASSES = {"self-harm", "medical", "legal", "financial", "emergency", "no-harm"}
ONE_ROUND = DOCS / "one-round.md"

SAYS: dict[str, list[str] | None] = {
    "people.md": ["annotator", "True", "signed-out"],
    "labelling.md": [
        "4",
        *("selected", "resolved", "selected", "conflict"),
        *("undone", "conflict", "resolved", "1", "superseded"),
    ],
    "pool.md": None,
    "predict.md": None,
    "webhooks.md": None,
    "operations.md": None,
}
"""Pages whose bash blocks are run one page at a time, after one round, and what they print."""

ELSEWHERE = {
    ("README.md", "python"): "test_the_readme_of_the_project_talks_to_the_client",
    ("clients/python/README.md", "python"): "tests/sdk/test_client_examples.py",
    ("client.md", "python"): "tests/sdk/test_client_examples.py",
    ("http.md", "python"): "tests/sdk/test_generated_client.py",
    ("queue.md", "bash"): "tests/e2e/test_docs_queue.py",
    ("one-round.md", "bash"): "test_one_round_in_curl_runs_as_it_is_written",
    ("tutorials/benchmark.md", "bash"): "tests/e2e/test_tutorials.py",
    ("tutorials/platform.md", "python"): "tests/e2e/test_tutorials.py",
    ("tutorials/strategy.md", "python"): "tests/e2e/test_tutorials.py",
    ("predict.md", "python"): "test_the_python_of_the_page_on_predictions_runs",
    ("webhooks.md", "python"): "test_the_receiver_of_the_page_on_webhooks_believes_what_is_signed",
}
"""Programs with a test of their own."""

LANGUAGES = {"", "text", "console", "bash", "python", "toml", "json"}
DIRECTIVES = re.compile(r"\{(toctree|image|figure|eval-rst|note|warning|tip)\}")


@dataclass(frozen=True, kw_only=True)
class Round:
    """A server over which one round was played, and what the page printed meanwhile."""

    url: str
    token: str
    session: str
    data_dir: Path
    said: list[str]

    def run(self, code: str, *, folder: Path) -> str:
        """What a script prints; it knows the page's functions and the session as ``$S``."""
        prelude = next(b.code for b in blocks(ONE_ROUND) if b.language == "bash")
        given = f"set -euo pipefail\n{prelude}\nS={self.session}\n"
        return shell(given + code, url=self.url, token=self.token, more=self._places(folder))

    def _places(self, folder: Path) -> dict[str, str]:
        return {
            "TAILWISE_DATA_DIR": str(self.data_dir),
            "BACKUP": str(folder / "backup"),
            "RESTORED": str(folder / "restored"),
        }


def shell(code: str, *, url: str, token: str, more: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["bash", "-c", code],
        env={
            **environment({}),
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "TAILWISE_URL": url,
            "TAILWISE_API_KEY": token,
            **(more or {}),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def one_round(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    data = tmp_path_factory.mktemp("docs") / "data"
    with running(data) as server:
        code = "set -euo pipefail\n" + program_of(ONE_ROUND, "bash") + '\necho "$S"\n'
        *said, session = shell(code, url=server.url, token=server.token).splitlines()
        yield Round(url=server.url, token=server.token, session=session, data_dir=data, said=said)


@pytest.mark.slow
def test_one_round_in_curl_runs_as_it_is_written(one_round: Round) -> None:
    said = one_round.said
    assert said[:3] == ["958", "typical", "30"]
    assert "no API key is set" in said[3]
    assert int(said[4]) > 0
    assert 0.2 < float(said[6]) <= 1.0
    assert said[7] in CLASSES
    assert said[-1] == "unknown-strategy"


@pytest.mark.slow
@pytest.mark.parametrize("page", SAYS)
def test_the_commands_of_a_page_run_as_they_are_written(
    page: str, one_round: Round, tmp_path: Path
) -> None:
    said = one_round.run(program_of(DOCS / page, "bash"), folder=tmp_path)
    assert said.strip()
    assert SAYS[page] in (None, said.split())


@pytest.mark.slow
def test_the_python_of_the_page_on_predictions_runs(one_round: Round) -> None:
    pytest.importorskip("openai")
    code = program_of(DOCS / "predict.md", "python")
    code = code.replace("https://tailwise.example/v1/sessions/ses_...", one_round.session)
    code = code.replace("tw_...", one_round.token)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(ast.literal_eval(done.stdout.partition(" ")[2])) == CLASSES


def test_the_receiver_of_the_page_on_webhooks_believes_what_is_signed() -> None:
    secret, heard = "whsec_" + base64.b64encode(b"s" * 32).decode(), []
    code = program_of(DOCS / "webhooks.md", "python").replace("whsec_...", secret)
    names: dict[str, Any] = {"__name__": "__main__", "handle": heard.append}
    exec(compile(code, "webhooks.md", "exec"), names)
    client = names["app"].test_client()
    body, headers = '{"type": "batch.ready"}', {"Content-Type": "application/json"}
    signed = sign('{"type": "batch.ready"}', secret, now=datetime.now(UTC))
    assert client.post("/tailwise", data=body, headers={**headers, **signed}).status_code == 204
    assert client.post("/tailwise", data=body + " ", headers=signed).status_code == 401
    assert heard == [{"type": "batch.ready"}]
    assert callable(names["answer"])


def test_the_readme_of_the_project_talks_to_the_client() -> None:
    tree = ast.parse(program_of(ROOT / "README.md", "python"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imports
    assert {n.name for node in imports for n in node.names} <= set(tailwise_client.__all__)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_run_checked_or_marked(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES or DIRECTIVES.match(block.language), block.language
        assert block.marks <= {NOT_RUN, "file"} or block.language.startswith("{"), block.marks
        if block.language in {"bash", "python"} and not block.marks:
            run_here = block.language == "bash" and name_of(page) in SAYS
            assert run_here or (name_of(page), block.language) in ELSEWHERE
        if block.language == "toml":
            assert tomllib.loads(block.code)
        if block.language == "json":
            assert json.loads(block.code)


def test_no_page_is_said_to_be_run_that_has_nothing_to_run() -> None:
    named = {(page, "bash") for page in SAYS} | set(ELSEWHERE)
    found = {(name_of(page), b.language) for page in PAGES for b in blocks(page) if not b.marks}
    assert named <= found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for line in commands(page):
        for command in words(line):
            check_command(command)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_contents() -> None:
    listed = listed_pages()
    found = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")}
    assert {p for p in found if not p.startswith("decisions/")} - {"index"} <= listed


def listed_pages() -> set[str]:
    trees = [b.code for b in blocks(DOCS / "index.md") if b.language == "{toctree}"]
    return {line for tree in trees for line in tree.splitlines() if line and line[0] != ":"}


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("myst_parser")
    options = ["--fail-on-warning", "--quiet", "-b", "html"]
    done = subprocess.run(
        [BIN / "sphinx-build", *options, DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "tutorials" / "platform.html").exists()


def test_the_experiment_of_the_benchmarks_page_is_accepted(tmp_path: Path) -> None:
    page = (DOCS / "benchmarks.md").read_text()
    [text] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.toml").write_text(text)
    experiment = load_experiment(tmp_path / "mine.toml")
    check_arms(experiment)
    assert experiment.default in {arm.name for arm in experiment.arms}


def test_every_key_of_an_experiment_is_documented() -> None:
    page = (DOCS / "benchmarks.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", page))
    tables = {"base", "grid", "arms", *TABLES} - {""}
    assert {f"[{name}]" for name in tables - {"arms"}} <= set(re.findall(r"`(\[[a-z]+\])`", page))
    assert set().union(ARM_FIELDS, *TABLES.values()) - tables <= named
