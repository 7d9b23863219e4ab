"""A small HTTP client of the service: keys, waiting, and refusals in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from benchmarks.demo.options import DemoRefused

Document = dict[str, Any]
Watch = Callable[[Document], None]

WAIT_SECONDS = 2
PAGE_ROWS = 500
TIMEOUT = httpx2.Timeout(120.0, connect=10.0)


class ServiceRefusal(DemoRefused):
    """The service answered with a problem document; ``code`` is its stable slug."""

    def __init__(self, what: str, problem: Mapping[str, Any], *, status: int) -> None:
        self.code = str(problem.get("code", "unknown"))
        detail = problem.get("detail") or problem.get("title") or "no detail"
        super().__init__(f"{what} was refused ({status} {self.code}): {detail}")


class DemoClient:
    """Speaks to one server with one key; every POST carries an idempotency key."""

    def __init__(
        self, url: str, key: str, *, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Document:
        """A document; raises ServiceRefusal."""
        return self._document(self._send("GET", path, params=params), f"GET {path}")

    def post(self, path: str, document: Mapping[str, Any] | None = None) -> Document:
        """The answer's document, {} where it has none; raises ServiceRefusal."""
        headers = {"Idempotency-Key": uuid4().hex}
        answer = self._send("POST", path, json=dict(document or {}), headers=headers)
        return self._document(answer, f"POST {path}")

    def upload(
        self, path: str, file: Path, *, media_type: str, gzip: bool, params: Mapping[str, Any]
    ) -> Document:
        """Stream a file; the answer is an operation."""
        headers = {"Idempotency-Key": uuid4().hex, "Content-Type": media_type}
        headers["Content-Length"] = str(file.stat().st_size)
        if gzip:
            headers["Content-Encoding"] = "gzip"
        with file.open("rb") as stream:
            answer = self._send("POST", path, content=stream, headers=headers, params=params)
        return self._document(answer, f"POST {path}")

    def rows(self, path: str, **params: Any) -> Iterator[Document]:
        """Every row of a listing, page by page."""
        cursor: str | None = None
        while True:
            asked = {**params, "limit": PAGE_ROWS} | ({"cursor": cursor} if cursor else {})
            page = self.get(path, **asked)
            rows: Sequence[Document] = page["data"]
            yield from rows
            cursor = page.get("next_cursor")
            if not page.get("has_more") or not cursor:
                return

    def finished(self, operation: Document, *, watch: Watch | None = None) -> Document:
        """The operation once it has ended, by long polling; ``watch`` sees each answer.

        Raises DemoRefused where it did not succeed.
        """
        while not operation["done"]:
            operation = self.get(f"/v1/operations/{operation['id']}", wait=WAIT_SECONDS)
            if watch is not None:
                watch(operation)
        if operation["state"] != "succeeded":
            error = operation.get("error") or {}
            why = error.get("detail") or error.get("code") or "no reason given"
            raise DemoRefused(f"the {operation['kind']} operation {operation['state']}: {why}")
        return operation

    def _send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx2.TransportError as error:
            raise DemoRefused(
                f"the server does not answer {method} {path}: {type(error).__name__}"
            ) from None

    @staticmethod
    def _document(answer: httpx2.Response, what: str) -> Document:
        is_json = "json" in answer.headers.get("Content-Type", "")
        document = answer.json() if is_json and answer.content else {}
        if not answer.is_success:
            raise ServiceRefusal(what, document, status=answer.status_code)
        found: Document = document
        return found
