"""Labels are found in their stored text by whole ids only."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.column_types import LabelSet, has_label
from adapters.store.engine import make_engine, writing

table = sa.Table("t", sa.MetaData(), sa.Column("labels", LabelSet))

ids = st.text(st.sampled_from('ab"\\,[]é%_'), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = make_engine(f"sqlite:///{tmp_path_factory.mktemp('labels')}/store.sqlite")
    with writing(made) as connection:
        table.create(connection)
    yield made
    made.dispose()


@given(labels=st.none() | st.lists(ids, max_size=3).map(tuple), wanted=ids)
def test_a_label_is_found_just_where_it_is_a_member(engine, labels, wanted):
    with writing(engine) as connection:
        connection.execute(sa.delete(table))
        connection.execute(sa.insert(table), {"labels": labels})
        stored = connection.execute(sa.select(table.c.labels)).scalar()
        found = connection.execute(sa.select(table).where(has_label(table.c.labels, wanted))).all()
    assert stored == labels
    assert bool(found) == (wanted in (labels or ()))
