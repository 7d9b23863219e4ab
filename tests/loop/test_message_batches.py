"""Generating by message batches inside the service: joined, resumed, tried again, called off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.jobs.inline import InlineJobs
from adapters.store.migrate import upgrade
from adapters.store.store import open_store
from core.errors import InvalidOption
from core.ports import Job
from core.records import Budget, Choice, Generation, Operation, Page, Session
from core.requests import GenerateRequest, SelectRequest
from runtime.clock import SystemClock
from runtime.execution import execute
from runtime.pruning import Pruning
from runtime.settings import load_settings
from runtime.tailwise import Tailwise
from runtime.wiring import build
from tests.batches_server import BatchesServer, Handler, batches_server, errored, well
from tests.corpus import items, new_session
from tests.messages_server import KEY

ALL = Page(limit=10_000)
OPTIONS = {"mode": "batch", "poll_s": 0.01, "poll_most_s": 0.05, "settle_s": 0}
BILL = (700 * 0.10 + 300 * 0.50) / 1e6 / 2


class Died(BaseException):
    """The process is gone; nothing catches this."""


@dataclass(kw_only=True)
class Run:
    """Runs operations as a worker does, and dies where a test says so."""

    tailwise: Tailwise | None = None
    dies_at_step: int | None = None
    dies_at_check: bool = False

    def __call__(self, operation_id: str, job: Job) -> None:
        execute(operation_id, Mortal(job, run=self), services=self.tailwise)


@dataclass
class Mortal:
    """A job that ends with its process."""

    job: Job
    run: Run = field(kw_only=True)

    @property
    def operation_id(self) -> str:
        return self.job.operation_id

    def step(self, name: str, work: Any) -> Any:
        answer = self.job.step(name, work)
        if self.run.dies_at_step is not None:
            self.run.dies_at_step -= 1
            if self.run.dies_at_step == 0:
                self.run.dies_at_step = None
                raise Died
        return answer

    def progress(self, phase: str, done: int, total: int) -> None:
        self.job.progress(phase, done, total)

    def check(self) -> None:
        if self.run.dies_at_check:
            self.run.dies_at_check = False
            raise Died
        self.job.check()


@dataclass(kw_only=True)
class World:
    tailwise: Tailwise
    fake: BatchesServer
    run: Run

    def session(self, **settings: object) -> Session:
        made = self.tailwise.create_session("ten_a", new_session(**settings))
        self.tailwise.add_items(made, items(), on_conflict="error", mode="atomic")
        self.work()
        session = self.tailwise.session("ten_a", made.id)
        batch = self.tailwise.select(session, SelectRequest(size=88), request_key=None).batch
        self.tailwise.label_by_oracle(session, batch.id, noise=None)
        return session

    def start(self, session: Session, **options: object) -> Operation:
        choice = Choice(name="anthropic", options={**OPTIONS, **options})
        wish = GenerateRequest(generator=choice)
        return self.tailwise.start_generate(session, wish, request_key=None)

    def work(self) -> None:
        self.tailwise.jobs.run_waiting()  # type: ignore[attr-defined]

    def ended(self, operation: Operation) -> Operation:
        """Whoever dies on the way."""
        for _ in range(4):
            try:
                self.work()
            except Died:
                self.tailwise.jobs.enqueue(operation)
        return self.tailwise.wait("ten_a", operation.id, seconds=0)

    def written(self, session: Session) -> list[Generation]:
        with self.tailwise.store.read() as tx:
            return list(tx.generations.list(session.id, ALL))

    def spent(self, session: Session) -> float:
        with self.tailwise.store.read() as tx:
            return tx.costs.total(session.id)

    def created(self) -> int:
        return sum(s == ("POST", "/v1/messages/batches") for s in self.fake.seen)


@contextmanager
def service(folder: Path, fake: BatchesServer, *, key: str = KEY) -> Iterator[World]:
    run = Run()
    folder.mkdir(exist_ok=True)
    settings = load_settings(
        {"TAILWISE_DATA_DIR": str(folder)},
        overrides={"anthropic_api_key": key or None, "anthropic_base_url": fake.url},
    )
    upgrade(open_store(settings.database_url).engine)

    def cancelled(operation_id: str) -> bool:
        assert run.tailwise is not None
        with run.tailwise.store.read() as tx:
            return tx.operations.cancel_requested(operation_id)

    jobs = InlineJobs(run, deferred=True, cancelled=cancelled)
    run.tailwise = build(settings, role="inline", jobs=jobs)
    with run.tailwise.store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=run.tailwise.clock.now())
    yield World(tailwise=run.tailwise, fake=fake, run=run)
    run.tailwise.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with batches_server() as fake, service(tmp_path / "data", fake) as made:
        yield made


def result_of(operation: Operation) -> dict[str, Any]:
    assert operation.state == "succeeded", operation.error
    assert operation.result is not None
    return dict(operation.result)


def paid_once(world: World) -> bool:
    return max(Counter(world.fake.paid).values()) == 1


def test_all_calls_go_in_one_batch_and_each_answer_finds_its_seed(world: World) -> None:
    session = world.session()
    result = result_of(world.ended(world.start(session)))
    (batch,) = world.fake.batches.values()
    assert (world.created(), len(batch.requests)) == (1, result["calls"])
    assert result["outcomes"] == {"ok": result["calls"]}
    assert result["answers"] == {"succeeded": result["calls"]}
    assert result["batches"] == [batch.id]
    asked = {r["custom_id"]: r["params"]["messages"][0]["content"] for r in batch.requests}
    with world.tailwise.store.read() as tx:
        seeds = tx.items.by_ids(session.id, [row.seed_item_id for row in world.written(session)])
    for row in world.written(session):
        assert seeds[row.seed_item_id].text in asked[row.text.split(" for ")[1]]
        assert row.request_id == batch.id


def test_it_costs_half_and_the_session_is_charged_so(world: World) -> None:
    session = world.session()
    result = result_of(world.ended(world.start(session)))
    assert result["dollars"] == pytest.approx(BILL * result["calls"])
    assert world.spent(session) == pytest.approx(result["dollars"])


def test_a_worker_that_dies_while_it_waits_goes_on_with_the_same_batch(world: World) -> None:
    session = world.session()
    world.fake.released = False
    operation = world.start(session)
    world.fake.before = lambda method, path: _die_at(world, method, path)
    with pytest.raises(Died):
        world.work()
    world.fake.before = lambda _method, _path: None
    world.fake.release()
    world.tailwise.jobs.enqueue(operation)
    result = result_of(world.ended(operation))
    assert (world.created(), result["outcomes"]) == (1, {"ok": result["calls"]})
    assert paid_once(world)


def _die_at(world: World, method: str, path: str) -> None:
    """The next check after a look is the process's last."""
    if method == "GET" and path != "/v1/messages/batches":
        world.run.dies_at_check = True


