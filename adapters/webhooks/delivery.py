"""One attempt at a webhook: to the checked address, in fifteen seconds, reading little."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpcore2
import httpx2

from adapters.deadline import Deadline, DeadlineBackend
from adapters.webhooks.address_guard import AddressRefused, Target, WebhookGuard
from core.errors import InvalidInput
from core.ports import Clock
from core.webhooks import Outcome

SECONDS: Final = 15.0
MOST_READ: Final = 65_536
AGENT: Final = "tailwise-webhooks"
ASK_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
ERRORS: Final = {
    httpcore2.ConnectTimeout: "timeout",
    httpcore2.ReadTimeout: "timeout",
    httpcore2.WriteTimeout: "timeout",
    httpcore2.ConnectError: "not-connected",
    httpcore2.ReadError: "connection-lost",
    httpcore2.WriteError: "connection-lost",
    httpcore2.RemoteProtocolError: "not-http",
    httpcore2.LocalProtocolError: "not-http",
}


class HttpCourier:
    """Posts to URLs that the guard lets through; no proxy, no redirects, no cookies.

    ``monotonic`` gives seconds; ``clock`` is for receivers that name a date to come back.
    """

    def __init__(
        self,
        *,
        guard: WebhookGuard,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        ssl_context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._monotonic = monotonic
        self._ssl = ssl_context or httpx2.create_ssl_context(trust_env=False)
        self._seconds = seconds

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Outcome:
        """The status is all that is kept: what the receiver wrote is read little, and dropped."""
        deadline = Deadline(clock=self._monotonic, at=self._monotonic() + self._seconds)
        try:
            target = self._guard.target(url)
            addresses = self._guard.addresses(target)
        except InvalidInput as error:
            return Outcome(error=error.code)
        except AddressRefused as error:
            return Outcome(error=error.code)
        backend = DeadlineBackend(deadline, addresses=lambda _host, _port: addresses)
        request = _request(target, headers, body)
        try:
            with httpcore2.ConnectionPool(
                ssl_context=self._ssl, max_keepalive_connections=0, network_backend=backend
            ) as pool:
                return self._answer(pool.handle_request(request))
        except tuple(ERRORS) as error:
            return Outcome(error=ERRORS[type(error)])

    def _answer(self, answer: httpcore2.Response) -> Outcome:
        """The status counts, however the rest of the answer goes."""
        headers = {name.lower(): value for name, value in answer.headers}
        outcome = Outcome(
            status=answer.status,
            retry_after=self._retry_after(headers.get(b"retry-after", b""))
            if answer.status in ASK_LATER
            else None,
        )
        left = MOST_READ
        with suppress(*ERRORS):
            for chunk in answer.iter_stream():
                left -= len(chunk)
                if left <= 0:
                    break
        answer.close()
        return outcome

    def _retry_after(self, value: bytes) -> float | None:
        """Seconds from now; the header is a number of them or a date."""
        text = value.decode("ascii", "replace").strip()
        if text.isdecimal():
            return float(text[:9])
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - self._clock.now()).total_seconds())


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> httpcore2.Request:
    """Made of the parts that were checked, so that no second reading of the URL counts."""
    sent = {
        "Host": target.authority,
        "User-Agent": AGENT,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    return httpcore2.Request(
        method="POST",
        url=httpcore2.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path
        ),
        headers=list(sent.items()),
        content=body,
        extensions={"timeout": {}},
    )
