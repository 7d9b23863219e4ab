"""The wheel holds what the program needs and works beside folders that have our names."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.running import environment, labelled, opened, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OURS = ("api", "core", "oracle", "adapters", "runtime", "benchmarks")
DATA = {".py", ".toml", ".csv", ".mako", ".yaml", ".html", ".css", ".js", ".svg", ".j2"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout or taken from an old build."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    source.mkdir()
    for name in OURS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    options = ["--no-deps", "--no-index", "--no-build-isolation", f"--wheel-dir={folder}"]
    pip("wheel", *options, str(source))
    [built] = folder.glob("tailwise-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment with the wheel.

    Dependencies come from this environment by a path that stands behind the new one's; a path
    added like that runs no ``.pth`` file, so that an editable install does not win.
    """
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    pip(f"--python={python}", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    [site] = home.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A folder whose packages have our names and break whoever imports them."""
    folder = tmp_path / "decoys"
    for name in OURS:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('decoy {name}')\n")
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    meant = {
        path.relative_to(ROOT).as_posix()
        for name in OURS
        for path in (ROOT / name).rglob("*")
        if path.suffix in DATA
    }
    assert held == meant


@pytest.mark.parametrize(
    "name",
    [
        "adapters/generators/templates/attributes.toml",
        "adapters/generators/prices.toml",
        "adapters/store/migrations/script.py.mako",
        "adapters/store/migrations/versions/r0001_first.py",
        "benchmarks/demo/corpus/messages.csv",
        "benchmarks/datasets/catalog.toml",
        "benchmarks/datasets/picks/diasafety6_lt.toml",
        "benchmarks/experiments/small.toml",
    ],
)
def test_the_wheel_holds_what_is_read_at_run_time(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.getinfo(name).file_size > 0


def test_our_modules_come_from_the_wheel(installed: Path) -> None:
    code = f"import {', '.join(OURS)}\nfor m in ({', '.join(OURS)}): print(m.__file__)"
    done = subprocess.run(
        [str(installed / "python"), "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment({}),
    )
    places = done.stdout.split()
    assert len(places) == len(OURS)
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_the_version_is_told_in_a_folder_with_our_names(installed: Path, decoys: Path) -> None:
    done = subprocess.run(
        [str(installed / "tailwise"), "version"],
        cwd=decoys,
        capture_output=True,
        text=True,
        check=False,
        env=environment({}),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tailwise ")


def test_the_server_and_its_worker_work_in_a_folder_with_our_names(
    installed: Path, decoys: Path, tmp_path: Path
) -> None:
    command = (str(installed / "tailwise"), "serve")
    with running(tmp_path / "data", command=command, cwd=decoys) as server:
        caller = server.caller()
        assert caller.get("/readyz").status_code == 200
        assert len(caller.read("/v1/templates")["data"]) >= 4
        assert caller.get("/v1/openapi.yaml").status_code == 200
        assert caller.get("/v1/docs/assets/swagger-ui.css").status_code == 200
        batch = labelled(caller, opened(caller), size=5)
        assert batch["selected"] == 5
    assert sorted(path.name for path in decoys.iterdir()) == sorted(OURS)
