"""The installed distribution: its names are its own, its command is quick, its parts are sound."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from adapters.store.engine import make_engine

OURS = ("api", "core", "oracle", "adapters", "runtime", "benchmarks")
HEAVY = (
    "alembic",
    "anthropic",
    "dbos",
    "flask",
    "marshmallow",
    "matplotlib",
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "tokenizers",
)
REPORT = """
import sys
sys.argv = ["tailwise", "version"]
from runtime.cli import main
try:
    main()
except SystemExit as stopped:
    assert not stopped.code, stopped.code
print(" ".join(sorted(name.partition(".")[0] for name in sys.modules)))
"""


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_provides_our_packages(name: str) -> None:
    assert set(packages_distributions().get(name, ["tailwise"])) == {"tailwise"}


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REPORT], capture_output=True, text=True, check=True
    )
    told, loaded = done.stdout.strip().splitlines()
    assert told == f"tailwise {version('tailwise')}"
    assert set(HEAVY) & set(loaded.split()) == set()


def test_sqlite_is_a_version_that_does_not_corrupt_write_ahead_logs(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/app.sqlite")
    with engine.connect() as connection:
        told = connection.exec_driver_sql("select sqlite_version()").scalar_one()
    engine.dispose()
    assert tuple(map(int, told.split("."))) >= (3, 51, 3)


@pytest.mark.parametrize(("name", "least"), [("gunicorn", (26, 1)), ("onnx", (1, 21))])
def test_a_dependency_is_past_its_known_faults(name: str, least: tuple[int, int]) -> None:
    major, minor, *_ = version(name).split(".")
    assert (int(major), int(minor)) >= least