def test_a_batch_whose_answer_never_came_back_is_found_by_its_custom_ids(world: World) -> None:
    session = world.session()
    world.fake.create([{"custom_id": f"other-{n}", "params": {}} for n in range(3)])
    world.fake.after = lambda method, _path: method == "POST"
    result = result_of(world.ended(world.start(session)))
    assert (world.created(), result["outcomes"]) == (1, {"ok": result["calls"]})
    assert paid_once(world)


def test_a_worker_that_dies_before_the_name_is_stored_finds_the_batch_again(world: World) -> None:
    session = world.session()
    world.fake.released = False

    def hang_up(method: str, _path: str) -> bool:
        world.run.dies_at_check |= method == "POST"
        return method == "POST"

    world.fake.after = hang_up
    operation = world.start(session)
    with pytest.raises(Died):
        world.work()
    with world.tailwise.store.read() as tx:
        row = tx.provider_batches.get(f"pbt_{operation.id.partition('_')[2]}")
    assert row is not None
    assert (row.state, row.provider_id) == ("sending", None)
    world.fake.after = lambda _method, _path: False
    same = [{"custom_id": f"other-{n}", "params": {}} for n in range(row.size)]
    world.fake.create(same, foreign="x")
    world.fake.release()
    world.tailwise.jobs.enqueue(operation)
    result = result_of(world.ended(operation))
    assert (world.created(), result["answers"]) == (1, {"succeeded": row.size})
    assert paid_once(world)
    assert world.spent(session) == pytest.approx(BILL * row.size)


