"""The cookie of a signed-in person, and the proof that our own page sent it.

``SameSite=Strict`` already keeps the cookie from other sites' requests; ``Origin`` (or
``Sec-Fetch-Site``) is asked for as well, so that neither has to be right alone.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request, Response

from api.errors import Forbidden

COOKIE = "tailwise_console"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PORTS = {"http": 80, "https": 443}


def set_cookie(response: Response, token: str, *, request: Request, seconds: int) -> Response:
    """Out of reach of scripts, for our own pages only, and encrypted where the page was."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=seconds,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def clear_cookie(response: Response, *, request: Request) -> Response:
    """Have the browser forget it."""
    response.delete_cookie(
        COOKIE, path="/", secure=request.is_secure, httponly=True, samesite="Strict"
    )
    return response


def refuse_cross_site(request: Request) -> None:
    """Raises Forbidden ``cross-site`` unless a page of this very server sent the request."""
    if request.method not in SAFE_METHODS and not _ours(request):
        detail = "this was not sent by a page of this server; use an API key instead of the cookie"
        raise Forbidden(detail, code="cross-site")


def refuse_foreign_origin(request: Request) -> None:
    """As ``refuse_cross_site``, for a request that needs no cookie: programs send no Origin."""
    origin = request.headers.get("Origin")
    if origin is not None and not same_origin(origin, request):
        detail = "this was sent by a page of another server"
        raise Forbidden(detail, code="cross-site")


def _ours(request: Request) -> bool:
    """By ``Origin``; by ``Sec-Fetch-Site`` where a browser sends none; never without both."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return same_origin(origin, request)


def same_origin(origin: str, request: Request) -> bool:
    """Whether an ``Origin`` is this server's, as its host and port were asked for.

    A proxy may have taken the encryption off, so that https stands for http here; the
    reverse does not hold.
    """
    try:
        asked = urlsplit(origin)
        ours = urlsplit(f"{asked.scheme}://{request.host}")
        same = (asked.hostname, _port(asked.port, asked.scheme)) == (
            ours.hostname,
            _port(ours.port, asked.scheme),
        )
    except ValueError:
        return False
    allowed = {"https"} if request.is_secure else {"http", "https"}
    return same and asked.hostname is not None and asked.scheme in allowed


def _port(port: int | None, scheme: str) -> int | None:
    return port if port is not None else PORTS.get(scheme)
