"""Finding a batch again whose sending was cut off before the provider could name it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.errors import ProviderTrouble
from core.ports import BatchCounter, Store
from core.provider_batches import BatchView, HandedIn

CLOCKS_DIFFER: Final = timedelta(hours=1)
"""By how much our clock may be ahead of the provider's when a batch is looked for."""


def search(row: HandedIn, *, counter: BatchCounter, store: Store) -> tuple[str | None, bool]:
    """(the provider's id, whether that answer is final): a batch of the same size that still
    runs may be ours, and shows its custom ids only when it has ended."""
    recent = counter.recent(since=row.sent_at - CLOCKS_DIFFER)
    views = [view for view in recent if view.counts.total == row.size]
    with store.read() as tx:
        taken = tx.provider_batches.taken([view.id for view in views])
    others = [view for view in views if view.id not in taken]
    for view in others:
        if view.ended and _is_ours(view, row, counter=counter):
            return view.id, True
    return None, all(view.ended for view in others)


def _is_ours(view: BatchView, row: HandedIn, *, counter: BatchCounter) -> bool:
    try:
        return (counter.mark(view.id) or "").startswith(row.prefix)
    except ProviderTrouble as error:
        if error.gone:
            return False
        raise
