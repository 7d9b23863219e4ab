"""One arm and its report over the real API, with operations that run at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.app import create_app
from benchmarks.demo.client import DemoClient, ServiceRefusal
from benchmarks.demo.dataset import load_dataset
from benchmarks.demo.loop import Arm, run_arm
from benchmarks.demo.options import DemoOptions, Plan
from benchmarks.demo.report import PICTURES, Report, write_report
from core.access import mint_key
from tests.conftest import build_inline
from tests.unit.benchmarks.demo.made_files import rows, write

PLAN = Plan(rounds=2, batch_size=8)


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[DemoClient]:
    """The demo's client on the real application, in this process."""
    service = build_inline(tmp_path_factory.mktemp("demo") / "data", cursor_secret="c" * 40)
    now = service.clock.now()
    minted = mint_key(
        tenant_id="ten_demo",
        name="demo",
        scopes=["admin"],
        session_id=None,
        ids=service.ids,
        now=now,
    )
    with service.store.write() as tx:
        tx.access.ensure_tenant("ten_demo", name="demo", now=now)
        tx.access.add_key(minted.key)
    transport = httpx2.WSGITransport(app=create_app(service))  # type: ignore[arg-type]
    made = DemoClient("http://127.0.0.1", minted.token, transport=transport)
    yield made
    made.close()
    service.store.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> DemoOptions:
    path = write(tmp_path_factory.mktemp("files") / "rows.csv.gz", rows())
    return DemoOptions(data=path, generator="simulated")


@pytest.fixture(scope="module")
def heard() -> list[str]:
    return []


def play(client, options, *, strategy, heard=None, plan=PLAN) -> Arm:
    shown: list[int] = []
    found = run_arm(
        client,
        load_dataset(options),
        options,
        plan,
        strategy=strategy,
        follow=lambda words, _operation: (heard if heard is not None else []).append(words),
        show=lambda row: shown.append(row.number),
    )
    assert shown == [row.number for row in found.rounds]
    return found


@pytest.fixture(scope="module")
def arms(client, options, heard) -> tuple[Arm, Arm]:
    ours = play(client, options, strategy=None, heard=heard)
    return ours, play(client, options, strategy="random")


def test_each_round_buys_a_batch_of_labels(arms):
    assert [row.labels for row in arms[0].rounds] == [8, 16]
    assert all(sum(row.counts.values()) == row.labels for row in arms[0].rounds)


def test_each_round_ends_with_a_score_on_the_test_rows(arms):
    assert all(row.macro_f1 is not None for row in arms[0].rounds)
    assert {m["evaluated_on"] for m in arms[0].metrics["learning_curve"]["models"]} == {"test"}


def test_the_file_arrives_with_its_splits(arms):
    assert arms[0].imported["rejected"] == 0
    counts = arms[0].metrics["counts"]
    assert (counts["pool"], counts["test"], counts["reserve"]) == (44, 12, 12)


def test_the_second_arm_selects_by_chance(arms):
    assert [arm.name for arm in arms] == ["cluster_need", "random"]
    assert {row["strategy"] for row in arms[1].metrics["evenness"]} == {"random"}


def test_every_variation_is_decided(arms):
    by_class = arms[0].metrics["generation"]["by_class"]
    assert sum(row["proposed"] for row in by_class) == 0
    assert sum(row["accepted"] for row in by_class) == sum(row.kept for row in arms[0].rounds)


def test_the_steps_are_told_in_order(arms, heard):
    steps = list(dict.fromkeys(heard))
    assert steps[:2] == ["uploading", "reading the file"]
    assert [step for step in steps if step.startswith("round 1")] == [
        "round 1: selecting",
        "round 1: labelling",
        "round 1: writing variations",
        "round 1: reviewing",
        "round 1: training",
    ]


def test_a_used_up_pool_ends_the_arm_with_a_note(client, options):
    found = play(client, options, strategy="random", plan=Plan(rounds=4, batch_size=30))
    assert [row.labels for row in found.rounds] == [30, 44]
    assert "the pool was used up after 2 rounds" in found.notes


def test_rows_that_the_service_refuses_are_told(client, tmp_path):
    leak = next(row for row in rows() if row["split"] == "test")
    data = write(tmp_path / "rows.csv", [*rows(), {**leak, "id": "copy", "split": "pool"}])
    wanted = DemoOptions(data=data, generator="perturb")
    found = play(client, wanted, strategy="random", plan=Plan(rounds=1, batch_size=4))
    assert "1 rows of the file were refused" in found.notes


def test_an_unknown_generator_is_refused_in_one_line(client, options):
    wrong = DemoOptions(data=options.data, generator="nobody")
    with pytest.raises(ServiceRefusal) as refused:
        play(client, wrong, strategy=None)
    assert "unknown-generator" in str(refused.value)


# --- the report -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(arms, options, tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("report") / "deep" / "folder"
    report = Report(
        data=load_dataset(options),
        options=options,
        plan=PLAN,
        arms=arms,
        verdict=["Ours & <theirs> are level."],
        variations="Held-out rows.",
        warnings=["random: the labels stay uneven."],
        seconds=12.0,
    )
    assert write_report(report, made) == made / "index.html"
    return made


def test_every_picture_is_there_in_both_formats(folder):
    found = {path.name for path in folder.iterdir()}
    pictures = {f"{name}.{ending}" for name in PICTURES for ending in ("svg", "png")}
    assert found == {"index.html", "report.md", *pictures}


def test_every_link_of_the_page_leads_to_a_file(folder):
    page = (folder / "index.html").read_text()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) == len(PICTURES)
    assert [link for link in links if not (folder / link).is_file()] == []


def test_the_page_escapes_what_it_quotes(folder):
    page = (folder / "index.html").read_text()
    assert "Ours &amp; &lt;theirs&gt; are level." in page


@pytest.mark.parametrize("name", ["index.html", "report.md"])
def test_both_files_hold_the_rounds_the_warnings_and_the_command(folder, name):
    text = (folder / name).read_text()
    expected = (
        *("cluster_need", "random", "harbour", "the labels stay uneven", "Held-out rows"),
        *("tailwise demo --data", "--rounds 2 --batch-size 8 --generator simulated --seed 0"),
    )
    assert [part for part in expected if part not in text] == []


def test_the_report_quotes_no_text_of_the_file(folder):
    texts = [row["text"] for row in rows()]
    whole = (folder / "index.html").read_text() + (folder / "report.md").read_text()
    assert [text for text in texts if text in whole] == []
