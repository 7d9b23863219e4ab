"""What the Dockerfile would run, run here: an empty environment, the lock, the wheel, a server."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(stage: str) -> list[tuple[str, str]]:
    lines = [line for line in stage.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def stages() -> tuple[str, str]:
    _, build, final = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)
    return build, final


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The build stage's file system, made by its own COPY and RUN lines under a folder."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    source.mkdir()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TAILWISE_")}
    environ |= {"PATH": f"{Path(sys.executable).resolve().parent}:{environ['PATH']}"}
    for word, rest in instructions(stages()[0]):
        if word == "COPY":
            *names, target = rest.split()
            for name in names:
                copy(ROOT / name, source / (name if target == "./" else target))
        if word == "RUN":
            command = rest.replace("/opt/", f"{root}/opt/")
            (root / "opt").mkdir(exist_ok=True)
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=source,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    yield root
    shutil.rmtree(root, ignore_errors=True)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_a_server_from_the_image_passes_its_own_health_check(image: Path, tmp_path: Path) -> None:
    final = instructions(stages()[1])
    [check] = [json.loads(rest.partition("CMD ")[2]) for w, rest in final if w == "HEALTHCHECK"]
    [entry] = [json.loads(rest) for word, rest in final if word == "ENTRYPOINT"]
    [arguments] = [json.loads(rest) for word, rest in final if word == "CMD"]
    binaries = image / "opt" / "tailwise" / "bin"
    command = [str(binaries / entry[0]), *arguments]
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    with running(
        tmp_path / "data",
        command=command,
        cwd=empty,
        encoder_dir=image / "opt" / "encoders" / "minilm",
    ) as server:
        asked = [part.replace("http://127.0.0.1:8080", server.url) for part in check]
        done = subprocess.run(
            [str(binaries / asked[0]), *asked[1:]], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, shlex.join(asked) + done.stderr


def test_nothing_of_the_image_comes_from_this_checkout(image: Path) -> None:
    where = "import core, runtime; print(core.__file__, runtime.__file__)"
    python = image / "opt" / "tailwise" / "bin" / "python"
    done = subprocess.run(
        [python, "-I", "-c", where], capture_output=True, text=True, check=True, cwd=image
    )
    assert all(place.startswith(str(image)) for place in done.stdout.split())
