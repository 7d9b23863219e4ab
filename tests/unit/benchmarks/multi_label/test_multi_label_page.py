"""The page says what the stored result says."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.multi_label.table import markdown

ROOT = Path(__file__).parents[4]


def test_the_page_holds_the_table_of_the_checked_in_result() -> None:
    document = json.loads((ROOT / "benchmarks" / "results" / "multi_label.json").read_bytes())
    page = (ROOT / "docs" / "evidence-multi-label.md").read_text("utf-8")
    assert markdown(document) in page