def test_a_worker_that_dies_before_anything_was_sent_sends_it_once(world: World) -> None:
    session = world.session()
    operation = world.start(session)

    def overloaded(method: str, _path: str) -> int | None:
        world.run.dies_at_check = method == "POST"
        return 529 if method == "POST" else None

    world.fake.before = overloaded
    with pytest.raises(Died):
        world.work()
    world.fake.before = lambda _method, _path: None
    world.tailwise.jobs.enqueue(operation)
    result = result_of(world.ended(operation))
    assert len(world.fake.batches) == 1
    assert result["outcomes"] == {"ok": result["calls"]}
    assert world.spent(session) == pytest.approx(BILL * result["calls"])


def test_a_worker_that_dies_among_the_answers_writes_none_twice(world: World) -> None:
    session = world.session()
    operation = world.start(session)
    world.run.dies_at_step = 3
    with pytest.raises(Died):
        world.work()
    half = world.written(session)
    world.tailwise.jobs.enqueue(operation)
    result = result_of(world.ended(operation))
    rows = world.written(session)
    assert 0 < len(half) < len(rows) == len({row.text for row in rows})
    assert world.created() == 1
    assert world.spent(session) == pytest.approx(BILL * result["calls"])


def test_what_was_errored_or_expired_is_handed_in_once_more(world: World) -> None:
    session = world.session()
    bad = {"-0-00001": errored(), "-0-00002": {"type": "expired"}}
    world.fake.fate = lambda key, params: bad.get(key[-8:]) or well(key, params)
    result = result_of(world.ended(world.start(session)))
    sizes = [len(batch.requests) for batch in world.fake.batches.values()]
    assert sizes == [result["calls"], 2]
    assert result["outcomes"] == {"ok": result["calls"]}
    assert result["answers"] == {"api_error": 1, "expired": 1, "succeeded": result["calls"]}
    assert result["dollars"] == pytest.approx(BILL * result["calls"])


def test_what_fails_twice_is_reported(world: World) -> None:
    session = world.session()
    world.fake.fate = lambda key, params: errored() if "00001" in key else well(key, params)
    result = result_of(world.ended(world.start(session)))
    assert result["outcomes"] == {"ok": result["calls"] - 1, "unavailable": 1}
    assert len(world.fake.batches) == 2


def test_what_would_fail_again_is_not_sent_again(world: World) -> None:
    session = world.session()
    final = errored("invalid_request_error")
    world.fake.fate = lambda key, params: final if "00001" in key else well(key, params)
    result = result_of(world.ended(world.start(session)))
    assert result["answers"] == {"invalid_request_error": 1, "succeeded": result["calls"] - 1}
    assert len(world.fake.batches) == 1


def test_a_batch_of_which_nothing_came_fails_the_operation(world: World) -> None:
    session = world.session()
    world.fake.fate = lambda _key, _params: {"type": "expired"}
    ended = world.ended(world.start(session))
    assert ended.error is not None
    assert (ended.state, ended.error["code"]) == ("failed", "upstream-unavailable")
    assert world.spent(session) == 0


def test_a_budget_takes_the_first_calls_that_fit(world: World) -> None:
    plan = world.tailwise.plan_generation(
        world.session(), GenerateRequest(generator=Choice(name="anthropic", options=OPTIONS))
    )
    session = world.session(budget=Budget(dollars=plan.dollars / plan.calls * 3.5))
    result = result_of(world.ended(world.start(session)))
    assert 0 < result["outcomes"]["ok"] < plan.calls
    assert result["outcomes"]["over_budget"] == 1
    assert (result["stopped"], world.created()) == ("budget-exceeded", 1)


