from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from core.errors import Conflict
from runtime.worker import refuse_twin

START = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """A clock, and heartbeats of ``worker-0`` that come every five seconds while it lives."""

    def __init__(self, *, last_beat: datetime | None, alive: bool) -> None:
        self.now_is = START
        self.beat = last_beat
        self.alive = alive
        self.heartbeats = SimpleNamespace(
            latest=lambda: {"worker-0": self.beat} if self.beat else {}
        )

    def now(self):
        return self.now_is

    def pass_time(self, seconds):
        self.now_is += timedelta(seconds=seconds)
        if self.alive and self.now_is - self.beat >= timedelta(seconds=5):
            self.beat = self.now_is

    @contextmanager
    def read(self):
        yield self


def start(world: World) -> float:
    """Seconds that a worker waited before it went on."""
    refuse_twin(store=world, worker_id="worker-0", clock=world, pause=world.pass_time)
    return (world.now_is - START).total_seconds()


def test_the_first_worker_of_an_id_starts_at_once():
    assert start(World(last_beat=None, alive=False)) == 0


def test_a_worker_that_died_long_ago_is_no_obstacle():
    assert start(World(last_beat=START - timedelta(minutes=1), alive=False)) == 0


def test_a_worker_that_died_just_now_is_waited_out():
    assert start(World(last_beat=START - timedelta(seconds=1), alive=False)) == 9


def test_a_worker_that_lives_elsewhere_is_not_joined():
    with pytest.raises(Conflict, match="worker-0 is already running") as refusal:
        start(World(last_beat=START - timedelta(seconds=1), alive=True))
    assert refusal.value.code == "worker-already-running"
