"""The shipped proxy configuration, in a real nginx before a real server: slow clients starve
nobody."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.e2e.running import Running, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HALF_OPEN = 200
THREADS = 4
GOOD_CLIENTS = 8
REQUESTS = 10
PATIENCE = 10.0


@contextmanager
def proxied(upstream: str, folder: Path) -> Iterator[int]:
    """nginx with the shipped file, its two upstreams being one server; the port it listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = upstream.removeprefix("http://")
    shipped = (ROOT / "deploy" / "nginx.conf").read_text()
    changed = shipped.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    changed = re.sub(r"server api-\d:8080;", f"server {address};", changed)
    changed = changed.replace("/tmp/nginx", f"{folder}/nginx")
    (folder / "nginx.conf").write_text(changed)
    user = "user root;" if os.geteuid() == 0 else ""
    nginx = subprocess.Popen(
        ["nginx", "-c", folder / "nginx.conf", "-g", f"daemon off; {user}", "-e", "stderr"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        nginx.terminate()
        nginx.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    with running(tmp_path_factory.mktemp("data") / "data", threads=THREADS) as started:
        yield started


def half_open(port: int, token: str, stack: ExitStack) -> None:
    """A client that announces a body and never sends the rest of it."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
    head = (
        "POST /v1/sessions HTTP/1.1\r\nHost: tailwise\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n"
    )
    client.sendall(head.encode() + b'{"name":')


def test_half_open_clients_do_not_keep_good_ones_waiting(server: Running, tmp_path: Path) -> None:
    answers: list[int] = []

    def good(url: str) -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            asked = (client.get("/v1/sessions", timeout=PATIENCE) for _ in range(REQUESTS))
            answers.extend(answer.status_code for answer in asked)

    with proxied(server.url, tmp_path) as port, ExitStack() as stack:
        for _ in range(HALF_OPEN):
            half_open(port, server.token, stack)
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
