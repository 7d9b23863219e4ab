"""The catalogue of known data sets: one TOML entry each, read as records."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInput
from core.records import Labels

CATALOG = Path(__file__).parent / "catalog.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a set before it is read.

    ``sha256`` is of ``file`` as it lies in the folder, ``content`` of its used rows (see
    ``rows.content_hash``). ``classes`` () = largest train class first, ties by name.
    ``paths`` in ``repository`` at ``commit`` are the upstream files with their
    ``upstream_sha256``; ``format`` names their parser, "" = the set must be in the
    folder. ``unused_splits`` are read by nobody. A
    derived set takes rows and licence from ``derived_from`` and keeps its
    ``keep_classes`` largest; ``longtail_ratio`` is for the harness, see ``longtail``.
    """

    name: str
    title: str
    file: str = ""
    sha256: str = ""
    content: str = ""
    licence: str = ""
    rule: str = ""
    classes: Labels = ()
    balanced_test: bool = False
    unused_splits: tuple[str, ...] = ()
    text_column: str = "text"
    label_column: str = "label"
    split_column: str = "split"
    train: str = "train"
    test: str = "test"
    repository: str = ""
    commit: str = ""
    paths: tuple[str, ...] = ()
    format: str = ""
    upstream_sha256: tuple[str, ...] = ()
    derived_from: str | None = None
    keep_classes: int | None = None
    longtail_ratio: float | None = None

    @property
    def source(self) -> str:
        """The upstream address, as people read it."""
        return f"https://github.com/{self.repository} @ {self.commit} : {', '.join(self.paths)}"


def load_catalog(path: Path = CATALOG) -> Mapping[str, Entry]:
    """Every entry by name, in the order of the file; a derived one has its parent's facts."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    plain = {name: _entry(name, table) for name, table in tables.items()}
    return {name: _inherited(entry, plain) for name, entry in plain.items()}


def find_entry(name: str, catalog: Mapping[str, Entry] | None = None) -> Entry:
    """The entry of that name; raises InvalidInput ``unknown-dataset`` with the known ones."""
    known = load_catalog() if catalog is None else catalog
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    detail = f"there is no data set {name!r}{hint} Known: {', '.join(known)}, or a file's path"
    raise InvalidInput.at("/dataset", detail, code="unknown-dataset", known=list(known))


def _entry(name: str, table: Mapping[str, Any]) -> Entry:
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Entry(name=name, **cast("Any", values))


def _inherited(entry: Entry, plain: Mapping[str, Entry]) -> Entry:
    if entry.derived_from is None:
        return entry
    parent = plain[entry.derived_from]
    return replace(
        parent,
        name=entry.name,
        title=entry.title,
        balanced_test=entry.balanced_test,
        derived_from=parent.name,
        keep_classes=entry.keep_classes,
        longtail_ratio=entry.longtail_ratio,
    )
