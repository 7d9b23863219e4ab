"""Where the study's texts come from, and that its sides share none."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from benchmarks.evidence.cells import Folders
from benchmarks.multi_label.construction import combine, combine_reserve
from benchmarks.multi_label.sources import Source, open_source
from core.errors import InvalidInput
from tests.unit.benchmarks.multi_label.made_rows import write_csv


def opened(tmp_path: Path, *, own: bool = True, none: str | None = None) -> Source:
    folders = Folders(datasets=None, cache=tmp_path / "cache", encoder=tmp_path)
    name = str(write_csv(tmp_path / "topics.csv")) if own else None
    return open_source(name, none=none, folders=folders)


@pytest.mark.parametrize("own", [True, False])
def test_no_text_is_on_two_sides(tmp_path: Path, own: bool) -> None:
    source = opened(tmp_path, own=own)
    sides = [{row.text for row in side} for side in (source.pool, source.reserve, source.test)]
    assert all(sides)
    assert not any(one & other for one, other in combinations(sides, 2))


def test_messages_are_made_of_the_texts_of_their_side_only(tmp_path: Path) -> None:
    source = opened(tmp_path, none="none")
    made = {
        "pool": combine(source.pool, none="none"),
        "reserve": combine_reserve(source.reserve, none="none"),
        "test": combine(source.test, none="none"),
    }
    for side, messages in made.items():
        for other in {"pool", "reserve", "test"} - {side}:
            strangers = [row.text for row in getattr(source, other)]
            assert not any(text in message.text for text in strangers for message in messages)


def test_the_bundled_corpus_keeps_its_own_splits_and_no_harm_is_no_label(tmp_path: Path) -> None:
    source = opened(tmp_path, own=False)
    assert (len(source.pool), len(source.reserve), len(source.test)) == (658, 120, 180)
    assert source.none == "no-harm"
    assert source.classes == ("financial", "legal", "medical", "emergency", "self-harm")


def test_a_class_that_is_not_there_cannot_stand_for_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened(tmp_path, none="sky")
    assert refused.value.code == "unknown-class"
    assert "garden" in refused.value.extras["known"]


def test_two_labels_at_least_must_be_left(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = [f"text {n} on {c},{c}" for n in range(40) for c in ("ham", "spam")]
    path.write_text("\n".join(["text,label", *rows]))
    folders = Folders(datasets=None, cache=tmp_path, encoder=tmp_path)
    with pytest.raises(InvalidInput) as refused:
        open_source(str(path), none="ham", folders=folders)
    assert refused.value.code == "class-count"
