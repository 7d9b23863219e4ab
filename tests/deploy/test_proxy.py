"""The shipped proxy configuration, in a real nginx before a real server: slow clients starve
nobody."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from benchmarks.performance.proxy import SLOW, proxied, slow_clients
from tests.e2e.running import Running, running

pytestmark = pytest.mark.slow

THREADS = 4
GOOD_CLIENTS = 8
REQUESTS = 10
PATIENCE = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    with running(tmp_path_factory.mktemp("data") / "data", threads=THREADS) as started:
        yield started


def test_half_open_clients_do_not_keep_good_ones_waiting(server: Running, tmp_path: Path) -> None:
    answers: list[int] = []

    def good(url: str) -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            asked = (client.get("/v1/sessions", timeout=PATIENCE) for _ in range(REQUESTS))
            answers.extend(answer.status_code for answer in asked)

    with proxied(server.url, tmp_path) as port, slow_clients(port, server.token) as held:
        assert held() == SLOW
        url = f"http://127.0.0.1:{port}"
        clients = [threading.Thread(target=good, args=(url,)) for _ in range(GOOD_CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert answers == [200] * GOOD_CLIENTS * REQUESTS


def test_an_import_passes_the_proxy(server: Running, tmp_path: Path) -> None:
    caller = server.caller()
    task = {"labels": [{"id": "a"}, {"id": "b"}]}
    session = caller.made("/v1/sessions", {"name": "proxied", "task": task})
    rows = "text\n" + "\n".join(f"row {number}" for number in range(2_000))
    headers = {
        "Authorization": f"Bearer {server.token}",
        "Content-Type": "text/csv",
        "Idempotency-Key": "import",
    }
    with proxied(server.url, tmp_path) as port:
        url = f"http://127.0.0.1:{port}/v1/sessions/{session['id']}/imports"
        answer = httpx.post(url, content=rows.encode(), headers=headers, trust_env=False)
    assert answer.status_code == 202, answer.text
    assert caller.ended(answer.json())["result"]["created"] == 2_000
