"""What has to be in the database, and beside it, before processes start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from adapters.store import migrate
from adapters.store.engine import make_engine, make_jobs_engine
from adapters.store.store import open_store
from core.access import DEFAULT_TENANT, ROLES, Caller, mint_key
from core.errors import InvalidInput, NotFound, NotInstalled, Unavailable
from core.people import MintedInvitation, NewInvitation
from core.ports import Store
from core.records import ApiKey, Page
from core.rounds import people
from runtime.clock import SystemClock, UlidIds
from runtime.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

SECRET_FILE: Final = "cursor.key"  # noqa: S105 -- the name of a file
ALL_KEYS: Final = 10_000
OPERATOR: Final = "command-line"
"""Who an invitation made on the command line is from."""

EXPECTED_SOURCE: Final = (
    "a stopped server's database is expected there, brought up to date by 'tailwise db upgrade'"
    " with TAILWISE_DATABASE_URL set to it"
)


def prepare(settings: Settings) -> None:
    """Upgrade the embedded database; only check a shared one.

    Raises NotInstalled ``database-outdated`` that names the command, or ``database-newer``.
    """
    with _engine(settings.database_url) as engine, named("service's", settings.database_url):
        if settings.embedded:
            migrate.upgrade(engine)
        else:
            migrate.check(engine)


def upgrade(settings: Settings) -> None:
    """Bring the service's and the jobs' tables to this version."""
    from adapters.jobs.dbos_worker import migrate_jobs  # noqa: PLC0415 -- a second to import

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _engine(settings.database_url) as engine, named("service's", settings.database_url):
        migrate.upgrade(engine)
    with named("jobs", settings.jobs_url):
        jobs = make_jobs_engine(settings.jobs_url)
        try:
            migrate_jobs(jobs)
        finally:
            jobs.dispose()


def migrate_from(
    source_url: str, target_url: str, *, progress: Callable[[str, int], None]
) -> Mapping[str, int]:
    """Copy the service's database into an empty one, which is given its tables first.

    Nothing is made where the source is not what it should be. Raises NotFound
    ``source-missing`` and what ``adapters.store.copying.copy_database``, ``migrate.check`` and
    ``named`` raise.
    """
    from adapters.store.copying import copy_database  # noqa: PLC0415 -- rarely needed

    with named("source", source_url):
        _require_file(source_url)
    with _engine(source_url, role="source") as source, _engine(target_url, role="target") as target:
        with named("source", source_url):
            migrate.check(source, remedy=EXPECTED_SOURCE)
        with named("target", target_url):
            migrate.upgrade(target)
        return copy_database(source, target, progress=progress)


def _require_file(url: str) -> None:
    """SQLite would make an empty file of a name that is misspelt."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "/").is_file():
        raise NotFound(
            "there is no such file; the app.sqlite of a stopped server's data directory is"
            " expected there",
            code="source-missing",
        )


def has_keys(settings: Settings) -> bool:
    """Whether any access key was ever made."""
    with _store(settings) as store, store.read() as repos:
        return repos.access.any_key()


def add_first_key(settings: Settings) -> str:
    """An admin key of the default tenant; the token, which is stored nowhere."""
    return add_key(
        settings, tenant_id=DEFAULT_TENANT, name="first key", scopes=["admin"], session_id=None
    )


def add_key(
    settings: Settings,
    *,
    tenant_id: str,
    name: str,
    scopes: Iterable[str],
    session_id: str | None,
) -> str:
    """A new key of the tenant, which is made where it is new; the token."""
    now = SystemClock().now()
    minted = mint_key(
        tenant_id=tenant_id,
        name=name,
        scopes=scopes,
        session_id=session_id,
        ids=UlidIds(),
        now=now,
    )
    with _store(settings) as store, store.write() as repos:
        repos.access.ensure_tenant(tenant_id, name=tenant_id, now=now)
        repos.access.add_key(minted.key)
    return minted.token


def list_keys(settings: Settings, *, tenant_id: str) -> Sequence[ApiKey]:
    """The tenant's keys, revoked ones too."""
    with _store(settings) as store, store.read() as repos:
        return repos.access.list_keys(tenant_id, Page(limit=ALL_KEYS))


def revoke_key(settings: Settings, *, tenant_id: str, key_id: str) -> None:
    """Raises NotFound ``unknown-key`` when the tenant has no such key."""
    now = SystemClock().now()
    with _store(settings) as store, store.write() as repos:
        if not repos.access.revoke_key(tenant_id, key_id, now=now):
            raise NotFound(f"tenant {tenant_id} has no such key", code="unknown-key")


def invite(settings: Settings, *, tenant_id: str, new: NewInvitation) -> MintedInvitation:
    """A link by who runs the server, to any role; the tenant is made where it is new.

    Raises as ``core.rounds.people.invite``.
    """
    clock = SystemClock()
    operator = Caller(
        id=OPERATOR,
        tenant_id=tenant_id,
        name=OPERATOR,
        scopes=ROLES["admin"],
        session_id=None,
    )
    with _store(settings) as store:
        with store.write() as repos:
            repos.access.ensure_tenant(tenant_id, name=tenant_id, now=clock.now())
        return people.invite(operator, new, store=store, clock=clock, ids=UlidIds())


def with_cursor_secret(settings: Settings) -> Settings:
    """The settings with the secret that signs cursors: as given, or from a file (mode 0600)
    made on first use. Several processes may ask at once; all get the same one."""
    if settings.cursor_secret:
        return settings
    path = settings.data_dir / SECRET_FILE
    if not path.exists():
        fresh = path.with_name(f"{SECRET_FILE}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first
        finally:
            fresh.unlink()
    return replace(settings, cursor_secret=path.read_text())


def with_shared_secret(settings: Settings) -> Settings:
    """As ``with_cursor_secret``, for a worker: it opens what the web processes sealed.

    Raises InvalidInput ``missing-setting`` where it would have to make a secret of its own
    beside a database that others share.
    """
    made = (settings.data_dir / SECRET_FILE).exists()
    if not settings.cursor_secret and not settings.embedded and not made:
        raise InvalidInput(
            "TAILWISE_CURSOR_SECRET must be set, the same as for the web processes:"
            " webhook secrets are sealed with a key made from it",
            code="missing-setting",
        )
    return with_cursor_secret(settings)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """The store alone, for commands that need nothing else."""
    store = open_store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _engine(url: str, *, role: str = "service's") -> Iterator[Engine]:
    with named(role, url):
        engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def named(role: str, url: str) -> Iterator[None]:
    """What is refused inside says which database it is about; passwords stay out.

    Raises Unavailable ``database-unusable`` for what the database's driver refused.
    """
    try:
        yield
    except ArgumentError:
        raise InvalidInput(
            f"the {role} database: a URL starts with sqlite:/// or postgresql://",
            code="invalid-database-url",
        ) from None
    except (InvalidInput, NotInstalled, NotFound) as error:
        detail = f"the {role} database {_shown(url)}: {error.detail}"
        raise type(error)(detail, code=error.code, extras=error.extras) from error
    except (DBAPIError, OSError) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise Unavailable(
            f"the {role} database {_shown(url)} cannot be used: {reason}",
            code="database-unusable",
        ) from error


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
