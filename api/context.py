"""What a request may reach: the services, the caller and the session it named."""

from __future__ import annotations

from typing import cast

from flask import current_app, g

from core.access import Caller
from core.records import Session
from runtime.settings import Settings
from runtime.tailwise import Tailwise

EXTENSION = "tailwise"


def services() -> Tailwise:
    """The verbs and stores of the app that answers this request."""
    return cast("Tailwise", current_app.extensions[EXTENSION])


def settings() -> Settings:
    """The limits this process was started with."""
    return services().settings


def caller() -> Caller:
    """The key or person an authenticated request comes from."""
    return cast("Caller", g.caller)


def tenant_id() -> str:
    """Whose data this request may touch."""
    return caller().tenant_id


def current_session() -> Session:
    """The session whose id is in the path, already checked against the caller."""
    return cast("Session", g.session)


def request_key() -> str | None:
    """What makes this POST happen once; None when it came without an Idempotency-Key."""
    return cast("str | None", g.get("request_key"))


def request_id() -> str:
    """What this request is called in answers and logs."""
    return cast("str", g.get("request_id", "-"))
