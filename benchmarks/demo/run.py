"""``tailwise demo``: the real server, the whole loop twice, a comparison and a report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console
from rich.markup import escape

from benchmarks.demo.client import DemoClient
from benchmarks.demo.dataset import Dataset, load_dataset
from benchmarks.demo.loop import Arm, run_arm
from benchmarks.demo.options import DemoOptions, DemoRefused, Plan, plan_rounds
from benchmarks.demo.report import Report, write_report
from benchmarks.demo.server import Running, check_ready_to_serve, has_model_key, serving
from benchmarks.demo.terminal import board
from benchmarks.demo.verdict import about_variations, sentences, warnings
from benchmarks.interruption import stopping_on_terminate
from core.errors import TailwiseError

__all__ = ["DemoOptions", "demo"]

REFUSED, INTERRUPTED = 2, 130
BASELINE = "random"


def demo(options: DemoOptions, *, console: Console | None = None) -> int:
    """Run it all; the exit code is 0, 2 for a refusal (one line says why), 130 for Ctrl-C."""
    console = console or Console(highlight=False, soft_wrap=True)
    try:
        with stopping_on_terminate():
            _run(options, console)
    except DemoRefused as refusal:
        console.print(f"[bold red]error:[/bold red] {escape(str(refusal))}")
        return REFUSED
    except TailwiseError as refusal:
        console.print(f"[bold red]error:[/bold red] {escape(refusal.detail)}")
        return REFUSED
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return INTERRUPTED
    return 0


def _run(options: DemoOptions, console: Console) -> None:
    started = time.monotonic()
    data = load_dataset(options)
    plan = plan_rounds(options, pool=data.pool, bundled=data.bundled)
    _check_report(options)
    check_ready_to_serve(options.data_dir)
    options = replace(options, generator=_generator(options, data))
    _introduce(data, plan, console)
    console.print("[dim]starting the server and its worker[/dim]")
    with serving(options.data_dir, say=_dim(console)) as server:
        arms = _both_arms(server, data, options, plan, console)
        test_rows = arms[0].metrics["counts"]["test"]
        report = Report(
            data=data,
            options=options,
            plan=plan,
            arms=arms,
            verdict=sentences(*arms, test_rows=test_rows, seed=options.seed),
            variations=about_variations(arms[0].generator),
            warnings=warnings(arms),
            seconds=time.monotonic() - started,
        )
        _conclude(report, console)
        if options.keep:
            server.keep()
            _say_how_to_stop(server, console)


def _both_arms(
    server: Running, data: Dataset, options: DemoOptions, plan: Plan, console: Console
) -> tuple[Arm, Arm]:
    """The service's own strategy, then random; the second finds its vectors in the cache."""
    client = DemoClient(server.url, server.key)
    try:
        ours = _arm(client, data, options, plan, console, strategy=None)
        return ours, _arm(client, data, options, plan, console, strategy=BASELINE)
    finally:
        client.close()


def _arm(
    client: DemoClient,
    data: Dataset,
    options: DemoOptions,
    plan: Plan,
    console: Console,
    *,
    strategy: str | None,
) -> Arm:
    title = f"Selecting by {strategy}" if strategy else "Selecting with the service's strategy"
    classes = [c["name"] for c in data.classes]
    with board(console, title=title, classes=classes, rounds=plan.rounds) as rows:
        return run_arm(
            client, data, options, plan, strategy=strategy, follow=rows.follow, show=rows.show
        )


def _introduce(data: Dataset, plan: Plan, console: Console) -> None:
    splits = "the server sets test and reserve rows aside"
    if data.request.split_column is not None:
        splits = ", ".join(f"{data.count(split=s):,} {s}" for s in ("pool", "test", "reserve"))
    console.print(
        f"[bold]{escape(data.title)}[/bold]: {data.rows:,} rows in {len(data.classes)} classes "
        f"({splits}); {plan.rounds} rounds of {plan.batch_size} labels"
    )


def _conclude(report: Report, console: Console) -> None:
    console.print()
    console.print(f"[dim]{escape(report.variations)}[/dim]")
    for text in report.verdict:
        console.print(escape(text))
    for text in report.warnings:
        console.print(f"[yellow]warning[/yellow] {escape(text)}")
    page = write_report(report, report.options.report)
    console.print(f"report: {escape(str(page))} ({report.seconds:.0f} seconds)")


def _say_how_to_stop(server: Running, console: Console) -> None:
    console.print(f"\nThe server is still up: {server.url} (API pages: {server.url}/v1/docs)")
    console.print(f"key: {server.key}", markup=False)
    console.print(f"stop it: kill {server.pid}; then remove {server.data_dir}", markup=False)


def _generator(options: DemoOptions, data: Dataset) -> str:
    """Who writes where nobody was named: held-out rows stand in for a model we have no key for."""
    has_reserve = data.request.split_column is None or data.count(split="reserve") > 0
    if options.generator == "auto" and has_reserve and not has_model_key():
        return "simulated"
    return options.generator


def _check_report(options: DemoOptions) -> None:
    if options.report.exists() and not options.report.is_dir():
        raise DemoRefused(f"{options.report} is a file; the report needs a folder")


def _dim(console: Console) -> Callable[[str], None]:
    return lambda words: console.print(f"[dim]{words}[/dim]")
