"""Small labelled files and finished arms for tests of the demo."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.demo.loop import Arm, Round
from tests.corpus import items

Row = dict[str, Any]


def rows(*, splits: bool = True) -> list[Row]:
    """The corpus of all tests as rows of a file."""
    found = []
    for item in items(garden=24, kitchen=12, harbour=8, test=4, reserve=4):
        row = {"id": item.external_id, "text": item.text, "label": (item.gold or ("",))[0]}
        found.append({**row, "split": item.split} if splits else row)
    return found


def write(path: Path, data: Sequence[Row]) -> Path:
    """The rows in the format that the path's ending names."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(data)), path)
        return path
    raw = (_csv(data) if name.endswith(".csv") else _jsonl(data)).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def _csv(data: Sequence[Row]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(data[0]))
    writer.writeheader()
    writer.writerows(data)
    return buffer.getvalue()


def _jsonl(data: Sequence[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in data)


def round_of(number: int, **changes: Any) -> Round:
    fields: dict[str, Any] = {
        "number": number,
        "labels": 10 * number,
        "counts": {"a": 4 * number, "b": 6 * number},
        "std": 1.0 * number,
        "normalised_entropy": 0.97,
        "macro_f1": 0.5,
        "written": 6,
        "kept": 2,
        "dollars": 0.0,
    }
    return Round(**{**fields, **changes})


def arm(name: str, *rounds: Round, **changes: Any) -> Arm:
    fields: dict[str, Any] = {
        "name": name,
        "session_id": "ses_1",
        "settings": {},
        "generator": "perturb",
        "imported": {},
        "rounds": rounds,
        "metrics": {"warnings": []},
        "clusters": {},
        "notes": (),
    }
    return Arm(**{**fields, **changes})
