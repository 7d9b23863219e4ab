"""The kinds of database that a test of whole servers runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.postgres import Postgres

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database without tables and what a server is told of it; nothing means embedded."""

    kind: str
    settings: Mapping[str, object]

    @property
    def shared(self) -> bool:
        """Whether it lives in a server of its own, which outlives the service's processes."""
        return self.kind == "postgresql"


def made(kind: str, *, postgres: Callable[[], Postgres]) -> Database:
    """A fresh one; ``postgres`` is asked for its server where one is needed."""
    if kind == "sqlite":
        return Database(kind=kind, settings={})
    server = postgres()
    urls = {"database_url": server.create(), "jobs_url": server.create()}
    return Database(kind=kind, settings=urls)
