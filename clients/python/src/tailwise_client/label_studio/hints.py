"""Label Studio's webhook as a hint: whoever calls only wakes the next look earlier.

Nothing in a hint is believed or read beyond its length; polling says what is so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST_BYTES = 10_000_000
TIMEOUT_S = 10.0


class Hints:
    """Waits for the next look: the usual time, or until a hint comes, but no less than
    ``least_s`` seconds."""

    def __init__(self, *, every_s: float, least_s: float = 1.0) -> None:
        self._every_s = every_s
        self._least_s = min(least_s, every_s)
        self._rest = threading.Event()
        self._woken = threading.Event()

    def hint(self) -> None:
        """Something may have changed."""
        self._woken.set()

    def wait(self) -> None:
        """Until it is time to look again."""
        self._rest.wait(self._least_s)
        self._woken.wait(self._every_s - self._least_s)
        self._woken.clear()


@contextmanager
def listening(host: str, port: int, hints: Hints) -> Iterator[int]:
    """Take POSTs on ``host:port`` (0 = a free one, which is yielded) as hints."""
    server = ThreadingHTTPServer((host, port), _handler(hints))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hints: Hints) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_POST(self) -> None:
            told = self.headers.get("Content-Length", "")
            length = int(told) if told.isdecimal() else MOST_BYTES + 1
            taken = length <= MOST_BYTES
            if taken:
                self.rfile.read(length)
                hints.hint()
            self.send_response(204 if taken else 413)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quietly."""

    return Handler
