import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from adapters.store.store import open_store
from core.access import digest, key_matches, split_token
from runtime.database import list_keys
from runtime.settings import load_settings

HEAVY = {
    "sklearn",
    "onnx",
    "onnxruntime",
    "anthropic",
    "pyarrow",
    "matplotlib",
    "flask",
    "marshmallow",
    "dbos",
    "sqlalchemy",
    "numpy",
    "structlog",
}


def tailwise(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAILWISE_")}
    return subprocess.run(
        [sys.executable, "-m", "runtime.cli", *arguments],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def place(tmp_path):
    """Variables that keep everything in a folder of the test."""
    return {"TAILWISE_DATA_DIR": str(tmp_path / "data"), "TAILWISE_LOG_LEVEL": "error"}


def test_version_prints_the_installed_one():
    assert tailwise("version").stdout == f"tailwise {version('tailwise')}\n"


@pytest.mark.parametrize("arguments", [["version"], ["--help"], ["serve", "--help"]])
def test_commands_that_only_print_import_nothing_heavy(arguments):
    code = f"""
import sys
sys.argv = ["tailwise", *{arguments!r}]
from runtime.cli import main
try:
    main()
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stderr.split())


def test_a_refusal_is_one_line_and_exit_code_2():
    done = tailwise("keys", "list", TAILWISE_PORT="http")
    assert done.returncode == 2
    assert done.stderr == "error: TAILWISE_PORT must be a whole number from 0 to 65535\n"


def test_a_link_is_printed_once_and_kept_as_a_hash(place):
    done = tailwise("invite", "Kim", "--role", "lead", "--hours", "5", **place)
    line = r"http://127\.0\.0\.1:8080/console/join#twi_[0-9a-f]{64}\n"
    assert re.fullmatch(line, done.stdout), done.stderr
    token = done.stdout.strip().partition("#")[2]
    with opened(place) as store, store.read() as tx:
        found = tx.people.invitation_by_token(digest(token))
    assert (found.name, found.role, found.session_id) == ("Kim", "lead", None)
    assert found.created_by == "command-line"
    assert found.expires_at - found.created_at == timedelta(hours=5)
    assert token.encode() not in b"".join(
        path.read_bytes() for path in Path(place["TAILWISE_DATA_DIR"]).rglob("*") if path.is_file()
    )


def test_a_link_leads_to_the_server_it_is_told_of(place):
    done = tailwise("invite", "Kim", "--url", "https://label.example/", **place)
    assert done.stdout.startswith("https://label.example/console/join#twi_")


def test_nobody_is_invited_to_a_session_that_is_not_there(place):
    done = tailwise("invite", "Kim", "--session", "ses_1", **place)
    assert (done.returncode, done.stderr) == (2, "error: there is no such session\n")
    assert done.stdout == ""


@contextmanager
def opened(place):
    store = open_store(load_settings(place).database_url)
    try:
        yield store
    finally:
        store.close()


def test_a_created_key_is_printed_once_and_kept_as_a_hash(place):
    done = tailwise("keys", "create", "--name", "ci", "--scope", "predict", **place)
    assert re.fullmatch(r"tw_[0-9A-Z]{26}_[0-9a-f]{64}\n", done.stdout), done.stderr
    key_id, secret = split_token(done.stdout.strip())
    (key,) = list_keys(load_settings(place), tenant_id="default")
    assert (key.id, key.name, key.scopes) == (key_id, "ci", frozenset({"predict"}))
    assert key_matches(key, secret)
    listed = tailwise("keys", "list", **place).stdout
    assert key_id in listed
    assert secret not in listed


def test_a_revoked_key_is_listed_as_such(place):
    key_id, _ = split_token(tailwise("keys", "create", **place).stdout.strip())
    assert tailwise("keys", "revoke", key_id, **place).stdout == f"revoked {key_id}\n"
    assert "revoked" in tailwise("keys", "list", **place).stdout


def test_an_unknown_key_cannot_be_revoked(place):
    tailwise("keys", "create", **place)
    done = tailwise("keys", "revoke", "key_none", **place)
    assert (done.returncode, done.stderr) == (2, "error: tenant default has no such key\n")


def test_an_unknown_scope_is_refused_with_the_known_ones(place):
    done = tailwise("keys", "create", "--scope", "everything", **place)
    assert done.returncode == 2
    assert "predict" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_databases_can_be_upgraded_twice(place):
    for _ in range(2):
        done = tailwise("db", "upgrade", **place)
        assert (done.returncode, done.stdout) == (0, "the databases are up to date\n"), done.stderr
