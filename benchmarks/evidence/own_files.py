"""Files of one's own in an experiment: found beside it, and called by their last name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.datasets.catalog import load_catalog
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.records import Dataset, Experiment
from core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFiles(Folders):
    """Folders that also know where an experiment's own files lie, by name."""

    files: tuple[tuple[str, Path], ...]

    def open(self, name: str) -> Dataset:
        """A file's ``source`` is its name, so that a summary tells no folder of this machine."""
        path = dict(self.files).get(name)
        if path is None:
            return Folders.open(self, name)
        return replace(Folders.open(self, str(path)), name=name, source=name)


def with_own_files(
    experiment: Experiment, folders: Folders, *, beside: Path
) -> tuple[Experiment, Folders]:
    """The experiment with short names for its files, and folders that can open them.

    A relative path starts at ``beside``, the folder of the experiment file. Raises
    InvalidInput ``repeated-dataset`` for two sets of the same name.
    """
    found = _found(experiment, beside=beside)
    names = tuple(found[name].name if name in found else name for name in experiment.datasets)
    if len(set(names)) < len(names):
        raise InvalidInput.at(
            "/datasets", "/datasets: two of them have the same name", code="repeated-dataset"
        )
    opening = OwnFiles(
        datasets=folders.datasets,
        cache=folders.cache,
        encoder=folders.encoder,
        files=tuple((path.name, path) for path in found.values()),
    )
    return replace(experiment, datasets=names), opening


def _found(experiment: Experiment, *, beside: Path) -> Mapping[str, Path]:
    known = load_catalog()
    paths = {name: (beside / name).resolve() for name in experiment.datasets if name not in known}
    return {name: path for name, path in paths.items() if path.is_file()}
