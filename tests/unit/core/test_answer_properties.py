"""Whatever people answer and take back, an item is where its standing votes say it is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from core.records import PeopleSettings
from tests.unit.core.answering_world import CLASSES, World, new_store

PEOPLE = ("ann", "bob", "cem", "dee")
MOVES = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["answer", "change", "undo", "skip"]),
        st.integers(0, 1),
        st.sampled_from(CLASSES[:2]),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = new_store(tmp_path_factory.mktemp("properties"))
    yield opened
    opened.close()


class Model:
    """What each person said of one item, the latest on top, kept by hand: (label id, label),
    the label None where the person declined."""

    def __init__(self, *, needed, skip_limit):
        self.needed, self.skip_limit = needed, skip_limit
        self.said = {who: [] for who in PEOPLE}

    def standing(self):
        return [stack[-1][1] for stack in self.said.values() if stack]

    def expected(self):
        votes = [label for label in self.standing() if label is not None]
        if len(votes) >= self.needed:
            [(first, most), *rest] = Counter(votes).most_common()
            tied = bool(rest) and rest[0][1] == most
            return ("conflict", None) if tied else ("resolved", first)
        if self.standing().count(None) >= self.skip_limit:
            return "excluded", None
        return "selected", None


def move(world, model, asked):
    """Do one thing to the service and, where it was taken, to the model."""
    who, what, place, label = asked
    mine = model.said[who]
    if what in {"undo", "change"} and not mine:
        return
    try:
        if what == "undo":
            world.undo(who, mine[-1][0])
            mine.pop()
            return
        more = {"supersedes": mine[-1][0]} if what == "change" else {"skip": what == "skip"}
        row = world.give(who, place, label, **more)
    except Conflict:
        return
    if row.status != "replayed":
        mine.append((row.label_id, None if what == "skip" else label))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES, needed=st.integers(2, 4), skip_limit=st.integers(1, 3))
def test_an_items_state_follows_from_its_standing_votes(store, moves, needed, skip_limit):
    people = PeopleSettings(skip_limit=skip_limit)
    world = World(store=store, people=people, needed=needed, size=2)
    models = [Model(needed=needed, skip_limit=skip_limit) for _ in range(2)]
    for asked in moves:
        move(world, models[asked[2]], asked)
    found = [(world.item(n).state, world.item(n).labels) for n in range(2)]
    wanted = [model.expected() for model in models]
    assert found == [(s, None if label is None else (label,)) for s, label in wanted]
    assert world.labelled() == {
        n: (label,) for n, (state, label) in enumerate(wanted) if state == "resolved"
    }
    done = not {state for state, _ in wanted} & {"selected", "conflict"}
    assert world.batch_state() == ("completed" if done else "open")
