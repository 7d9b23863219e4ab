"""Schemathesis against the running server: no 5xx and no answer that openapi.yaml does not name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.running import Caller, Running, labelled, opened, running, trained

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "schemathesis.toml"
SPENT = {
    "delete_item": ("session_id", "item_id"),
    "delete_model": ("session_id", "model_id"),
    "delete_session": ("session_id",),
    "close_session": ("session_id",),
    "pause_session": ("session_id",),
    "reopen_session": ("session_id",),
    "resume_session": ("session_id",),
    "update_session": ("session_id",),
}
"""What destroys or locks what it is called on, and gets a session of its own for that."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("fuzz") / "data", requests_per_minute=0) as started:
        yield started


@pytest.fixture(scope="module")
def config(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of the repository, plus ids that exist."""
    caller = server.caller()
    main, spare = seeded(caller), seeded(caller)
    text = CONFIG.read_text() + assigned("\n[parameters]", main)
    for operation, names in SPENT.items():
        chosen = {name: spare[name] for name in names}
        about = f'\n[[operations]]\ninclude-operation-id = "{operation}"\n[operations.parameters]'
        text += assigned(about, chosen)
    path = tmp_path_factory.mktemp("schemathesis") / "seeded.toml"
    path.write_text(text)
    return path


def seeded(caller: Caller) -> dict[str, str]:
    """A session in which every kind of thing exists once, by the name of its path parameter."""
    path = opened(caller)
    batch = labelled(caller, path)
    model = trained(caller, path)
    caller.waited(f"{path}/generate", {"generator": "simulated"})
    export = caller.waited(f"{path}/exports", {"what": "labels", "format": "csv"})
    csv = {"content": b"text\nsome new words\n", "headers": {"Content-Type": "text/csv"}}
    imported = caller.waited(f"{path}/imports", **csv)
    return {
        "session_id": path.rpartition("/")[2],
        "batch_id": batch["id"],
        "item_id": batch["items"][0]["id"],
        "model_id": model,
        "export_id": export["id"],
        "operation_id": imported["id"],
        "generation_id": caller.read(f"{path}/generations")["data"][0]["id"],
        "label_id": caller.read(f"{path}/labels")["data"][0]["id"],
    }


def assigned(table: str, values: Mapping[str, str]) -> str:
    lines = (f'"path.{name}" = "{value}"' for name, value in values.items())
    return "\n".join([table, *lines, ""])


def fuzz(server: Running, config: Path, *, phases: str, cwd: Path) -> None:
    """Run schemathesis; fails with its report."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={config}",
            "--no-color",
            "run",
            str(ROOT / "openapi.yaml"),
            f"--url={server.url}",
            f"--header=Authorization: Bearer {server.token}",
            f"--phases={phases}",
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout
    assert not faults(server)


def faults(server: Running) -> list[str]:
    """Lines of the log that tell of a fault of ours."""
    return [line for line in server.logs if '"unexpected_error"' in line or is_fault(line)]


def is_fault(line: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return False
    if not isinstance(event, dict) or event.get("event") != "http_request":
        return False  # a webhook's line has the status that its receiver answered, if any
    return int(event["status"]) >= 500


def test_examples_edges_and_random_requests_get_documented_answers(
    server: Running, config: Path, tmp_path: Path
) -> None:
    fuzz(server, config, phases="examples,coverage,fuzzing", cwd=tmp_path)


def test_chains_of_requests_get_documented_answers(
    server: Running, config: Path, tmp_path: Path
) -> None:
    assert config.is_file()
    fuzz(server, CONFIG, phases="stateful", cwd=tmp_path)
