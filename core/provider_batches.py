"""The words of calls that are handed in together at a provider and fetched later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from core.generation import GenerationResult
from core.records import Options

HandInState: TypeAlias = Literal["sending", "sent", "read", "leaving"]
"""sending: about to be sent, or sent without an answer; sent: the provider named it; read:
its answers were fetched and paid for; leaving: its session is deleted, it must go too."""

PROVIDER_KEEPS: Final = timedelta(days=29)
"""How long a provider keeps answers by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedCall:
    """One call of a batch: what its answer must be read with, ids and numbers only.

    ``seed_number`` is the seed's place in the operation, ``chance`` the request's seed.
    """

    seed_number: int
    item_id: str
    example_ids: tuple[str, ...]
    contrast: str | None
    attributes: tuple[str, ...]
    chance: int
    prompt_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A batch as we remember it, written before it is sent.

    ``wave`` is 0 for the first sending and 1 for what is sent once more. ``size`` calls
    were or would be in it; ``cost_id`` is the ledger row that holds its money. ``sent_at``
    is when the last try to send it began, ``tries`` and ``next_at`` are of erasing it.
    """

    id: str
    tenant_id: str
    session_id: str
    operation_id: str
    wave: int
    state: HandInState
    generator: str
    provider_id: str | None
    size: int
    cost_id: str
    template_version: int
    calls: tuple[HandedCall, ...]
    sent_at: datetime
    tries: int = 0
    next_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """How the custom ids of its calls begin; no other batch's do."""
        return f"{self.id.partition('_')[2]}-{self.wave}-"

    def custom_id(self, seed_number: int) -> str:
        return f"{self.prefix}{seed_number:05d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """A batch's calls by what became of them; all are ``processing`` until each is done."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch as its provider shows it."""

    id: str
    ended: bool
    counts: BatchCounts
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Calls ready to be sent: per custom id the request body, the prompt's hash and the
    worst it could cost, in dollars."""

    bodies: Mapping[str, Options] = field(repr=False)
    prompts: Mapping[str, str]
    dollars: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of one call of a batch; ``again``: it may fare better in another one."""

    result: GenerationResult
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: the pauses between looks grow from ``poll_s`` to ``poll_most_s``; a batch
    whose sending was cut off is not sent again before ``settle_s`` have passed."""

    poll_s: float = 10.0
    poll_most_s: float = 300.0
    settle_s: float = 120.0

    def pauses(self) -> Sequence[float]:
        """The growing ones; the last one repeats."""
        found = [self.poll_s]
        while found[-1] < self.poll_most_s:
            found.append(min(self.poll_most_s, found[-1] * 1.5))
        return found
