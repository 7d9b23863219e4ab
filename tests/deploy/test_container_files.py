"""The Dockerfile and compose.yaml: linted, and consistent with the program they start."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
SETTINGS = {f"TAILWISE_{field.name.upper()}" for field in fields(Settings)}


def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def ours() -> list[tuple[str, dict[str, Any]]]:
    return [(name, s) for name, s in services().items() if "build" in s]


def test_the_dockerfile_passes_the_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_image_runs_as_nobody_special_and_keeps_state_in_one_folder() -> None:
    text = DOCKERFILE.read_text()
    final = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert re.search(r"^VOLUME /data$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final


@pytest.mark.parametrize(("name", "service"), ours())
def test_our_containers_cannot_write_outside_their_volume(
    name: str, service: dict[str, Any]
) -> None:
    assert service["read_only"] is True, name
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[2] for mount in service["volumes"]] == ["/data"]


def test_every_variable_set_for_a_container_is_a_setting() -> None:
    named = set(re.findall(r"\bTAILWISE_[A-Z_]+\b", DOCKERFILE.read_text()))
    for _, service in ours():
        named |= set(service.get("environment", {}))
    assert {name.removesuffix("_FILE") for name in named} <= SETTINGS


def test_workers_have_stable_names_of_their_own() -> None:
    workers = [s for n, s in ours() if n.startswith("worker")]
    names = [worker["environment"]["TAILWISE_WORKER_ID"] for worker in workers]
    assert len(names) == 2
    assert len(set(names)) == 2


def test_the_secrets_that_containers_read_are_made_by_the_script(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy" / "make-secrets.sh", tmp_path / "deploy")
    for _ in range(2):
        subprocess.run(["sh", script], check=True)
    declared = yaml.safe_load((ROOT / "compose.yaml").read_text())["secrets"]
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert {Path(s["file"]).name for s in declared.values()} == made
    password = (tmp_path / "secrets" / "postgres").read_text().strip()
    assert f":{password}@postgres/jobs" in (tmp_path / "secrets" / "jobs_url").read_text()


def test_the_lock_pins_every_dependency_by_hash() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(pins) > 40
    assert all(re.fullmatch(r"[\w.\[\],-]+==[^ ]+( ;.*)? \\", pin) for pin in pins)
