"""The tutorials, and the pages on benchmarks, typed from top to bottom."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, blocks
from tests.docs.stage import reading, some_messages
from tests.e2e.running import Caller
from tests.e2e.server import free_port

pytestmark = pytest.mark.slow

PLUGIN = ROOT / "examples" / "plugin_strategy"
DATA = ROOT.parent / "shared" / "data"


def test_a_data_set_of_ones_own_is_benchmarked(tmp_path: Path) -> None:
    pytest.importorskip("scikit_posthocs")
    with reading(tmp_path, benchmark_cache=tmp_path / "cache") as stage:
        some_messages(stage.checkout, count=700, labels=True)
        said = "".join(stage.play("tutorials/benchmark.md"))
        assert (stage.checkout / "report" / "report.html").exists()
    assert "self-harm" in said
    assert said.count("cluster_need") >= 2


def test_a_moderation_platform_is_integrated(tmp_path: Path) -> None:
    with reading(tmp_path) as stage:
        stage.given["8099"] = str(free_port())
        said = "".join(stage.play("tutorials/platform.md")).splitlines()
    said = said[said.index("by callback: 30") :]
    assert said[2] == "by key: 30"
    assert "r-2" in said[4]
    assert said[4].endswith("by model 2")
    assert said[5] == "active: True"


def test_a_strategy_is_written_installed_and_selected_with(tmp_path: Path) -> None:
    with reading(tmp_path) as stage:
        assert stage.play("tutorials/strategy.md")[-1] == "outskirts 12\n"
        caller = Caller(stage.given["http://127.0.0.1:8080"], stage.given["tw_..."])
        known = caller.read("/v1/components")
        refused = caller.post("/v1/sessions", UNKNOWN)
        caller.http.close()
    assert "Texts far from the middle of their cluster, unsure ones first." in str(known)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "invalid-option")


UNKNOWN = {
    "name": "no such option",
    "task": {"labels": [{"id": "a"}, {"id": "b"}]},
    "settings": {"strategy": {"name": "outskirts", "options": {"entropy_weight": 7}}},
}


def test_the_plug_in_on_the_page_is_the_one_in_examples() -> None:
    page = DOCS / "tutorials" / "strategy.md"
    shown = [block.code for block in blocks(page) if "file" in block.marks]
    files = ("src/tailwise_outskirts.py", "pyproject.toml")
    assert shown == [(PLUGIN / file).read_text() for file in files]


@pytest.mark.parametrize("page", ["benchmarks.md", "benchmarks-datasets.md"])
def test_the_pages_on_benchmarks(page: str, tmp_path: Path) -> None:
    if not DATA.is_dir():
        pytest.skip("the public sets are not here, and are fetched from the internet")
    with reading(tmp_path, datasets=DATA, benchmark_cache=tmp_path / "cache") as stage:
        some_messages(stage.checkout, count=300, labels=True)
        assert "edos5" in "".join(stage.play(page))
