"""The real time and fresh ids; tests have their own."""

from __future__ import annotations

from datetime import UTC, datetime

from ulid import ULID


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class UlidIds:
    """Ids that sort by the time they were made, such as ``ses_01J8...``."""

    def new(self, prefix: str) -> str:
        return f"{prefix}_{ULID()}"
