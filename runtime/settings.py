"""Every setting of a process, read once from the environment and never changed.

This is the only module that reads environment variables. Each field is the variable
``TAILWISE_<FIELD>``; ``docs/configuration.md`` describes all of them.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from platformdirs import user_cache_path, user_data_path

from adapters.webhooks.allow_list import parse_allow_list
from core.errors import InvalidInput

PREFIX = "TAILWISE_"
FILE = "_FILE"
MEGABYTE = 1_000_000
FALLBACKS = {
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "anthropic_base_url": "ANTHROPIC_BASE_URL",
    "otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
}
OTHERS = frozenset({"TAILWISE_URL", "TAILWISE_API_KEY"})
"""Variables of clients, which share the prefix and are none of the server's business."""

NO_REPORTS = ("ORT_DISABLE_TELEMETRY", "1")
"""onnxruntime carries its vendor's telemetry; it looks at this when it is imported."""

T = TypeVar("T")


def _number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers in [least, most]."""
    span = f"from {least} to {most}" if most is not None else f"at least {least}"

    def read(raw: str) -> int:
        value = int(raw) if re.fullmatch(r"-?\d{1,15}", raw) else None
        if value is None or value < least or (most is not None and value > most):
            message = f"a whole number {span}"
            raise ValueError(message)
        return value

    return read


def _choice(*names: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw.lower() not in names:
            message = f"one of {', '.join(names)}"
            raise ValueError(message)
        return raw.lower()

    return read


def _price(raw: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", raw):
        message = "dollars per million tokens, such as 0.25"
        raise ValueError(message)
    return float(raw)


def _switch(raw: str) -> bool:
    known = dict.fromkeys(("1", "true", "yes", "on"), True)
    known.update(dict.fromkeys(("0", "false", "no", "off"), False))
    if raw.lower() not in known:
        message = "true or false"
        raise ValueError(message)
    return known[raw.lower()]


def _matching(pattern: str, sentence: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if not re.fullmatch(pattern, raw):
            raise ValueError(sentence)
        return raw

    return read


def _allow_list(raw: str) -> str:
    parse_allow_list(raw)
    return raw


def _path(raw: str) -> Path:
    return Path(raw).expanduser().absolute()


def _setting(default: T, read: Callable[[str], T] | None = None, *, secret: bool = False) -> T:
    """A field with its default, the reader of its text and whether to hide it."""
    metadata = {"read": read or str, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


UNSET = Path()
"""A path to be filled in when settings are made, so that importing reads nothing."""
WORKER_ID = _matching(r"[a-z0-9][a-z0-9-]{0,63}", "lower-case letters, digits and dashes")
DATABASE = _matching(
    r"(sqlite:///|postgresql(\+psycopg)?://)\S+", "a sqlite:/// or postgresql:// URL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process is told from outside; empty places follow from ``data_dir``.

    Sizes are bytes, windows milliseconds, rates per minute and key (0 = unlimited).
    ``datasets`` is a folder; empty, benchmark data sets are fetched.
    """

    data_dir: Path = _setting(UNSET, _path)  # noqa: RUF009 -- a field, like the others
    database_url: str = _setting("", DATABASE)
    jobs_url: str = _setting("", DATABASE)
    blobs_url: str = _setting("", _matching(r"[a-z0-9]+://\S+", "a URL such as file:///path"))
    encoder_dir: Path = _setting(UNSET, _path)  # noqa: RUF009 -- a field, like the others
    datasets: str = _setting("", lambda raw: str(_path(raw)))
    benchmark_cache: Path = _setting(UNSET, _path)  # noqa: RUF009 -- a field, like the others
    host: str = _setting("127.0.0.1", _matching(r"[A-Za-z0-9.:_-]+", "a host name or address"))
    port: int = _setting(8080, _number(0, 65535))
    metrics_port: int = _setting(9090, _number(0, 65535))
    web_processes: int = _setting(1, _number(1, 64))
    threads: int = _setting(32, _number(1, 512))
    worker_id: str = _setting("worker-0", WORKER_ID)
    encoder_threads: int = _setting(0, _number(0, 256))
    log_level: str = _setting("info", _choice("debug", "info", "warning", "error"))
    log_format: str = _setting("json", _choice("json", "console"))
    anthropic_api_key: str = _setting("", secret=True)
    anthropic_base_url: str = _setting("", _matching(r"https?://\S+", "an http or https URL"))
    openai_base_url: str = _setting("", _matching(r"https?://\S+", "an http or https URL"))
    openai_api_key: str = _setting("", secret=True)
    openai_model: str = _setting("", _matching(r"\S{1,200}", "a model's name"))
    openai_input_price: float = _setting(0.0, _price)
    openai_output_price: float = _setting(0.0, _price)
    local_model: str = _setting("", lambda raw: str(_path(raw)))
    local_threads: int = _setting(0, _number(0, 256))
    otlp_endpoint: str = _setting("", _matching(r"https?://\S+", "an http or https URL"))
    max_body_bytes: int = _setting(5 * MEGABYTE, _number(1_000))
    max_import_bytes: int = _setting(500 * MEGABYTE, _number(1_000))
    max_items: int = _setting(1_000, _number(1, 100_000))
    max_text_chars: int = _setting(20_000, _number(1, 1_000_000))
    max_labels: int = _setting(500, _number(1, 100_000))
    max_predict: int = _setting(256, _number(1, 100_000))
    max_batch: int = _setting(1_000, _number(1, 100_000))
    max_streams: int = _setting(4, _number(0, 512))
    requests_per_minute: int = _setting(6_000, _number(0))
    predict_texts_per_minute: int = _setting(0, _number(0))
    sign_ins_per_minute: int = _setting(60, _number(0))
    sign_in_hours: int = _setting(12, _number(1, 720))
    trusted_proxies: int = _setting(0, _number(0, 8))
    allow_gold_oracle: bool = _setting(True, _switch)  # noqa: FBT003 -- a default, not a flag
    idempotency_hours: int = _setting(72, _number(1, 8_760))
    batch_window_ms: int = _setting(5, _number(0, 1_000))
    webhook_allow: str = _setting("", _allow_list)
    webhook_concurrency: int = _setting(16, _number(1, 256))
    cursor_secret: str = _setting(
        "", _matching(r"\S{32,}", "at least 32 characters without spaces"), secret=True
    )

    def __post_init__(self) -> None:
        home = user_data_path("tailwise")
        data = home if self.data_dir == UNSET else self.data_dir
        derived = {
            "data_dir": data,
            "encoder_dir": home / "encoders" / "minilm",
            "benchmark_cache": user_cache_path("tailwise") / "benchmarks",
            "database_url": f"sqlite:///{data}/app.sqlite",
            "jobs_url": f"sqlite:///{data}/jobs.sqlite",
            "blobs_url": f"file://{data}/blobs",
        }
        for name, value in derived.items():
            if getattr(self, name) in {"", UNSET}:
                object.__setattr__(self, name, value)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def embedded(self) -> bool:
        """Whether the database is the SQLite file of this machine."""
        return self.database_url.startswith("sqlite")

    def redacted(self) -> dict[str, str]:
        """Every field as text, fit for printing: secrets and passwords in URLs are hidden."""
        return {f.name: _shown(getattr(self, f.name), secret=_is_secret(f)) for f in fields(self)}


