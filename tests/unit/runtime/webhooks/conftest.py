"""A service whose webhooks go to receivers on loopback, under a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.records import Event, LabelClass, Session, SessionSettings, Task
from core.rounds.deliver import Desk, deliver
from core.rounds.webhooks import NewEndpoint
from core.webhooks import Delivery, WebhookEndpoint
from runtime.clock import UlidIds
from runtime.deliveries import take
from runtime.settings import load_settings
from runtime.webhooks import WebhookVerbs, webhook_verbs
from tests.conftest import build_inline

TENANT = "ten_a"


@dataclass
class MovedClock:
    """Stands still until a test moves it."""

    at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(kw_only=True)
class Post:
    """Endpoints, events and deliveries of one session; ``turn`` sends what is due."""

    verbs: WebhookVerbs
    desk: Desk
    clock: MovedClock
    session: Session
    secrets: dict[str, str] = field(default_factory=dict)

    def endpoint(self, url: str, **wished: Any) -> str:
        endpoint, secret = self.verbs.create(TENANT, NewEndpoint(url=url, **wished), own=None)
        self.secrets[endpoint.id] = secret
        return endpoint.id

    def find(self, endpoint_id: str) -> WebhookEndpoint:
        return self.verbs.get(TENANT, endpoint_id)

    def announce(self, type: str = "items.added", **data: Any) -> Event:
        with self.desk.store.write() as tx:
            return tx.events.add(
                tenant_id=TENANT,
                session_id=self.session.id,
                type=type,
                data=data,
                now=self.clock.now(),
            )

    def turn(self) -> int:
        """How many deliveries were tried."""
        due = take(self.desk, limit=100)
        for each in due:
            deliver(each, desk=self.desk)
        return len(due)

    def deliveries(self, endpoint_id: str, state: str | None = None) -> Sequence[Delivery]:
        from core.records import Page

        return self.verbs.deliveries(TENANT, endpoint_id, Page(limit=500), state=state)

    def feed(self, *types: str) -> Sequence[Event]:
        with self.desk.store.read() as tx:
            return tx.events.list(self.session.id, after=0, limit=500, types=types)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def post(tmp_path: Path, clock: MovedClock) -> Iterator[Post]:
    service = build_inline(tmp_path / "data")
    session = Session(
        id=service.ids.new("ses"),
        tenant_id=TENANT,
        name="hooks",
        task=Task(classes=(LabelClass(id="a", name="A"), LabelClass(id="b", name="B"))),
        guidelines="",
        guidelines_version=1,
        settings=SessionSettings(),
        state="open",
        revision=1,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    with service.store.write() as tx:
        tx.access.ensure_tenant(TENANT, name="A", now=clock.now())
        tx.sessions.add(session)
    verbs = verbs_for(service, clock)
    yield Post(verbs=verbs, desk=verbs.desk(chance=lambda: 0.5), clock=clock, session=session)
    service.store.close()  # type: ignore[attr-defined]


def verbs_for(service: Any, clock: MovedClock) -> WebhookVerbs:
    """Loopback is allowed, which only the server's settings can do."""
    settings = load_settings(
        {"TAILWISE_DATA_DIR": str(service.settings.data_dir)},
        overrides={"webhook_allow": "127.0.0.0/8", "cursor_secret": "s" * 40},
    )
    return webhook_verbs(settings, store=service.store, clock=clock, ids=UlidIds())


@pytest.fixture
def outcomes() -> Callable[[Sequence[Delivery]], list[tuple[str, int]]]:
    return lambda rows: [(row.state, row.attempts) for row in rows]
