"""Batches of a deleted session are erased at their provider too, now or later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core.errors import ProviderTrouble
from core.found_again import search
from core.ports import BatchCounter, Clock, Job, Store
from core.provider_batches import PROVIDER_KEEPS, HandedIn

FIRST_RETRY: Final = timedelta(minutes=10)
LAST_RETRY: Final = timedelta(hours=24)
SETTLED: Final = timedelta(minutes=10)
"""A sending that was cut off reaches the provider within this time or not at all."""

STOPPING_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses while a stopped batch ends; one that takes longer is left for the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """``counter_for`` a generator's name; None where there is no key for it."""

    counter_for: Callable[[str], BatchCounter | None]
    store: Store
    clock: Clock
    pause: Callable[[float], None]


def erase_left(session_id: str, *, eraser: Eraser, job: Job) -> dict[str, object]:
    """Try every batch that a deleted session left; {"erased": n, "left": [{"batch", "reason"}]}.

    ``batch`` is the provider's id, None where a sending was cut off and no batch of ours was
    found yet. What is left is due again after 10 minutes, then ever later, daily in the end.
    """
    with eraser.store.read() as tx:
        rows = tx.provider_batches.leaving(session_id)
    left: list[dict[str, object]] = []
    for row in rows:
        try:
            row = _named(row, eraser=eraser)  # noqa: PLW2901 -- the same batch, known better
            _erase(row, eraser=eraser, job=job)
        except ProviderTrouble as error:
            if not error.gone and eraser.clock.now() < row.sent_at + PROVIDER_KEEPS:
                _put_off(row, eraser=eraser)
                left.append({"batch": row.provider_id, "reason": error.category})
                continue
        with eraser.store.write() as tx:
            tx.provider_batches.remove(row.id)
    return {"erased": len(rows) - len(left), "left": left}


def _counter(row: HandedIn, *, eraser: Eraser) -> BatchCounter:
    counter = eraser.counter_for(row.generator)
    if counter is None:
        raise ProviderTrouble("no_key", passing=True)
    return counter


def _named(row: HandedIn, *, eraser: Eraser) -> HandedIn:
    """The row with the provider's id; raises ProviderTrouble, ``gone`` where it was never sent."""
    if row.provider_id is not None:
        return row
    found, sure = search(row, counter=_counter(row, eraser=eraser), store=eraser.store)
    if found is not None:
        return replace(row, provider_id=found)
    never = sure and eraser.clock.now() >= row.sent_at + SETTLED
    raise ProviderTrouble("not_found_yet", passing=True, gone=never)


def _erase(row: HandedIn, *, eraser: Eraser, job: Job) -> None:
    counter, batch_id = _counter(row, eraser=eraser), row.provider_id or ""
    if not counter.look(batch_id).ended:
        counter.stop(batch_id)
        _await_end(batch_id, counter=counter, eraser=eraser, job=job)
    counter.erase(batch_id)


def _await_end(batch_id: str, *, counter: BatchCounter, eraser: Eraser, job: Job) -> None:
    for seconds in STOPPING_S:
        if counter.look(batch_id).ended:
            return
        eraser.pause(seconds)
        job.check()
    raise ProviderTrouble("still_running", passing=True)


def _put_off(row: HandedIn, *, eraser: Eraser) -> None:
    wait = min(LAST_RETRY, FIRST_RETRY * 2 ** min(row.tries, 10))
    later = replace(row, tries=row.tries + 1, next_at=eraser.clock.now() + wait)
    with eraser.store.write() as tx:
        tx.provider_batches.save(later)


def due_sessions(*, store: Store, clock: Clock) -> list[tuple[str, str]]:
    """(tenant id, session id) of deleted sessions with batches to try again now."""
    with store.read() as tx:
        rows = tx.provider_batches.due(now=clock.now())
    return list(dict.fromkeys((row.tenant_id, row.session_id) for row in rows))
