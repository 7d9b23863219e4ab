"""What a worker clears away: sessions whose days are over, what they left elsewhere, old rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from core.ports import Clock, Ids, Jobs, Store
from core.rounds.purge import purge_again
from core.rounds.retention import delete_overdue

EVERY: Final = timedelta(hours=1)
ERASE_EVERY: Final = timedelta(minutes=1)
KEEP: Final = timedelta(days=30)


class Pruning:
    """Looks when it is made to, but works at most once an hour, where queries read whole
    tables; what is left at providers is looked at each minute."""

    def __init__(self, *, store: Store, jobs: Jobs, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._next: datetime | None = None
        self._next_erasing: datetime | None = None

    def look(self) -> None:
        """Delete sign-ins that ended, and what was delivered, used or has expired for 30 days."""
        now = self._clock.now()
        if self._next_erasing is None or now >= self._next_erasing:
            purge_again(store=self._store, jobs=self._jobs, clock=self._clock, ids=self._ids)
            self._next_erasing = now + ERASE_EVERY
        if self._next is not None and now < self._next:
            return
        delete_overdue(store=self._store, jobs=self._jobs, clock=self._clock, ids=self._ids)
        with self._store.write() as tx:
            tx.people.prune(now=now, before=now - KEEP)
            tx.webhooks.prune(before=now - KEEP)
        self._next = now + EVERY
