"""Small catalogue entries and the files they describe, made for tests."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.datasets.catalog import Entry
from benchmarks.datasets.rows import Row, content_hash
from benchmarks.datasets.upstream import upstream_rows

SHARED = Path(__file__).parents[5] / "shared" / "data"
"""The real files, where the checkout has them beside it."""


def table(rows: Sequence[Row]) -> bytes:
    """The rows as our own CSV."""
    return sheet(["text", "label", "split"], [[row.text, row.label, row.split] for row in rows])


def sheet(header: Sequence[str], records: Sequence[Sequence[object]]) -> bytes:
    """A CSV file of any header."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *records])
    return out.getvalue().encode()


def rows(*, train: int = 30, test: int = 10, labels: str = "ab") -> list[Row]:
    """So many train and test rows of each label, no text twice."""
    return [
        Row(text=f"{split} text {number} of {label}", label=label, split=split)
        for split, count in (("train", train), ("test", test))
        for label in labels
        for number in range(count)
    ]


def in_folder(folder: Path, made: Sequence[Row], **changes: object) -> dict[str, Entry]:
    """Write the rows into ``folder``; the catalogue that knows them as "made"."""
    data = table(made)
    (folder / "made.csv").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    entry = Entry(name="made", title="Made", file="made.csv", sha256=digest, licence="CC0-1.0")
    return {"made": replace(entry, **changes)}  # type: ignore[arg-type]


def messages(spam: int = 60, ham: int = 120) -> bytes:
    """An upstream file in the form of the SMS collection."""
    lines = [f"spam\twin prize {i}!" for i in range(spam)] + [
        f'ham\tsee you at "{i}"' for i in range(ham)
    ]
    return "\n".join(lines).encode()


def upstream_entry(*, path: str = "data/sms.tsv", data: bytes | None = None) -> Entry:
    """An entry whose only upstream file is ``data``, with the hashes that belong to it."""
    data = messages() if data is None else data
    entry = Entry(
        name="made",
        title="Made",
        file="made.csv.gz",
        repository="somebody/messages",
        commit="0" * 40,
        paths=(path,),
        format="sms",
        upstream_sha256=(hashlib.sha256(data).hexdigest(),),
    )
    return replace(entry, content=content_hash(upstream_rows(entry, [data])))


def replies(number: int) -> bytes:
    """An upstream file in the form of DiaSafety, every third reply safe."""
    return json.dumps(
        [
            {
                "context": f" question {i} ",
                "response": f"answer {i}\n",
                "category": "Risk Ignorance",
                "label": "Unsafe" if i % 3 else "Safe",
            }
            for i in range(number)
        ]
    ).encode()