def test_cancelling_stops_the_batch_and_keeps_what_was_finished(world: World) -> None:
    session = world.session()
    world.fake.released = False
    operation = world.start(session)

    def cancel(method: str, path: str) -> None:
        if method == "GET" and path.startswith("/v1/messages/batches/"):
            world.fake.before = lambda _method, _path: None
            world.tailwise.cancel_operation("ten_a", operation.id)

    world.fake.before = cancel
    ended = world.ended(operation)
    (batch,) = world.fake.batches.values()
    assert ended.error is not None
    assert (ended.state, batch.status) == ("cancelled", "ended")
    assert ended.error["extras"]["left"] == []
    assert len({row.seed_item_id for row in world.written(session)}) == len(world.fake.paid) > 0
    assert world.spent(session) == pytest.approx(BILL * len(world.fake.paid))


def test_progress_is_what_the_provider_counts(world: World) -> None:
    session = world.session()
    told: list[tuple[str, int]] = []
    jobs: Any = world.tailwise.jobs
    jobs._publish = lambda _id, progress: told.append((progress.phase, progress.done))
    result = result_of(world.ended(world.start(session)))
    assert ("wait", result["calls"]) in told


def test_a_generator_without_batches_refuses_the_mode(world: World) -> None:
    session = world.session()
    wish = GenerateRequest(generator=Choice(name="perturb", options={"mode": "batch"}))
    with pytest.raises(InvalidOption):
        world.tailwise.start_generate(session, wish, request_key=None)


# --- deletion ---------------------------------------------------------------------------


def deleted(world: World, session: Session) -> dict[str, Any]:
    current = world.tailwise.session("ten_a", session.id)
    operation = world.tailwise.delete_session(
        current, expected_revision=current.revision, request_key=None
    )
    return result_of(world.ended(operation))


def test_a_deleted_sessions_batches_are_erased_at_the_provider(world: World) -> None:
    session = world.session()
    batches = result_of(world.ended(world.start(session)))["batches"]
    assert deleted(world, session)["batches"] == {"erased": 1, "left": []}
    assert (world.fake.erased, world.fake.batches) == (batches, {})


def test_a_running_batch_is_stopped_and_then_erased(world: World) -> None:
    session = world.session()
    world.fake.released = False
    operation = world.start(session)
    world.fake.before = lambda method, path: _die_at(world, method, path)
    with pytest.raises(Died):
        world.work()
    world.fake.before = lambda _method, _path: None
    assert deleted(world, session)["batches"] == {"erased": 1, "left": []}
    assert len(world.fake.erased) == 1
    with world.tailwise.store.read() as tx:
        assert tx.operations.cancel_requested(operation.id)


def test_what_the_provider_refuses_is_named_and_erased_later(world: World) -> None:
    session = world.session()
    batches = result_of(world.ended(world.start(session)))["batches"]
    world.fake.before = lambda _method, _path: 529
    told = deleted(world, session)
    left = [{"batch": batches[0], "reason": "overloaded_error"}]
    assert told["batches"] == {"erased": 0, "left": left}
    assert world.written(session) == []
    world.fake.before = lambda _method, _path: None
    look_after(world, minutes=5)
    assert world.fake.erased == []
    look_after(world, minutes=15)
    assert world.fake.erased == batches
    with world.tailwise.store.read() as tx:
        assert tx.provider_batches.leaving(session.id) == []


def test_without_a_key_the_batches_are_named_and_our_own_data_goes(tmp_path: Path) -> None:
    with batches_server() as fake:
        with service(tmp_path / "data", fake) as world:
            session = world.session()
            batches = result_of(world.ended(world.start(session)))["batches"]
        with service(tmp_path / "data", fake, key="") as world:
            told = deleted(world, session)
            assert told["batches"]["left"] == [{"batch": batches[0], "reason": "no_key"}]
            assert world.written(session) == []
            with world.tailwise.store.read() as tx:
                (row,) = tx.provider_batches.leaving(session.id)
            assert row.calls == ()


def look_after(world: World, *, minutes: int) -> None:
    """A worker's upkeep, so many minutes from now."""

    class Later:
        def now(self) -> datetime:
            return SystemClock().now() + timedelta(minutes=minutes)

    tailwise = world.tailwise
    Pruning(store=tailwise.store, jobs=tailwise.jobs, clock=Later(), ids=tailwise.ids).look()
    world.work()


def test_the_loopback_speaks_the_protocol_of_the_sdk() -> None:
    assert {"do_GET", "do_POST", "do_DELETE"} <= set(vars(Handler))