def load_settings(
    environ: Mapping[str, str] | None = None, *, overrides: Mapping[str, object] | None = None
) -> Settings:
    """The settings of this process, from ``environ`` (default: the real environment).

    ``overrides`` are fields given on the command line; None means not given. A value
    that breaks its rule raises InvalidInput ``invalid-setting`` that names the variable.
    Every process starts here, so this is also where libraries are told not to report.
    """
    os.environ.setdefault(*NO_REPORTS)
    given = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v}
    for name, value in (overrides or {}).items():
        if value is not None:
            given[PREFIX + name.upper()] = str(value)
    _read_files(given)
    _refuse_unknown(given)
    values = {f.name: _read(f, given) for f in fields(Settings)}
    present: dict[str, Any] = {k: v for k, v in values.items() if v is not None}
    return Settings(**present)


def _read_files(given: dict[str, str]) -> None:
    """Replace each ``TAILWISE_<FIELD>_FILE`` by the first line of that file: secrets that a
    container is handed as files need not pass through its environment."""
    for name in [n for n in given if n.startswith(PREFIX) and n.endswith(FILE)]:
        try:
            line = Path(given.pop(name)).read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError):
            detail = f"{name} names no readable text file"
            raise InvalidInput.at(
                f"/{name}", detail, code="invalid-setting", variable=name
            ) from None
        if line:
            given.setdefault(name.removesuffix(FILE), line)


def child_environ(settings: Settings, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process that is to read exactly these settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) or k in OTHERS}
    ours = {PREFIX + f.name.upper(): str(getattr(settings, f.name)) for f in fields(settings)}
    return {**kept, **{k: v for k, v in ours.items() if v}, **extra}


def _read(setting: Any, given: Mapping[str, str]) -> object | None:
    """The value of one field, None when neither it nor its fallback is given."""
    name = PREFIX + setting.name.upper()
    if not given.get(name):
        name = FALLBACKS.get(setting.name, name)
    raw = given.get(name)
    if not raw:
        return None
    try:
        return cast("object", setting.metadata["read"](raw))
    except ValueError as error:
        raise InvalidInput.at(
            f"/{name}", f"{name} must be {error}", code="invalid-setting", variable=name
        ) from None


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {PREFIX + f.name.upper() for f in fields(Settings)} | OTHERS
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InvalidInput.at(
                f"/{name}", f"{name} is not a setting{hint}", code="unknown-setting", variable=name
            )


def _is_secret(setting: Any) -> bool:
    return bool(setting.metadata["secret"])


def _shown(value: object, *, secret: bool) -> str:
    if secret:
        return "(set)" if value else "(not set)"
    return re.sub(r"(://[^:/@\s]*):[^@/\s]*@", r"\1:***@", str(value))
