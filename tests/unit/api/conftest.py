"""A whole service behind the HTTP layer, and callers who send it requests."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from core.access import SCOPES, mint_key
from runtime.tailwise import Tailwise
from tests.conftest import build_inline

COUNTER = itertools.count(1)
TOPICS = ("garden", "kitchen", "harbour")


@dataclass(kw_only=True)
class Caller:
    """One API key sending requests; bodies are JSON unless they are bytes."""

    client: FlaskClient
    token: str
    key_id: str
    tenant_id: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(url, method=method, data=data, headers=sent)

    def get(self, url: str, **headers: str) -> TestResponse:
        return self.send("GET", url, **headers)

    def post(self, url: str, body: Any = None, **headers: str) -> TestResponse:
        """With an Idempotency-Key of its own unless the caller sets one (empty = none)."""
        headers.setdefault("Idempotency_Key", f"test-{next(COUNTER)}")
        given = {name: value for name, value in headers.items() if value}
        return self.send("POST", url, body, **given)

    def patch(self, url: str, body: Any, **headers: str) -> TestResponse:
        return self.send("PATCH", url, body, **headers)

    def delete(self, url: str, **headers: str) -> TestResponse:
        return self.send("DELETE", url, **headers)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tailwise]:
    """Real stores and verbs; operations run when they are submitted."""
    made = build_inline(
        tmp_path_factory.mktemp("api") / "data", cursor_secret="c" * 40, sign_ins_per_minute=0
    )
    yield made
    made.store.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def app(service: Tailwise) -> Flask:
    return create_app(service)  # type: ignore[arg-type]


@pytest.fixture
def tenant_id(service: Tailwise) -> str:
    """A tenant nobody else uses."""
    id = f"ten_{next(COUNTER)}"
    with service.store.write() as tx:
        tx.access.ensure_tenant(id, name=id, now=service.clock.now())
    return id


@pytest.fixture
def caller_with(service: Tailwise, app: Flask, tenant_id: str) -> Callable[..., Caller]:
    """Makes callers with chosen scopes, for this test's tenant unless told otherwise."""

    def make(
        *scopes: str,
        tenant: str = tenant_id,
        session_id: str | None = None,
        app: Flask = app,
    ) -> Caller:
        now = service.clock.now()
        minted = mint_key(
            tenant_id=tenant,
            name="test",
            scopes=scopes,
            session_id=session_id,
            ids=service.ids,
            now=now,
        )
        with service.store.write() as tx:
            tx.access.ensure_tenant(tenant, name=tenant, now=now)
            tx.access.add_key(minted.key)
        return Caller(
            client=app.test_client(),
            token=minted.token,
            key_id=minted.key.id,
            tenant_id=tenant,
        )

    return make


@pytest.fixture
def caller(caller_with: Callable[..., Caller]) -> Caller:
    """A key with every scope."""
    return caller_with(*SCOPES)


def session_document(**settings: Any) -> dict[str, Any]:
    """A small session whose labels come from gold and whose vectors come from hashes."""
    chosen = {"encoder": "hashing", "oracle": "gold", "batch_size": 6, **settings}
    labels = [{"id": topic, "name": topic.title()} for topic in TOPICS]
    return {"name": "topics", "task": {"labels": labels}, "settings": chosen}


def rows(count: int = 12, *, split: str = "pool") -> list[dict[str, Any]]:
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


@pytest.fixture
def session_url(caller: Caller) -> str:
    """A draft session."""
    response = caller.post("/v1/sessions", session_document())
    assert response.status_code == 201, response.json
    return str(response.headers["Location"])


@pytest.fixture
def pool_url(caller: Caller, session_url: str) -> str:
    """A session with a small indexed pool."""
    document = {"items": [*rows(18), *rows(6, split="test")]}
    response = caller.post(f"{session_url}/items", document)
    assert response.status_code == 200, response.json
    return session_url
