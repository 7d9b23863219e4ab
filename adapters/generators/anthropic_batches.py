"""Batches of the Anthropic Message Batches API: sent, looked at, read, stopped and erased."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import anthropic
import httpx2

from adapters.deadline import Deadline
from adapters.generators.anthropic_messages import PUBLIC_URL, client_of
from adapters.generators.anthropic_trouble import trouble_of
from adapters.generators.batch_answers import custom_id_of
from adapters.generators.trouble import Trouble, transport_trouble
from core.errors import ProviderTrouble
from core.provider_batches import BatchCounts, BatchView, Parcel

if TYPE_CHECKING:
    from anthropic.types.messages import MessageBatch
    from anthropic.types.messages.batch_create_params import Request

CARRY_S: Final = 600.0
"""Seconds for a whole sending or reading; a batch may weigh 256 MB."""

MAX_SMALL_BYTES: Final = 4_000_000
MAX_BYTES_PER_ANSWER: Final = 200_000
PAGE: Final = 100
NOT_FOUND: Final = 404


@dataclass(kw_only=True)
class AnthropicBatches:
    """``timeout_s`` bounds one small request, and every silence of a large one.

    ``clock`` is monotonic seconds. It holds no connection between calls; threads may
    share it.
    """

    api_key: str = field(repr=False)
    base_url: str | None = None
    timeout_s: float = 30.0
    clock: Callable[[], float] = time.monotonic

    def create(self, parcel: Parcel) -> BatchView:
        requests = [
            cast("Request", {"custom_id": custom_id, "params": body})
            for custom_id, body in parcel.bodies.items()
        ]
        with self._client(seconds=CARRY_S) as client, _sorted():
            return _view(client.messages.batches.create(requests=requests))

    def look(self, batch_id: str) -> BatchView:
        with self._client() as client, _sorted():
            return _view(client.messages.batches.retrieve(batch_id))

    def recent(self, *, since: datetime) -> Iterator[BatchView]:
        """Newest first, page after page, until one is older."""
        with self._client(seconds=CARRY_S) as client, _sorted():
            for batch in client.messages.batches.list(limit=PAGE):
                if batch.created_at < since:
                    return
                yield _view(batch)

    def mark(self, batch_id: str) -> str | None:
        with self.lines(batch_id, size=1) as lines:
            return next((found for line in lines if (found := custom_id_of(line))), None)

    def stop(self, batch_id: str) -> None:
        with self._client() as client, _sorted():
            client.messages.batches.cancel(batch_id)

    def erase(self, batch_id: str) -> None:
        with self._client() as client, _sorted():
            client.messages.batches.delete(batch_id)

    @contextmanager
    def lines(self, batch_id: str, *, size: int) -> Iterator[Iterator[str]]:
        """The raw lines of an ended batch of that many calls, in the provider's order."""
        most = MAX_SMALL_BYTES + size * MAX_BYTES_PER_ANSWER
        with self._client(seconds=CARRY_S, max_bytes=most) as client, _sorted():
            self._require_home(client.messages.batches.retrieve(batch_id))
            reading = client.messages.batches.with_streaming_response.results(batch_id)
            with reading as response:
                yield response.iter_lines()

    def _require_home(self, batch: MessageBatch) -> None:
        """The provider says where answers lie, and the key is sent there: only to our own."""
        if not batch.results_url:
            raise ProviderTrouble("no_results", passing=False)
        own, there = httpx2.URL(self.base_url or PUBLIC_URL), httpx2.URL(batch.results_url)
        if (own.scheme, own.host, own.port) != (there.scheme, there.host, there.port):
            raise ProviderTrouble("foreign_results_url", passing=False)

    def _client(
        self, *, seconds: float | None = None, max_bytes: int = MAX_SMALL_BYTES
    ) -> anthropic.Anthropic:
        deadline = Deadline(clock=self.clock, at=self.clock() + (seconds or self.timeout_s))
        return client_of(
            api_key=self.api_key,
            base_url=self.base_url,
            deadline=deadline,
            timeout_s=self.timeout_s,
            max_bytes=max_bytes,
            ssl_context=self._ssl_context,
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()


@contextmanager
def _sorted() -> Iterator[None]:
    """What goes wrong becomes ProviderTrouble; none of it quotes what was sent."""
    try:
        yield
    except anthropic.APIError as error:
        status = getattr(error, "status_code", None)
        raise _named(trouble_of(error), gone=status == NOT_FOUND) from None
    except httpx2.TransportError as error:
        timed_out = isinstance(error, httpx2.TimeoutException)
        raise _named(transport_trouble(error, timed_out=timed_out)) from None
    except (anthropic.AnthropicError, AttributeError, TypeError, ValueError):
        # The SDK believes what it is sent: an answer of another shape breaks on use.
        raise ProviderTrouble("malformed_answer", passing=True, unsure=True) from None


def _named(trouble: Trouble, *, gone: bool = False) -> ProviderTrouble:
    return ProviderTrouble(
        trouble.category, passing=trouble.retryable, gone=gone, unsure=trouble.billable
    )


def _view(batch: MessageBatch) -> BatchView:
    counts: Any = batch.request_counts
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return BatchView(
        id=_word(batch.id),
        ended=batch.processing_status == "ended",
        counts=BatchCounts(**{name: int(getattr(counts, name)) for name in names}),
        created_at=batch.created_at,
    )


def _word(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:  # noqa: PLR2004 -- an id
        raise TypeError
    return value
