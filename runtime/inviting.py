"""Links made on the command line, so that somebody can get in before there is anybody."""

from __future__ import annotations

import shlex

from core.people import NewInvitation, Role
from runtime import database
from runtime.settings import Settings


def invitation_link(
    settings: Settings,
    *,
    url: str | None,
    tenant: str,
    name: str,
    role: Role,
    session: str | None,
    hours: int,
) -> str:
    """The whole link, stored nowhere; ``url`` is where people reach the server."""
    database.prepare(settings)
    new = NewInvitation(name=name, role=role, session_id=session, hours=hours)
    minted = database.invite(settings, tenant_id=tenant, new=new)
    return (url or _own_url(settings)).rstrip("/") + minted.path


def invitation_command(settings: Settings, *, url: str) -> str:
    """What to type so that the link is of this very server."""
    words = ["tailwise", "invite", "you", "--role", "lead"]
    if settings.data_dir != Settings().data_dir:
        words += ["--data-dir", str(settings.data_dir)]
    if url != _own_url(Settings()):
        words += ["--url", url]
    return shlex.join(words)


def _own_url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
