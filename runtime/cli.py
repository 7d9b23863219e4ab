"""The ``tailwise`` command; what a subcommand needs is imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from core.errors import TailwiseError

FILE = click.Path(path_type=Path)
ROLES = ("annotator", "reviewer", "lead", "admin")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _settings(**overrides: object) -> Any:
    """The settings of this process, with its logs set up accordingly."""
    from runtime.logs import configure_logs
    from runtime.settings import load_settings

    settings = load_settings(overrides=overrides)
    configure_logs(level=settings.log_level, format=settings.log_format)
    return settings


@click.group(context_settings=CONTEXT)
def tailwise() -> None:
    """Finds the rare, dangerous cases your safety data misses."""


@tailwise.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    click.echo(f"tailwise {installed('tailwise')}")


@tailwise.command()
@click.option("--host", help="Address to listen on. [TAILWISE_HOST, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 = any. [TAILWISE_PORT, 8080]")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="0 = off. [9090]")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False))
@click.option("--api-only", is_flag=True, help="Start no worker here.")
def serve(*, api_only: bool, **overrides: object) -> None:
    """Serve the API, with a worker, until stopped."""
    from runtime.serve import serve as run

    sys.exit(run(_settings(**_absolute(overrides)), say=_say, api_only=api_only))


@tailwise.command()
@click.option("--worker-id", help="A name no other worker has. [TAILWISE_WORKER_ID, worker-0]")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False))
def worker(**overrides: object) -> None:
    """Run operations until stopped; `serve` already starts one."""
    from runtime.worker import run_worker

    sys.exit(run_worker(_settings(**_absolute(overrides)), announce=lambda: _say("worker ready")))


@tailwise.command()
@click.option("--data", type=FILE, help="CSV, JSONL or Parquet, also with .gz; default: bundled.")
@click.option("--text-column", default="text", show_default=True)
@click.option("--label-column", default="label", show_default=True)
@click.option("--split-column", help="Column with pool (or train) and test. [split, if there]")
@click.option("--id-column", help="Column with unique ids. [external_id or id, if there]")
@click.option("--rounds", type=click.IntRange(1, 1000), help="[8 bundled, 6 otherwise]")
@click.option("--batch-size", type=click.IntRange(1, 1000), help="Labels per round. [by size]")
@click.option("--generator", default="auto", show_default=True, help="Who writes variations.")
@click.option("--keep", is_flag=True, help="Leave the server up at the end.")
@click.option("--report", type=FILE, default="tailwise-report", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--data-dir", type=FILE, help="An empty folder for the server. [temporary]")
def demo(**options: Any) -> None:
    """Run the whole loop on a labelled file, or on the bundled one, and write a report."""
    from benchmarks.demo.run import DemoOptions
    from benchmarks.demo.run import demo as run

    sys.exit(run(DemoOptions(**options)))


@tailwise.group()
def keys() -> None:
    """Access keys."""


@keys.command("create")
@click.option("--tenant", default="default", show_default=True)
@click.option("--name", default="key", show_default=True)
@click.option("--scope", "scopes", multiple=True, help="Repeatable; default: admin.")
@click.option("--session", help="Restrict the key to one session.")
def create_key(*, tenant: str, name: str, scopes: Sequence[str], session: str | None) -> None:
    """Make a key and print it, once."""
    from runtime import database

    settings = _settings()
    database.prepare(settings)
    token = database.add_key(
        settings, tenant_id=tenant, name=name, scopes=scopes or ["admin"], session_id=session
    )
    click.echo(token)


@keys.command("list")
@click.option("--tenant", default="default", show_default=True)
def list_keys(*, tenant: str) -> None:
    """Print ids, names and scopes; never the keys."""
    from runtime import database

    for key in database.list_keys(_settings(), tenant_id=tenant):
        state = "revoked" if key.revoked_at else "active"
        where = key.session_id or "all sessions"
        click.echo(f"{key.id}  {state:7}  {key.name}  {','.join(sorted(key.scopes))}  {where}")


@keys.command("revoke")
@click.argument("key_id")
@click.option("--tenant", default="default", show_default=True)
def revoke_key(*, key_id: str, tenant: str) -> None:
    """Make a key useless from now on."""
    from runtime import database

    database.revoke_key(_settings(), tenant_id=tenant, key_id=key_id)
    click.echo(f"revoked {key_id}")


@tailwise.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="annotator", show_default=True)
@click.option("--session", help="The one session they will see. [every session]")
@click.option("--hours", type=click.IntRange(1, 720), default=72, show_default=True)
@click.option("--tenant", default="default", show_default=True)
@click.option("--url", help="Where people reach the server. [the host and port set here]")
@click.option("--data-dir", type=FILE)
def invite(*, url: str | None, data_dir: Path | None, **asked: Any) -> None:
    """Print a link that signs NAME in to the console, once."""
    from runtime.inviting import invitation_link

    click.echo(invitation_link(_settings(**_absolute({"data_dir": data_dir})), url=url, **asked))


@tailwise.group()
def db() -> None:
    """The databases."""


@db.command("upgrade")
def upgrade_db() -> None:
    """Bring the service's and the jobs' tables to this version."""
    from runtime import database

    database.upgrade(_settings())
    click.echo("the databases are up to date")


@tailwise.group()
def encoder() -> None:
    """The sentence encoder."""


@encoder.command("install")
@click.argument("name", type=click.Choice(["minilm", "paraphrase"]), default="minilm")
def install_encoder(*, name: str) -> None:
    """Download an encoder, check its hashes and write its files.

    NAME is minilm (all-MiniLM-L6-v2, the default) or paraphrase (paraphrase-MiniLM-L3-v2,
    half as deep and nearly twice as fast), which a session takes as the encoder onnx with the path
    paraphrase.
    """
    from adapters.encoders.install import install_named

    install_named(name, minilm=_settings().encoder_dir, report=click.echo)


@tailwise.command()
def openapi() -> None:
    """Print the API's description as YAML."""
    from api.app import openapi_yaml

    click.echo(openapi_yaml(), nl=False)


