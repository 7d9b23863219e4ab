"""The tutorials run from top to bottom as they are written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.pages import BIN, DOCS, ROOT, blocks, program
from tests.e2e.running import Running, environment, running
from tests.e2e.server import free_port

pytestmark = pytest.mark.slow

TUTORIALS = DOCS / "tutorials"
PLUGIN = ROOT / "examples" / "plugin_strategy"
CORPUS = ROOT / "benchmarks" / "demo" / "corpus" / "messages.csv"


def played(code: str, server: Running) -> list[str]:
    """What a program prints that knows the server by the client's variables."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={
            **environment({}),
            "TAILWISE_URL": server.url,
            "TAILWISE_API_KEY": server.token,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_data_set_of_ones_own_is_benchmarked(tmp_path: Path) -> None:
    pytest.importorskip("scikit_posthocs")
    home = tmp_path / "mine"
    home.mkdir()
    shutil.copy(CORPUS, home / "messages.csv")
    done = subprocess.run(
        ["bash", "-c", "set -euo pipefail\n" + program(TUTORIALS / "benchmark.md", "bash")],
        env={
            **environment({"benchmark_cache": tmp_path / "cache"}),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        },
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "self-harm" in done.stdout
    assert done.stdout.count("cluster_need") >= 2
    assert (home / "report" / "report.html").exists()


def test_a_moderation_platform_is_integrated(tmp_path: Path) -> None:
    port = free_port()
    code = program(TUTORIALS / "platform.md", "python").replace("8099", str(port))
    with running(tmp_path / "data", webhook_allow=f"127.0.0.1:{port}") as server:
        said = played(code, server)
    assert said[0] == "by callback: 30"
    assert said[2] == "by key: 30"
    assert "r-2" in said[4]
    assert said[4].endswith("by model 2")
    assert said[5] == "active: True"


def test_a_strategy_is_written_installed_and_selected_with(tmp_path: Path) -> None:
    site, source = tmp_path / "site", tmp_path / "source"
    shutil.copytree(PLUGIN, source)
    command = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", *command, f"--target={site}", str(source)], check=True
    )
    with running(tmp_path / "data", environ={"PYTHONPATH": str(site)}) as server:
        said = played(program(TUTORIALS / "strategy.md", "python"), server)
        known = server.caller().read("/v1/components")
        refused = server.caller().post(
            "/v1/sessions",
            {
                "name": "no such option",
                "task": {"labels": [{"id": "a"}, {"id": "b"}]},
                "settings": {"strategy": {"name": "outskirts", "options": {"entropy_weight": 7}}},
            },
        )
    assert said == ["outskirts 12"]
    assert "Texts far from the middle of their cluster, unsure ones first." in str(known)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "invalid-option")


def test_the_plug_in_on_the_page_is_the_one_in_examples() -> None:
    shown = [block.code for block in blocks(TUTORIALS / "strategy.md") if "file" in block.marks]
    files = ("src/tailwise_outskirts.py", "pyproject.toml")
    assert shown == [(PLUGIN / file).read_text() for file in files]
