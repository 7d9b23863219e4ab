"""A data set by its name or path, from wherever it can be had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.files.reading import SUFFIXES
from benchmarks.datasets.catalog import Entry, find_entry, load_catalog
from benchmarks.datasets.fetching import Fetcher
from benchmarks.datasets.loading import as_dataset, load_dataset, mismatch
from benchmarks.datasets.own_file import Columns, load_own_file
from benchmarks.datasets.rows import content_hash
from benchmarks.datasets.upstream import upstream_rows
from benchmarks.evidence.records import Dataset
from core.errors import InvalidInput


def open_dataset(
    name: str,
    *,
    folder: Path | None = None,
    fetcher: Fetcher | None = None,
    columns: Columns | None = None,
    catalog: Mapping[str, Entry] | None = None,
) -> Dataset:
    """The data set ``name``: from ``folder``, without one from upstream, or a file of one's own.

    A name that is in no catalogue and looks like a file is taken for one; ``columns``
    are for those only. Raises what ``load_dataset``, ``fetch_dataset`` and
    ``load_own_file`` raise.
    """
    known = load_catalog() if catalog is None else catalog
    check_name(name, catalog=known)
    if name not in known:
        return load_own_file(Path(name), columns=columns)
    if folder is not None:
        return load_dataset(name, folder=folder, catalog=known)
    return fetch_dataset(known[name], fetcher=fetcher or Fetcher())


def check_name(name: str, *, catalog: Mapping[str, Entry] | None = None) -> None:
    """Raise InvalidInput for a name that is neither known nor a file; reads no data."""
    if _like_a_file(name) and not Path(name).is_file():
        raise InvalidInput.at("/dataset", f"there is no file {name}", code="missing-file")
    if not _like_a_file(name):
        find_entry(name, catalog)


def fetch_dataset(entry: Entry, *, fetcher: Fetcher) -> Dataset:
    """The set from its upstream files: the very rows that the folder's file holds.

    That is checked by their content hash, so that the record carries the ``sha256`` of
    that file and a run's key does not depend on where its rows came from. Raises
    Unavailable (see ``Fetcher.files``) and InvalidInput not-fetchable, unreadable-file,
    hash-mismatch.
    """
    rows = upstream_rows(entry, fetcher.files(entry))
    if (found := content_hash(rows)) != entry.content:
        raise mismatch(f"the rows of {entry.source}", expected=entry.content, found=found)
    return as_dataset(rows, entry, sha256=entry.sha256)


def _like_a_file(name: str) -> bool:
    path = Path(name)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return len(path.parts) > 1 or any(suffix in SUFFIXES for suffix in suffixes) or path.is_file()
