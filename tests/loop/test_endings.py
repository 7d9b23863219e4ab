"""A worker that dies after an operation's effects, but before it could say that it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.jobs.inline import InlineJobs
from core.ports import Job
from core.records import Operation, Page, Session
from core.requests import GenerateRequest, RetrainRequest, SelectRequest
from runtime.execution import execute
from runtime.settings import load_settings
from runtime.tailwise import Tailwise
from runtime.tasks import TASKS
from runtime.wiring import build
from tests.corpus import items, new_session

ALL = Page(limit=10_000)


class Died(BaseException):
    """The process is gone; nothing catches this."""


class DyingOnce:
    """Runs operations; each of the given kinds dies once, with its verb done."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = set(kinds)
        self.tailwise: Tailwise | None = None
        self.deaths = 0

    def __call__(self, operation_id: str, job: Job) -> None:
        assert self.tailwise is not None
        with self.tailwise.store.write() as tx:
            operation = tx.operations.start(operation_id, now=self.tailwise.clock.now())
        if operation.kind in self._kinds:
            self._kinds.remove(operation.kind)
            TASKS[operation.kind](self.tailwise, operation, job)
            self.deaths += 1
            raise Died
        execute(operation_id, job, services=self.tailwise)


def service(folder: Path, run: DyingOnce) -> Tailwise:
    """A service whose operations wait for ``finished``."""
    from adapters.store.migrate import upgrade
    from adapters.store.store import open_store

    folder.mkdir()
    settings = load_settings({"TAILWISE_DATA_DIR": str(folder)})
    store = open_store(settings.database_url)
    upgrade(store.engine)
    store.close()
    run.tailwise = build(settings, role="inline", jobs=InlineJobs(run, deferred=True))
    with run.tailwise.store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=run.tailwise.clock.now())
    return run.tailwise


def finished(tailwise: Tailwise, operation: Operation) -> Operation:
    """The operation as it ended, whoever died on the way."""
    for _ in range(3):
        try:
            tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
        except Died:
            tailwise.jobs.enqueue(operation)
    return tailwise.wait("ten_a", operation.id, seconds=0)


def story(tailwise: Tailwise) -> dict[str, Any]:
    """Every operation whose effects are rows; what is stored in the end, without ids."""
    session = tailwise.create_session("ten_a", new_session(review="screened"))
    added = tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    assert added.operation is not None
    ended = [finished(tailwise, added.operation)]
    session = tailwise.session("ten_a", session.id)
    batch = tailwise.select(session, SelectRequest(size=30), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    written = tailwise.start_generate(session, GenerateRequest(), request_key=None)
    ended.append(finished(tailwise, written))
    wish = RetrainRequest(activate="manual")
    ended.append(finished(tailwise, tailwise.start_retrain(session, wish, request_key=None)))
    with tailwise.store.read() as tx:
        model = tx.models.all(session.id)[-1]
    activation = tailwise.start_activate(
        session, model.id, expected_revision=model.revision, request_key=None
    )
    ended.append(finished(tailwise, activation))
    return {"results": [plain(o.result or {}) for o in ended], **stored(tailwise, session)} | {
        "states": [(o.kind, o.state, (o.error or {}).get("code")) for o in ended]
    }


def stored(tailwise: Tailwise, session: Session) -> dict[str, Any]:
    with tailwise.store.read() as tx:
        index = tx.indexes.latest(session.id)
        assert index is not None
        return {
            "index": (index.sequence, index.shards),
            "written": [(g.text, g.state) for g in tx.generations.list(session.id, ALL)],
            "models": [(m.version, m.state, m.onnx, m.revision) for m in tx.models.all(session.id)],
            "events": [
                (e.type, plain(e.data)) for e in tx.events.list(session.id, after=0, limit=1000)
            ],
        }


def plain(document: Any) -> dict[str, Any]:
    return {k: v for k, v in document.items() if not k.endswith("_id")}


@pytest.mark.parametrize("kind", ["index", "generate", "retrain", "activate"])
def test_dying_between_the_effects_and_the_ending_changes_nothing(
    kind: str, tmp_path: Path
) -> None:
    stories = []
    for name, run in (("calm", DyingOnce()), ("dying", DyingOnce(kind))):
        tailwise = service(tmp_path / name, run)
        stories.append(story(tailwise))
        tailwise.store.close()  # type: ignore[attr-defined]
        assert run.deaths == (name == "dying")
    assert stories[1] == stories[0]
