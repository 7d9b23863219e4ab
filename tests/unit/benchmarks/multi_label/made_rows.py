"""A small single-label set on three topics, and on none of them, for the multi-label study."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.datasets.rows import Row
from tests.corpus import TOPICS
from tests.multi_corpus import texts_on

SIZES = {"garden": 60, "kitchen": 40, "harbour": 24, "none": 30}


def made_rows() -> list[Row]:
    """Rows of every topic; of each, the first fifth is the test."""
    rows = []
    for label, size in SIZES.items():
        texts = texts_on((label,) if label in TOPICS else (), size)
        rows += [
            Row(text=text, label=label, split="test" if n < size // 5 else "pool")
            for n, text in enumerate(texts)
        ]
    return rows


def write_csv(path: Path) -> Path:
    """The rows as a file of one's own."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "split"])
        writer.writerows((row.text, row.label, row.split) for row in made_rows())
    return path
