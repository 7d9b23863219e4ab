"""The report of stored summaries."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.evidence.records import Arm
from benchmarks.report import write_report
from benchmarks.report.extra import require_packages
from benchmarks.report.overall import overall
from benchmarks.report.stored import EMPHASISED, Stored, read_summary
from benchmarks.report.tables import accuracy, arms, cell, evenness
from benchmarks.statistics import summarise, to_json
from benchmarks.statistics.targets import Contenders, verdicts
from core.errors import InvalidInput, NotInstalled
from core.records import Choice
from tests import synthetic_study as synthetic


def clustered(count: int) -> Arm:
    clusterer = Choice(name="kmeans", options={"count": count})
    return Arm(name=f"tail_{count}", strategy=Choice(name="tail"), clusterer=clusterer)


def plain(name: str, *, reference: bool = False) -> Arm:
    return Arm(name=name, strategy=Choice(name=name), reference=reference)


ASKED = replace(
    synthetic.experiment(
        seeds=5,
        datasets=("davidson3", "sms_spam"),
        arms=(
            plain("random"),
            plain("margin"),
            plain("cluster_entropy"),
            plain("tail"),
            clustered(5),
            clustered(50),
            plain("even_by_oracle", reference=True),
            plain("whole_pool", reference=True),
        ),
    ),
    rounds=2,
)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs, truths, facts = synthetic.study(ASKED)
    path = tmp_path_factory.mktemp("results") / "strategies.json"
    path.write_text(to_json(summarise(ASKED, runs, truths=truths, datasets=facts)), "utf-8")
    return path


@pytest.fixture(scope="module")
def report(summary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("scikit_posthocs", "markdown_it", "jinja2"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("report")
    write_report([summary], folder, contenders=Contenders(default="tail", best="margin"))
    return folder


@pytest.fixture
def stored(summary: Path) -> Stored:
    return read_summary(summary)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One seed, one set, two arms and no default."""
    pytest.importorskip("markdown_it")
    asked = replace(ASKED, datasets=("sms_spam",), seeds=(0,), default=None, arms=ASKED.arms[:2])
    runs, _, facts = synthetic.study(asked)
    path = tmp_path / "one.json"
    path.write_text(to_json(summarise(asked, runs, truths={}, datasets=facts)), "utf-8")
    return path


def test_every_kind_of_figure_is_drawn_in_two_formats(report: Path) -> None:
    kinds = ("learning", "evenness", "frontier", "differences", "spread", "balance", "clusters")
    expected = {f"strategies-{k}.{f}" for k in (*kinds, "critical") for f in ("svg", "png")}
    assert {path.name for path in (report / "figures").iterdir()} == expected


def test_every_figure_and_table_names_its_file(report: Path) -> None:
    text = (report / "report.md").read_text("utf-8")
    shown = len(re.findall(r"^!\[", text, re.MULTILINE)) + text.count("\n| --- |")
    assert shown > 10
    assert len(re.findall(r"From strategies\.json\.\*$", text, re.MULTILINE)) == shown


def test_the_markdown_points_at_pictures_that_exist(report: Path) -> None:
    text = (report / "report.md").read_text("utf-8")
    paths = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert paths
    assert all((report / path).exists() for path in paths)


def test_the_page_asks_nothing_of_other_machines(report: Path) -> None:
    page = (report / "report.html").read_text("utf-8")
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "<script" not in page
    assert "prefers-color-scheme:dark" in page


def test_references_are_in_the_plots(report: Path) -> None:
    for kind in ("learning", "evenness", "frontier", "differences", "balance", "clusters"):
        svg = (report / "figures" / f"strategies-{kind}.svg").read_text("utf-8")
        assert "even_by_oracle" in svg


def test_the_same_summary_gives_the_same_bytes(summary: Path, report: Path, tmp_path: Path) -> None:
    write_report([summary], tmp_path, contenders=Contenders(default="tail", best="margin"))
    for path in (*report.glob("*.*"), *report.glob("figures/*.svg")):
        assert (tmp_path / path.relative_to(report)).read_bytes() == path.read_bytes()


def test_the_verdict_names_the_default(report: Path) -> None:
    text = (report / "report.md").read_text("utf-8")
    assert "Even: the mean ratio" in text
    assert "not judged here" in text


