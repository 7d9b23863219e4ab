"""The client against the real service, behind a real HTTP server in a thread."""

from __future__ import annotations

import asyncio
import csv
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from api.app import create_app
from benchmarks.demo.bundled import MESSAGES
from core.access import SCOPES, mint_key
from runtime.tailwise import Tailwise as Service
from tailwise_client import AsyncTailwise, Tailwise
from tests.conftest import build_inline
from tests.sdk.scripted import Scripted, scripted

TOPICS = ("garden", "kitchen", "harbour")
CLASSES = ("self-harm", "medical", "legal", "financial", "emergency", "no-harm")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A service that listens; ``key`` may do everything."""

    url: str
    key: str
    service: Service

    def key_with(self, *scopes: str, tenant: str = "ten_sdk") -> str:
        """Another key."""
        now = self.service.clock.now()
        minted = mint_key(
            tenant_id=tenant,
            name="sdk",
            scopes=scopes,
            session_id=None,
            ids=self.service.ids,
            now=now,
        )
        with self.service.store.write() as tx:
            tx.access.ensure_tenant(tenant, name=tenant, now=now)
            tx.access.add_key(minted.key)
        return minted.token


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    service = build_inline(
        tmp_path_factory.mktemp("sdk") / "data",
        cursor_secret="c" * 40,
        requests_per_minute=0,
        webhook_allow="127.0.0.0/8",
    )
    server = make_server("127.0.0.1", 0, create_app(service), threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    found = Served(url=url, key="", service=service)
    yield Served(url=url, key=found.key_with(*SCOPES), service=service)
    server.shutdown()
    thread.join()
    server.server_close()
    service.store.close()  # type: ignore[attr-defined]


class Unawaited:
    """An asynchronous client whose methods wait for their results, for tests of both."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._settle(found(*args, **kwargs))

        return call

    def __enter__(self) -> Any:
        return self._settle(self._client.__aenter__())

    def __exit__(self, *error: object) -> None:
        self._settle(self._client.__aexit__(*error))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._client)

    def __len__(self) -> int:
        return len(self._client)

    def _settle(self, found: Any) -> Any:
        if inspect.isawaitable(found):
            found = self._loop.run_until_complete(found)  # type: ignore[arg-type]
        if isinstance(found, AsyncIterator):
            return self._each(found)
        if type(found).__module__ == "tailwise_client.session" or hasattr(found, "__aenter__"):
            return Unawaited(found, self._loop)
        return found

    def _each(self, rows: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._loop.run_until_complete(anext(rows))  # type: ignore[arg-type]
            except StopAsyncIteration:
                return


Connect = Callable[..., Any]


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes clients of either kind, which are used alike and closed afterwards."""
    if request.param == "blocking":
        made: list[Tailwise] = []

        def blocking(url: str, key: str, **options: Any) -> Tailwise:
            made.append(Tailwise(url, key, **options))
            return made[-1]

        yield blocking
        for client in made:
            client.close()
        return
    loop = asyncio.new_event_loop()
    others: list[AsyncTailwise] = []

    def awaiting(url: str, key: str, **options: Any) -> Unawaited:
        if "sleep" in options:
            options["sleep"] = _asleep(options["sleep"])
        others.append(AsyncTailwise(url, key, **options))
        return Unawaited(others[-1], loop)

    yield awaiting
    for client in others:
        loop.run_until_complete(client.close())
    loop.close()


def _asleep(sleep: Callable[[float], None]) -> Callable[[float], Any]:
    async def asleep(seconds: float) -> None:
        sleep(seconds)

    return asleep


@pytest.fixture
def tailwise(connect: Connect, served: Served) -> Any:
    """A client with every scope."""
    return connect(served.url, served.key)


@pytest.fixture
def session(tailwise: Any) -> Any:
    """An empty session that people label, with vectors made of hashes."""
    return tailwise.create_session("topics", labels=TOPICS, settings=SETTINGS)


@pytest.fixture
def observer(served: Served) -> Iterator[Tailwise]:
    """A blocking client for what happens meanwhile, with a key of its own."""
    with Tailwise(served.url, served.key_with(*SCOPES)) as client:
        yield client


SETTINGS = {"encoder": "hashing", "batch_size": 6, "generator": "perturb", "min_distance": 0}


def rows(count: int = 18, *, split: str = "pool") -> list[dict[str, Any]]:
    """Texts on three topics, with gold."""
    return [
        {
            "external_id": f"{split}-{n}",
            "text": f"a note on the {TOPICS[n % 3]}, number {n} {split}",
            "gold": TOPICS[n % 3],
            "split": split,
        }
        for n in range(count)
    ]


def topic_of(item: Any) -> str:
    """An annotator who reads."""
    return next(topic for topic in TOPICS if topic in item.text)


@pytest.fixture(scope="session")
def messages() -> list[dict[str, str]]:
    """The bundled corpus: rows of id, text, label and split."""
    with MESSAGES.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def loopback() -> Iterator[Scripted]:
    """A server that answers as a test tells it."""
    with scripted() as server:
        yield server


@pytest.fixture
def corpus_file() -> Path:
    return MESSAGES
