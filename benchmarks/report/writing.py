"""The report of stored summaries: one Markdown file, one page that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.report.extra import require_packages
from benchmarks.report.stored import Stored, read_summary
from benchmarks.report.tables import Table, accuracy, arms, cell, evenness, facts, sets, shared
from benchmarks.statistics.targets import Contenders
from core.errors import InvalidInput

TITLE = "Tailwise: the evidence"
TEMPLATES = Path(__file__).parent
FIGURES = "figures"
Pictures = Mapping[str, Mapping[str, bytes]]
"""Kind of figure -> format -> the file's bytes."""


def write_report(
    summaries: Sequence[Path], folder: Path, *, contenders: Contenders | None = None
) -> Path:
    """Write report.md, report.html and figures/ from stored summaries only; returns the page.

    The page holds its pictures and asks nothing of any other machine. ``contenders`` says which
    arm plays which part in the verdicts. Raises NotInstalled without the ``benchmark`` extra,
    InvalidInput for a file that is no summary, or two of one study.
    """
    require_packages()
    studies = [read_summary(path) for path in summaries]
    _check(studies)
    from benchmarks.report.figures import drawn  # noqa: PLC0415 -- matplotlib is slow to import

    figures = folder / FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    sources: dict[str, str] = {}
    told = []
    for stored in studies:
        pictures = drawn(stored)
        for kind, files in pictures.items():
            for format, content in files.items():
                (figures / f"{stored.study}-{kind}.{format}").write_bytes(content)
            sources[f"{FIGURES}/{stored.study}-{kind}.png"] = _inline(files["svg"])
        told.append(_told(stored, kinds=list(pictures), contenders=contenders))
    text = _markdown(told)
    (folder / "report.md").write_text(text, encoding="utf-8")
    page = folder / "report.html"
    page.write_text(_html(text, sources=sources), encoding="utf-8")
    return page


def _check(studies: Sequence[Stored]) -> None:
    names = [stored.study for stored in studies]
    if not names:
        raise InvalidInput.at("/summaries", "at least one summary is needed", code="no-summary")
    if len(set(names)) < len(names):
        raise InvalidInput.at(
            "/summaries", "two summaries are of the same study", code="repeated-study"
        )


def _told(stored: Stored, *, kinds: Sequence[str], contenders: Contenders | None) -> dict[str, Any]:
    """What the template says about one study."""
    # scipy is slow to import
    from benchmarks.report.judged import head_to_head, judged  # noqa: PLC0415
    from benchmarks.report.overall import CAPTION, overall  # noqa: PLC0415

    data = stored.data
    flags = [(name, flag) for name in data["datasets"] for flag in data["datasets"][name]["flags"]]
    verdict = judged(stored, contenders=contenders)
    head = head_to_head(stored, contenders=contenders)
    whole = overall(stored, contenders=contenders)
    once = facts(stored)
    return {
        "name": cell(stored.study),
        "title": cell(data["title"]),
        "question": cell(data["question"]),
        "file": stored.file.replace("`", ""),
        "scored": _scored(data["evaluate"]),
        "seeds": data["seeds"],
        "budget": data["budget"],
        "baseline": cell(stored.baseline),
        "default": cell(stored.default) if stored.default else None,
        "judged": verdict and _captioned(stored, verdict, "What the default reaches."),
        "head": head
        and _captioned(
            stored, head, "The default set by set: macro-F1 differences with 95 % intervals."
        ),
        "overall": whole and _captioned(stored, whole, CAPTION),
        "arms": _captioned(stored, arms(stored), "The arms and the settings in which they differ."),
        "shared": shared(stored),
        "sets": _captioned(stored, sets(stored), "The data sets; numbers are rows."),
        "flags": [f"{cell(name)}: {cell(flag)}" for name, flag in flags],
        "figures": [_figure(stored, kind) for kind in kinds],
        "datasets": [_dataset(stored, name) for name in stored.datasets()],
        "facts": once and _captioned(stored, once, "Means over the seeds."),
    }


def _scored(evaluate: str) -> str:
    if evaluate == "test":
        return "the test rows; settings were chosen on development rows"
    return "a development part of the train rows, with which settings may be chosen"


def _dataset(stored: Stored, name: str) -> dict[str, Any]:
    even = f"Evenness of the labels on {cell(name)} after the last round."
    exact = f"Accuracy on {cell(name)} after the last round."
    return {
        "name": cell(name),
        "tables": [
            _captioned(stored, evenness(stored, name), even),
            _captioned(stored, accuracy(stored, name), exact),
        ],
    }


def _captioned(stored: Stored, table: Table, caption: str) -> dict[str, str]:
    return {"table": table.markdown(), "caption": f"{caption} From {cell(stored.file)}."}


def _figure(stored: Stored, kind: str) -> dict[str, str]:
    from benchmarks.report.figures import CHARTS  # noqa: PLC0415 -- matplotlib is slow to import

    caption = CHARTS[kind].caption
    return {
        "path": f"{FIGURES}/{stored.study}-{kind}.png",
        "alt": caption.partition(":")[0].partition(".")[0],
        "caption": f"{caption} From {cell(stored.file)}.",
    }


def _inline(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg).decode("ascii")


def _markdown(studies: Sequence[Mapping[str, Any]]) -> str:
    return _template("report.md.j2", autoescape=False, studies=studies).strip() + "\n"


def _html(text: str, *, sources: Mapping[str, str]) -> str:
    """The same text as a page: raw HTML stays text, pictures become part of the page."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- part of the extra
    from markupsafe import Markup  # noqa: PLC0415 -- comes with Jinja2

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for opening, token in pairwise(tokens):
        children = token.children or []
        for child in children:
            if child.type == "image":
                child.attrSet("src", sources[str(child.attrGet("src"))])
        if children and (children[0].type, children[-1].type) == ("em_open", "em_close"):
            opening.attrSet("class", "caption")
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
    return _template("page.html.j2", autoescape=True, title=TITLE, body=Markup(body))


def _template(name: str, *, autoescape: bool, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(**values)