def test_every_arm_is_held_against_what_the_default_must_reach(stored: Stored) -> None:
    parts = Contenders(default="tail", best="margin")
    table = overall(stored, contenders=parts)
    assert table is not None
    rows = {row[0]: row for row in table.rows}
    assert len(rows) == len(ASKED.arms)
    ratio, accurate = rows["**tail**"][1], rows["**tail**"][5]
    even, exact, *_ = verdicts(stored.data, arms=parts)
    assert ratio == f"{even['figures']['mean_ratio']:.3f}"
    assert accurate == ("no" if exact["figures"]["short_of_best"] else "yes")
    assert rows["margin"][3:] == ["-", "no", "-"]
    assert rows["random (reference)"][1] == "1.000"


def test_without_a_best_baseline_arms_have_no_target(stored: Stored) -> None:
    table = overall(stored, contenders=None)
    assert table is not None
    assert [len(row) for row in table.rows] == [3] * len(ASKED.arms)


def test_a_study_of_one_set_has_no_table_over_sets(small: Path) -> None:
    assert overall(read_summary(small), contenders=None) is None


def test_accuracy_has_intervals_tests_and_counts(stored: Stored) -> None:
    table = accuracy(stored, "davidson3")
    row = next(r for r in table.rows if r[0] == "**tail**")
    assert len(row) == len(table.headings) == 6
    assert row[-1].count("/") == 2
    assert "over seeds and test rows" in table.headings


def test_evenness_gives_the_ratio_to_the_baseline(stored: Stored) -> None:
    table = evenness(stored, "davidson3")
    rows = {row[0]: row for row in table.rows}
    assert rows["random (reference)"][2] == "-"
    assert 0 < float(rows["**tail**"][2].split()[0]) < 1


def test_arms_show_only_the_settings_in_which_they_differ(stored: Stored) -> None:
    table = arms(stored)
    assert list(table.headings) == ["arm", "strategy", "clusterer"]
    assert ["tail_50", "tail", "kmeans (count 50)"] in table.rows


def test_the_baseline_is_drawn_as_a_reference_unless_it_is_the_default(stored: Stored) -> None:
    assert stored.references() == ["random", "even_by_oracle", "whole_pool"]
    assert stored.candidates()[0] == "tail"
    own = Stored(file="x.json", data={**stored.data, "baseline": "tail"})
    assert "tail" in own.candidates()


def test_no_more_arms_are_emphasised_than_can_be_told_apart(stored: Stored) -> None:
    names = [f"arm{i}" for i in range(12)]
    arm = stored.data["arms"][1]
    cells = {"davidson3": dict.fromkeys(["random", *names], stored.cells["davidson3"]["margin"])}
    data = {**stored.data, "arms": [{**arm, "name": n} for n in ["random", *names]], "cells": cells}
    many = Stored(file="x.json", data={**data, "default": "arm11"})
    assert len(many.emphasised()) == EMPHASISED
    assert many.emphasised()[0] == "arm11"


def test_a_study_of_one_seed_one_set_and_no_default_can_be_reported(
    small: Path, tmp_path: Path
) -> None:
    page = write_report([small], tmp_path / "report")
    assert "The verdict" not in page.read_text("utf-8")


def test_a_title_cannot_smuggle_markup_into_the_page(small: Path, tmp_path: Path) -> None:
    text = small.read_text("utf-8").replace(ASKED.title, "<script>alert(1)</script> [x](y)")
    (tmp_path / "odd.json").write_text(text, "utf-8")
    page = write_report([tmp_path / "odd.json"], tmp_path / "report").read_text("utf-8")
    assert "<script" not in page
    assert 'href="y"' not in page


def test_cells_keep_pipes_and_breaks_out_of_tables() -> None:
    assert cell("a|b\nc") == "a\\|b c"


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other/1"}', '{"cells": {}}'])
def test_a_file_that_is_no_summary_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=r"odd\.json"):
        read_summary(path)


def test_two_summaries_of_one_study_are_refused(summary: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="same study"):
        write_report([summary, summary], tmp_path)


def test_a_missing_package_is_named_with_the_command() -> None:
    with pytest.raises(NotInstalled, match=r"no_such_package; run: pip install"):
        require_packages(("no_such_package",))
