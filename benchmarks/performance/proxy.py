"""What good clients wait for behind the shipped proxy, with and without 200 slow ones beside."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx2

from benchmarks.performance.serving import key, prepared, serving
from benchmarks.performance.table import Row
from runtime.settings import load_settings

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
SLOW, GOOD, PROCESSES = 200, 8, 2
THINKING = 0.05
SECONDS = 20.0
SETTLING = 2.0
DRIP_SECONDS = 1.0
PATH = "/v1/sessions"
OK = 200
Drip = Callable[[socket.socket], object]


def run() -> list[Row]:
    """Median and 99 % of a small read through nginx; nothing where nginx is not installed."""
    if shutil.which("nginx") is None:
        print("proxy: nginx is not installed, so its rows are left out", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {
                "TAILWISE_DATA_DIR": f"{folder}/data",
                "TAILWISE_METRICS_PORT": "0",
                "TAILWISE_WEB_PROCESSES": str(PROCESSES),
                "TAILWISE_REQUESTS_PER_MINUTE": "0",
            }
        )
        _, token = key(prepared(settings), {"read"})
        with serving(settings) as url, proxied(url, Path(folder)) as port:
            _ask(port, token, seconds=SETTLING)
            alone = _ask(port, token, seconds=SECONDS)
            with slow_clients(port, token) as held:
                beside = _ask(port, token, seconds=SECONDS)
                still = held()
    # Slow heads are cut off after ten seconds and come again within one, maybe just now.
    assert still >= SLOW // 2, f"only {still} slow clients were held"
    return _rows(alone, beside)


@contextmanager
def proxied(upstream: str, folder: Path) -> Iterator[int]:
    """A real nginx with the shipped file, its two upstreams one server; the port it listens on."""
    port = _free_port()
    changed = SHIPPED.read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    changed = re.sub(r"server api-\d:8080;", f"server {upstream.partition('//')[2]};", changed)
    (folder / "nginx.conf").write_text(changed.replace("/tmp/nginx", f"{folder}/nginx"))
    user = "user root;" if os.geteuid() == 0 else ""
    nginx = subprocess.Popen(
        ["nginx", "-c", folder / "nginx.conf", "-g", f"daemon off; {user}", "-e", "stderr"],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        nginx.terminate()
        nginx.wait(10)


@contextmanager
def slow_clients(port: int, token: str, *, count: int = SLOW) -> Iterator[Callable[[], int]]:
    """Half send their head a byte a second, half their body; whoever is cut off comes again.

    Yields a function that counts how many of them the proxy holds now.
    """
    request = _slow_request(token)
    body_begins = request.index(b"\r\n\r\n") + 4
    begins = [len("POST") if n % 2 else body_begins for n in range(count)]
    clients = [_SlowClient(port, request, sent_at_once=begin) for begin in begins]
    over = threading.Event()

    def drip() -> None:
        while not over.wait(DRIP_SECONDS):
            for client in clients:
                client.send_one()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield lambda: sum(client.held for client in clients)
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


class _SlowClient:
    """One connection whose request never ends."""

    def __init__(self, port: int, request: bytes, *, sent_at_once: int) -> None:
        self._port, self._request, self._begin = port, request, sent_at_once
        self._open()

    @property
    def held(self) -> bool:
        """Whether the proxy has neither answered nor hung up."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def send_one(self) -> None:
        """One more byte, on a new connection where this one is over."""
        if not self.held:
            self.close()
            self._open()
        self._socket.send(self._request[self._sent : self._sent + 1])
        self._sent += 1

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.sendall(self._request[: self._begin])
        self._sent = self._begin


def _slow_request(token: str) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: tailwise\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nX-Padding: {'x' * 1_000}\r\nContent-Length: 2000\r\n\r\n"
    )
    return head.encode() + b" " * 2_000


def _ask(port: int, token: str, *, seconds: float) -> list[float]:
    """Seconds of each request of the good clients, who pause for a moment after each."""
    waits: list[float] = []
    until = time.monotonic() + seconds

    def good() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{port}"
        with httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            while time.monotonic() < until:
                start = time.perf_counter()
                answer = client.get(PATH)
                waits.append(time.perf_counter() - start)
                assert answer.status_code == OK, answer.status_code
                time.sleep(THINKING)

    threads = [threading.Thread(target=good) for _ in range(GOOD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def _rows(alone: list[float], beside: list[float]) -> list[Row]:
    note = f"{GOOD} good clients, {len(beside)} reads; reference: without the slow ones"
    figures = [
        ("median", median(alone), median(beside), ""),
        ("99 %", quantiles(alone, n=100)[-1], quantiles(beside, n=100)[-1], "≤ 0.25 s"),
    ]
    return [
        Row(
            name=f"a read through nginx beside {SLOW} slow clients, {name}",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target=target,
            note=note,
        )
        for name, reference, ours, target in figures
    ]


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(100):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    message = f"nginx does not listen on port {port}"
    raise RuntimeError(message)
