"""What is printed of a data set before anything runs on it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.datasets.catalog import load_catalog
from benchmarks.datasets.command import print_description, show_datasets
from benchmarks.datasets.describing import Description, describe, totals
from benchmarks.datasets.loading import load_dataset
from core.errors import InvalidInput
from tests.unit.benchmarks.datasets.made_sets import SHARED, in_folder, rows


def described(folder: Path, **changes: object) -> Description:
    catalog = in_folder(folder, rows(train=100, test=10, labels="abc"), **changes)
    return describe(load_dataset("made", folder=folder, catalog=catalog))


def printed(found: Description) -> str:
    out = io.StringIO()
    print_description(found, console=Console(file=out, width=100))
    return out.getvalue()


def test_what_is_not_reserve_is_the_pool(tmp_path: Path) -> None:
    found = described(tmp_path)

    assert [(c.train, c.test, c.reserve, c.pool) for c in found.classes] == [(100, 10, 30, 70)] * 3
    assert totals(found.classes) == (300, 30, 90, 210)


def test_the_long_tail_is_cut_into_the_pool_only(tmp_path: Path) -> None:
    found = described(tmp_path, longtail_ratio=16.0)

    assert [(c.test, c.reserve, c.pool) for c in found.classes] == [
        (10, 30, 70),
        (10, 30, 17),
        (10, 30, 4),
    ]
    assert found.ratio == 17.5


def test_a_class_with_a_thin_reserve_is_flagged(tmp_path: Path) -> None:
    catalog = in_folder(tmp_path, [*rows(train=100), *rows(train=40, labels="z")])

    found = describe(load_dataset("made", folder=tmp_path, catalog=catalog))

    assert [c.name for c in found.classes if c.thin] == ["z"]
    assert "fewer than 20 reserve rows" in printed(found)


def test_licence_source_hash_and_counts_are_printed(tmp_path: Path) -> None:
    found = described(tmp_path)

    out = printed(found)

    assert "licence: CC0-1.0" in out
    assert found.sha256 in out
    assert out.splitlines()[-2].split() == ["c", "100", "10", "30", "70"]
    assert out.splitlines()[-1].split()[:6] == ["all", "3", "300", "30", "90", "210"]


def test_markup_in_a_class_name_is_shown_as_it_is(tmp_path: Path) -> None:
    made = [*rows(labels="a"), *(r for r in rows(labels="b"))]
    odd = [type(r)(text=r.text, label="[red]b", split=r.split) for r in made if r.label == "b"]
    catalog = in_folder(tmp_path, [*rows(labels="a"), *odd])

    out = printed(describe(load_dataset("made", folder=tmp_path, catalog=catalog)))

    assert "[red]b" in out


@pytest.mark.skipif(not SHARED.is_dir(), reason="the data sets are not here")
def test_without_names_every_known_set_is_shown() -> None:
    out = io.StringIO()

    show_datasets([], console=Console(file=out, width=120), folder=SHARED)

    assert all(f"\n{name}\n" in out.getvalue() for name in load_catalog())


def test_an_unknown_name_is_refused_before_any_set_is_shown(tmp_path: Path) -> None:
    out = io.StringIO()
    console = Console(file=out)

    with pytest.raises(InvalidInput, match="no data set 'nothing'"):
        show_datasets(["edos5", "nothing"], console=console, folder=tmp_path)

    assert out.getvalue() == ""
