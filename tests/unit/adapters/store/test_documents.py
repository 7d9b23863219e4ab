"""Records become documents and come back."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.column_types import to_json
from adapters.store.documents import in_chunks, record_of, row_of
from core.records import Choice, LabelClass, Options, SessionSettings, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    part: Part
    maybe: Part | None = None
    parts: tuple[Part, ...] = ()
    names: frozenset[str] = frozenset()
    words: tuple[str, ...] | None = None
    options: Options = field(default_factory=dict)


def there_and_back(record):
    return record_of(type(record), json.loads(to_json(row_of(record))))


numbers = st.builds(Part, number=st.integers(-(2**53), 2**53))


@given(
    st.builds(
        Whole,
        part=numbers,
        maybe=st.none() | numbers,
        parts=st.lists(numbers, max_size=3).map(tuple),
        names=st.frozensets(st.text(max_size=3), max_size=3),
        words=st.none() | st.lists(st.text(max_size=3), max_size=3).map(tuple),
        options=st.dictionaries(st.text(max_size=3), st.integers() | st.none(), max_size=3),
    )
)
def test_any_record_comes_back_from_its_document(record):
    assert there_and_back(record) == record


def test_settings_come_back_with_their_choices():
    settings = SessionSettings(clusterer=Choice(name="kmeans", options={"count": 8}))
    assert there_and_back(settings) == settings


def test_classes_keep_their_order():
    task = Task(classes=(LabelClass(id="b", name="B"), LabelClass(id="a", name="A")))
    assert there_and_back(task).class_ids == ("b", "a")


def test_what_a_document_lacks_takes_its_default():
    assert record_of(Whole, {"part": {}}) == Whole(part=Part(number=1))


def test_what_a_record_no_longer_knows_is_ignored():
    assert record_of(Part, {"number": 2, "colour": "red"}) == Part(number=2)


def test_one_document_has_one_spelling():
    assert to_json({"b": 1, "a": ["é"]}) == '{"a":["é"],"b":1}'


def test_what_is_no_number_is_no_json():
    with pytest.raises(ValueError):
        to_json(float("nan"))


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_chunks_are_small_and_together_everything(values, size):
    chunks = list(in_chunks(values, size))
    assert [v for chunk in chunks for v in chunk] == values
    assert all(0 < len(chunk) <= size for chunk in chunks)
