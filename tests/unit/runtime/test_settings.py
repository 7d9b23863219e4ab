import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import InvalidInput
from runtime.settings import Settings, child_environ, load_settings

ROOT = Path(__file__).parents[3]


def test_without_variables_everything_has_its_default():
    settings = load_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.worker_id) == ("127.0.0.1", 8080, "worker-0")


def test_places_follow_from_the_data_directory():
    settings = load_settings({"TAILWISE_DATA_DIR": "/srv/tailwise"})
    assert settings.database_url == "sqlite:////srv/tailwise/app.sqlite"
    assert settings.jobs_url == "sqlite:////srv/tailwise/jobs.sqlite"
    assert settings.blobs_url == "file:///srv/tailwise/blobs"


def test_the_encoder_is_shared_by_data_directories():
    elsewhere = load_settings({"TAILWISE_DATA_DIR": "/srv/tailwise"})
    assert elsewhere.encoder_dir == load_settings({}).encoder_dir


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TAILWISE_PORT", "eighty"),
        ("TAILWISE_PORT", "65536"),
        ("TAILWISE_PORT", "-1"),
        ("TAILWISE_PORT", "9" * 5000),
        ("TAILWISE_THREADS", "0"),
        ("TAILWISE_WORKER_ID", "../worker"),
        ("TAILWISE_LOG_LEVEL", "loud"),
        ("TAILWISE_LOG_FORMAT", "xml"),
        ("TAILWISE_ALLOW_GOLD_ORACLE", "maybe"),
        ("TAILWISE_DATABASE_URL", "mysql://host/name"),
        ("TAILWISE_CURSOR_SECRET", "short"),
        ("ANTHROPIC_BASE_URL", "ftp://models"),
        ("TAILWISE_OPENAI_BASE_URL", "file:///etc/passwd"),
        ("TAILWISE_OPENAI_INPUT_PRICE", "cheap"),
        ("TAILWISE_OPENAI_OUTPUT_PRICE", "-1"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(variable, value):
    with pytest.raises(InvalidInput, match=f"^{variable} must be ") as refusal:
        load_settings({variable: value})
    assert refusal.value.code == "invalid-setting"
    assert value not in refusal.value.detail


def test_a_misspelt_variable_is_refused_with_the_likely_one():
    with pytest.raises(InvalidInput, match="did you mean TAILWISE_PORT"):
        load_settings({"TAILWISE_PROT": "80"})


def test_variables_of_clients_are_let_be():
    assert load_settings({"TAILWISE_URL": "http://host", "TAILWISE_API_KEY": "k"}) == Settings()


def test_the_providers_own_variables_are_fallbacks():
    given = {"ANTHROPIC_API_KEY": "theirs", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    assert load_settings(given).anthropic_api_key == "theirs"
    ours = load_settings({**given, "TAILWISE_ANTHROPIC_API_KEY": "ours"})
    assert ours.anthropic_api_key == "ours"
    assert ours.anthropic_base_url == "http://127.0.0.1:9"


def test_an_empty_variable_counts_as_not_given():
    assert load_settings({"TAILWISE_PORT": " "}).port == 8080


def test_the_command_line_wins_over_the_environment():
    settings = load_settings({"TAILWISE_PORT": "81"}, overrides={"port": 82, "host": None})
    assert (settings.port, settings.host) == (82, "127.0.0.1")


def test_nothing_printed_shows_a_secret():
    settings = load_settings(
        {
            "TAILWISE_ANTHROPIC_API_KEY": "canary-key",
            "TAILWISE_CURSOR_SECRET": "canary-" * 6,
            "TAILWISE_DATABASE_URL": "postgresql://user:canary@host/name",
        }
    )
    assert "canary" not in str(settings.redacted())
    assert settings.redacted()["database_url"] == "postgresql://user:***@host/name"
    assert "canary-" not in repr(settings)


def test_a_child_reads_exactly_the_settings_of_its_parent(monkeypatch):
    monkeypatch.setenv("TAILWISE_PORT", "1")
    settings = Settings(port=2, data_dir=Path("/srv/x"), allow_gold_oracle=False, worker_id="w-1")
    environ = child_environ(settings, {"EXTRA": "yes"})
    extra = environ.pop("EXTRA")
    assert load_settings(environ) == settings
    assert extra == "yes"


def test_every_field_is_documented():
    page = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `(TAILWISE_[A-Z_]+)` \|", page, flags=re.M))
    assert documented == {f"TAILWISE_{f.name.upper()}" for f in fields(Settings)}


def test_importing_reads_none_of_the_variables():
    code = """
import os
real = os.environ.__class__.__getitem__
def watched(self, name):
    if name.startswith(("TAILWISE_", "ANTHROPIC_")):
        raise SystemExit(name)
    return real(self, name)
os.environ.__class__.__getitem__ = watched
import runtime.settings
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_setting_may_lie_in_a_file_that_its_variable_names(tmp_path):
    (tmp_path / "secret").write_text("s" * 40 + "\n")
    settings = load_settings({"TAILWISE_CURSOR_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.cursor_secret == "s" * 40


def test_the_variable_itself_wins_over_its_file(tmp_path):
    (tmp_path / "port").write_text("81")
    given = {"TAILWISE_PORT": "82", "TAILWISE_PORT_FILE": str(tmp_path / "port")}
    assert load_settings(given).port == 82


def test_a_file_that_is_not_there_is_refused_by_the_name_of_its_variable(tmp_path):
    with pytest.raises(InvalidInput) as refusal:
        load_settings({"TAILWISE_CURSOR_SECRET_FILE": str(tmp_path / "none")})
    assert refusal.value.extras == {"variable": "TAILWISE_CURSOR_SECRET_FILE"}
