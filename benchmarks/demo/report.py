"""The report of a demo run: one page, one Markdown file and the pictures they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Literal

from adapters.charts import compare, render
from benchmarks.demo.dataset import Dataset
from benchmarks.demo.loop import Arm, Round
from benchmarks.demo.options import DemoOptions, Plan, command

Format = Literal["svg", "png"]
FORMATS: tuple[Format, ...] = ("svg", "png")

SIMULATED = "A simulation: the labels come from the file, where people would give them."
PICTURES = {
    "overview": "Evenness of the labels and macro-F1 on the test rows, at equal labels.",
    "f1": "Macro-F1 on the test rows against the labels bought.",
    "evenness": "How even the labels are: spread of the class counts and normalised entropy.",
    "balance": "Labels bought per class at the end, against an even share.",
    "clusters": "The pool as the learner sees it at the end of the first arm: each dot is a text.",
    "funnel": "What became of the written variations in the first arm.",
    "entropy": "How unsure the learner of the first arm was, and is.",
}
"""File name -> caption, in the order they are shown."""

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1f2937}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e5e7eb}
th:first-child,td:first-child{text-align:left}th{font-weight:600}
figure{margin:1.5rem 0}img{max-width:100%;height:auto}figcaption{color:#6b7280}
code{background:#f3f4f6;padding:.1rem .3rem;border-radius:3px;overflow-wrap:anywhere}
.lead{background:#f3f4f6;padding:.8rem 1rem;border-left:4px solid #0072B2}
""".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the page says."""

    data: Dataset
    options: DemoOptions
    plan: Plan
    arms: tuple[Arm, ...]
    verdict: Sequence[str]
    variations: str
    warnings: Sequence[str]
    seconds: float


Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Headings and rows of cells."""


def write_report(report: Report, folder: Path) -> Path:
    """Write index.html, report.md and the pictures; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in _drawings(report).items():
        for format in FORMATS:
            (folder / f"{name}.{format}").write_bytes(draw(format=format))
    page = folder / "index.html"
    page.write_text(_html(report), encoding="utf-8")
    (folder / "report.md").write_text(_markdown(report), encoding="utf-8")
    return page


def _drawings(report: Report) -> Mapping[str, Callable[..., bytes]]:
    arms = [(arm.name, arm.metrics) for arm in report.arms]
    first = report.arms[0]
    return {
        **{
            name: partial(compare, name, arms) for name in ("overview", "f1", "evenness", "balance")
        },
        "clusters": partial(render, "clusters", first.clusters),
        **{name: partial(render, name, first.metrics) for name in ("funnel", "entropy")},
    }


# --- what both files say ----------------------------------------------------------


def _title(report: Report) -> str:
    return f"Tailwise demo: {report.data.title}"


def _tables(report: Report) -> dict[str, Table]:
    """Heading -> table."""
    names = {c["id"]: c["name"] for c in report.data.classes}
    return {
        "The data": _data_table(report, names),
        **{f"Rounds with {arm.name}": _rounds_table(arm, names) for arm in report.arms},
        "Settings": _settings_table(report),
    }


def _data_table(report: Report, names: Mapping[str, str]) -> Table:
    """Rows by class as the file has them; split by the server where it has no splits."""
    data = report.data
    if data.request.split_column is None:
        counts = report.arms[0].metrics["counts"]
        shown = ", ".join(f"{s} {counts[s]:,}" for s in ("pool", "test", "reserve"))
        rows = [[name, f"{data.count(class_id=c):,}"] for c, name in names.items()]
        return ("class", "rows"), [*rows, [f"all (split by the server: {shown})", f"{data.rows:,}"]]
    splits = ("pool", "test", "reserve")
    rows = [
        [name, *(f"{data.count(class_id=c, split=s):,}" for s in splits)]
        for c, name in names.items()
    ]
    return ("class", *splits), [*rows, ["all", *(f"{data.count(split=s):,}" for s in splits)]]


def _rounds_table(arm: Arm, names: Mapping[str, str]) -> Table:
    shown = list(names) if len(names) <= 12 else []
    headings = [
        *("round", "labels"),
        *(names[c] for c in shown),
        *("std", "normalised entropy", "macro-F1", "variations kept", "cost"),
    ]
    return headings, [_round_cells(row, shown) for row in arm.rounds]


def _round_cells(row: Round, classes: Sequence[str]) -> list[str]:
    return [
        str(row.number),
        str(row.labels),
        *(str(row.counts[c]) for c in classes),
        f"{row.std:.1f}",
        f"{row.normalised_entropy:.3f}",
        "-" if row.macro_f1 is None else f"{row.macro_f1:.3f}",
        f"{row.kept} of {row.written}",
        f"${row.dollars:.4f}",
    ]


def _settings_table(report: Report) -> Table:
    first = report.arms[0]
    rows = [["strategies compared", ", ".join(arm.name for arm in report.arms)]]
    rows += [["generator used", first.generator or "none"]]
    for name in ("encoder", "clusterer", "learner"):
        rows.append([name, str(first.settings[name]["name"])])
    for name in ("template", "variations", "generated_weight", "min_distance", "seed"):
        rows.append([name.replace("_", " "), str(first.settings[name])])
    rows.append(
        ["rounds and labels per round", f"{report.plan.rounds} of {report.plan.batch_size}"]
    )
    rows.append(["time", f"{report.seconds:.0f} seconds"])
    return ("setting", "value"), rows


# --- as a page ----------------------------------------------------------------------


def _html(report: Report) -> str:
    title = escape(_title(report))
    figures = "\n".join(
        f'<figure><img src="{name}.svg" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for name, caption in PICTURES.items()
    )
    tables = "\n".join(
        f"<h2>{escape(heading)}</h2>\n{_html_table(table)}"
        for heading, table in _tables(report).items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>{escape(SIMULATED)} {escape(report.variations)}</p>
<div class="lead">{_paragraphs(report.verdict)}</div>
{_html_warnings(report.warnings)}
{figures}
{tables}
<h2>Repeat it</h2>
<p><code>{escape(command(report.options, report.plan))}</code></p>
</body></html>
"""


def _paragraphs(texts: Sequence[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def _html_warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>"


def _html_table(table: Table) -> str:
    headings, rows = table
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# --- as Markdown ----------------------------------------------------------------------


def _markdown(report: Report) -> str:
    about = f"{SIMULATED} {report.variations}"
    parts = [f"# {_cell(_title(report))}", _cell(about), *map(_cell, report.verdict)]
    if report.warnings:
        parts += ["## Warnings", "\n".join(f"- {_cell(text)}" for text in report.warnings)]
    parts += [f"![{caption}]({name}.png)" for name, caption in PICTURES.items()]
    for heading, table in _tables(report).items():
        parts += [f"## {_cell(heading)}", _markdown_table(table)]
    parts += ["## Repeat it", f"    {command(report.options, report.plan)}"]
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    headings, rows = table
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """A file's own class names may hold what Markdown would read as markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "|<>`[]" else sign for sign in flat)
