"""The examples of the client's pages run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import TailwiseError
from runtime.serve import require_encoder
from tests.sdk.conftest import Served

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "clients" / "python" / "README.md"
GUIDE = ROOT / "docs" / "client.md"
CLASSES = ("no-harm", "medical", "emergency")


def examples(page: Path) -> str:
    """The page's Python in order, without what is marked as a fragment."""
    return "\n".join(
        re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    )


@pytest.fixture
def at_home(monkeypatch, tmp_path, served: Served, messages):
    """A folder with a small messages.csv, and the variables that name the service."""
    try:
        require_encoder(served.service.settings)
    except TailwiseError as missing:
        pytest.skip(f"the examples use the default encoder: {missing.detail}")
    lines = [f'"{row["text"]}"' for row in messages[:60] if '"' not in row["text"]]
    (tmp_path / "messages.csv").write_text("\n".join(["text", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAILWISE_URL", served.url)
    monkeypatch.setenv("TAILWISE_API_KEY", served.key)
    return tmp_path


def run(code: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), names)
    return names


def test_the_readme_gets_from_nothing_to_a_finished_round(at_home, monkeypatch, capsys):
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return CLASSES[len(asked) % 3]

    monkeypatch.setattr("builtins.input", typed)
    run(examples(README))
    said = capsys.readouterr().out.splitlines()
    assert len(asked) == 20
    assert re.fullmatch(r"1 20 mdl_\w+", said[-1])


def test_the_readme_needs_ten_lines_from_install_to_a_finished_round():
    code = examples(README)
    shell = re.findall(r"^\$ .+", README.read_text(), re.MULTILINE)
    assert len(shell) + len([line for line in code.splitlines() if line.strip()]) <= 10


def test_the_guide_runs_from_top_to_bottom(at_home, capsys):
    run(examples(GUIDE))
    said = capsys.readouterr().out
    assert "empty-text" in said
    assert "answer this one first: bat_" in said
    assert said.splitlines()[-1].endswith("answered")
    assert {path.name for path in at_home.iterdir()} >= {"labels.jsonl", "balance.svg"}
