"""``tailwise demo`` as people run it: refusals before a server starts, and a clean end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.unit.benchmarks.demo.made_files import rows, write

LIMIT_SECONDS = 300


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command started in ``folder``, its temporary files there too, without a model's key."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAILWISE_", "ANTHROPIC_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", "demo", *arguments],
        cwd=folder,
        env={**kept, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """(exit code, everything it printed)."""
    printed, _ = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, printed


def servers(folder: Path) -> list[int]:
    """Processes of servers whose files are below ``folder``."""
    return [
        process.pid
        for process in psutil.process_iter(["cwd"])
        if (process.info["cwd"] or "").startswith(str(folder))
    ]


def small(folder: Path) -> tuple[str, ...]:
    """Arguments for the smallest run there is."""
    data = write(folder / "rows.csv", rows())
    return "--data", str(data), "--rounds", "1", "--batch-size", "8", "--report", "out"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--data", "nowhere.csv"), "there is no file nowhere.csv"),
        (("--data", "rows.csv", "--text-column", "body"), "no column 'body' (--text-column)"),
        (("--data", "rows.csv", "--report", "rows.csv"), "rows.csv is a file"),
        (("--data", "rows.csv", "--data-dir", "."), "is not an empty folder"),
    ],
    ids=["missing file", "missing column", "report is a file", "data folder in use"],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, expected):
    write(tmp_path / "rows.csv", rows())
    code, printed = ended(command(tmp_path, *arguments))
    assert code == 2
    assert printed.startswith("error: ")
    assert expected in printed
    assert printed.count("\n") == 1
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_a_run_ends_with_a_report_and_leaves_nothing_behind(tmp_path):
    code, printed = ended(command(tmp_path, *small(tmp_path)))
    assert code == 0, printed
    assert "At 8 labels each" in printed
    assert "This is one run with seed 0" in printed
    assert (tmp_path / "out" / "index.html").is_file()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert servers(tmp_path / "scratch") == []


@pytest.mark.slow
def test_keep_leaves_a_server_that_answers_its_key_and_can_be_stopped(tmp_path):
    code, printed = ended(command(tmp_path, *small(tmp_path), "--keep"))
    assert code == 0, printed
    found = re.search(
        r"still up: (http://\S+).*?key: (\S+)\nstop it: kill (\d+)", printed, re.DOTALL
    )
    assert found is not None, printed
    url, key, pid = found[1], found[2], int(found[3])
    server = psutil.Process(pid)
    try:
        asked = urllib.request.Request(
            f"{url}/v1/sessions", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200
    finally:
        server.send_signal(signal.SIGTERM)
        psutil.wait_procs([server], timeout=60)
    assert servers(tmp_path / "scratch") == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_its_server(tmp_path, number):
    process = command(tmp_path, *small(tmp_path))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("round"):
            break
    process.send_signal(number)
    code, printed = ended(process)
    assert code == 130, printed
    assert "nothing is left running" in printed
    assert list((tmp_path / "scratch").iterdir()) == []
    assert servers(tmp_path / "scratch") == []