@db.command("migrate-from")
@click.argument("source", metavar="SOURCE_URL")
@click.argument("target", metavar="TARGET_URL")
def migrate_db(*, source: str, target: str) -> None:
    """Copy a stopped server's database into an empty one, such as SQLite into PostgreSQL.

    Files (TAILWISE_BLOBS_URL) stay where they are. Jobs keep no state that would have to move.
    """
    from runtime import database

    def show(table: str, rows: int) -> None:
        click.echo(f"\r{table}: {rows:,} rows ", nl=False, err=True)

    counts = database.migrate_from(source, target, progress=show)
    click.echo(err=True)
    filled = {table: rows for table, rows in counts.items() if rows}
    for table, rows in filled.items():
        click.echo(f"{table}\t{rows}")
    click.echo(f"copied {sum(filled.values()):,} rows; start the server with this database URL")


@tailwise.group()
def benchmark() -> None:
    """Simulated experiments with gold labels."""


@benchmark.command("run")
@click.argument("experiments", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--jobs", "workers", type=click.IntRange(1, 1024), help="Processes. [all cores]")
@click.option("--seeds", type=click.IntRange(1), help="Only the first so many seeds.")
@click.option("--results", type=FILE, help="Folder for the summaries. [see docs/benchmarks.md]")
@click.option("--cache", type=FILE, help="Folder for finished cells. [TAILWISE_BENCHMARK_CACHE]")
@click.option("--datasets", type=FILE, help="Folder with data sets. [TAILWISE_DATASETS]")
@click.option("--dask", metavar="ADDRESS", help="Run the cells on this Dask scheduler's workers.")
@click.option("--estimate", is_flag=True, help="Print what paid arms may cost; run nothing.")
def run_benchmark(*, cache: Path | None, datasets: Path | None, **options: Any) -> None:
    """Run experiment files; what is finished already is not run again."""
    from benchmarks.evidence.asking import run_as_asked

    settings = _settings(benchmark_cache=cache, datasets=datasets)
    sys.exit(run_as_asked(settings, **options))


@benchmark.command("report")
@click.argument("summaries", nargs=-1, required=True, type=FILE, metavar="SUMMARY...")
@click.option("--to", "folder", type=FILE, required=True, help="Folder for report and figures.")
def report_benchmark(*, summaries: Sequence[Path], folder: Path) -> None:
    """Write a Markdown and an HTML report from stored summaries."""
    from benchmarks.report import write_report

    click.echo(f"report: {write_report(summaries, folder)}")


@benchmark.command("compare")
@click.argument("mine", type=FILE)
@click.argument("stored", type=FILE)
def compare_benchmark(*, mine: Path, stored: Path) -> None:
    """Print how far a study that you ran again is from its stored summary."""
    from benchmarks.report.rerun import compare

    for line in compare([mine, stored]):
        click.echo(line)


@benchmark.command("datasets")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--datasets", type=FILE, help="Folder with data sets. [TAILWISE_DATASETS]")
@click.option("--cache", type=FILE, help="Folder for fetched files. [TAILWISE_BENCHMARK_CACHE]")
def show_benchmark(*, names: Sequence[str], datasets: Path | None, cache: Path | None) -> None:
    """Print licence, source and class counts of data sets, or of your own files."""
    from benchmarks.evidence.asking import show_as_asked

    show_as_asked(_settings(benchmark_cache=cache, datasets=datasets), names=names)


@benchmark.command("multi-label")
@click.option("--data", metavar="NAME|FILE", help="A single-label set or file. [bundled corpus]")
@click.option("--none", metavar="CLASS", help="The class that adds no label. [bundled: no-harm]")
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option("--results", type=FILE, help="Folder for the result. [see docs/benchmarks.md]")
@click.option("--datasets", type=FILE, help="Folder with data sets. [TAILWISE_DATASETS]")
@click.option("--cache", type=FILE, help="Folder for fetched files. [TAILWISE_BENCHMARK_CACHE]")
def multi_label_benchmark(*, cache: Path | None, datasets: Path | None, **options: Any) -> None:
    """Play rounds over messages with several labels, made from a single-label set."""
    from benchmarks.multi_label.command import run_multi_label

    settings = _settings(benchmark_cache=cache, datasets=datasets, log_level="warning")
    sys.exit(run_multi_label(settings, **options))


def main() -> None:
    """The console script: refusals are one line and exit code 2."""
    try:
        tailwise()
    except TailwiseError as error:
        click.echo(f"error: {error.detail}", err=True)
        sys.exit(2)


def _say(line: str) -> None:
    print(line, flush=True)


def _absolute(overrides: dict[str, Any]) -> dict[str, object]:
    return {k: v.absolute() if isinstance(v, Path) else v for k, v in overrides.items()}


if __name__ == "__main__":
    main()
