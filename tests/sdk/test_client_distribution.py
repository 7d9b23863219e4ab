"""The client as a distribution: on its own, typed, small, with a pinned surface."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tailwise_client
from tailwise_client import AsyncSessionClient, AsyncTailwise, SessionClient, Tailwise

ROOT = Path(__file__).parent.parent.parent
CLIENT = ROOT / "clients" / "python"
SERVER = {"api", "core", "oracle", "adapters", "runtime", "benchmarks"}
LOADED = """
import sys
import tailwise_client
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_no_module_of_the_client_imports_the_server():
    named = set()
    for path in (CLIENT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name.partition(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                named.add((node.module or "").partition(".")[0])
    assert named & SERVER == set()
    assert named - set(sys.stdlib_module_names) == {
        "httpx2",
        "standardwebhooks",
        "tailwise_client",
    }


def test_importing_the_client_loads_nothing_of_the_server(tmp_path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert set(done.stdout.split()) & {*SERVER, "numpy", "pandas", "flask", "sqlalchemy"} == set()


def test_the_surface_is_what_it_was():
    assert tailwise_client.__all__ == sorted(tailwise_client.__all__)
    assert all(hasattr(tailwise_client, name) for name in tailwise_client.__all__)
    assert {"Tailwise", "AsyncTailwise", "run_loop", "verify", "ProblemError"} <= set(
        tailwise_client.__all__
    )


@pytest.mark.parametrize(
    ("blocking", "awaiting"), [(Tailwise, AsyncTailwise), (SessionClient, AsyncSessionClient)]
)
def test_both_clients_can_do_the_same(blocking, awaiting):
    def verbs(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    assert verbs(blocking) == verbs(awaiting)


@pytest.mark.parametrize("kind", [Tailwise, SessionClient])
def test_every_verb_says_what_it_does(kind):
    public = {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}
    assert [name for name, found in public.items() if not inspect.getdoc(found)] == []


def test_a_bound_verb_keeps_its_signature():
    with Tailwise("http://127.0.0.1:9", "tw_x") as client:
        parameters = inspect.signature(client.session("ses_1").select).parameters
        assert "strategy" in parameters
        assert "Reserve the next batch" in (client.session("ses_1").select.__doc__ or "")


@pytest.mark.slow
def test_the_wheel_is_typed_and_its_own(tmp_path):
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", str(tmp_path), str(CLIENT)),
        ],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("tailwise_client-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "tailwise_client/py.typed" in names
    assert "tailwise_client/verbs/rounds.py" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"tailwise_client"}


TYPED = """
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type
from tailwise_client import (
    AsyncTailwise, Batch, Item, Round, SessionClient, AsyncSessionClient, Tailwise, run_loop,
)

def blocking(client: Tailwise) -> None:
    session = client.create_session("a", labels=["b"])
    assert_type(session, SessionClient)
    assert_type(session.select(size=3), Batch)
    assert_type(session.items(), Iterator[Item])
    assert_type(run_loop(session, annotate=lambda item: item.id), tuple[Round, ...])

async def awaiting(client: AsyncTailwise) -> None:
    session = await client.create_session("a", labels=["b"])
    assert_type(session, AsyncSessionClient)
    assert_type(await session.select(size=3), Batch)
    assert_type(session.items(), AsyncIterator[Item])
    assert_type(await run_loop(session, rounds=2), tuple[Round, ...])
    session.select(sise=3)
"""


@pytest.mark.slow
def test_a_type_checker_knows_both_clients(tmp_path):
    (tmp_path / "program.py").write_text(TYPED)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "program.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    complaints = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(complaints) == 2, done.stdout
    assert 'Unexpected keyword argument "sise"' in done.stdout
    assert "missing an await" in done.stdout
