"""Who looks at a page, as far as the page's frame needs to know.

Pages hold no data of a session: scripts fetch it from the API with the same cookie, and
the API decides what they get. What is worked out here only keeps people from empty pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import g, request

from api import auth
from api.context import services
from api.errors import NotAuthenticated
from core.access import Caller, allows

THEMES = frozenset({"auto", "light", "dark"})
LARGE, LARGER = 115, 140
"""Percent of the usual text size from which the style sheet's two larger steps apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person; ``look`` is what ``look`` answers."""

    caller: Caller
    name: str
    look: Mapping[str, str] = field(default_factory=dict)

    def may(self, scope: str) -> bool:
        return allows(self.caller, scope)


def visitor() -> Visitor | None:
    """The person whose cookie came with the request; None where nobody is signed in."""
    try:
        caller = auth.authenticate(request, store=services().store, clock=services().clock)
    except NotAuthenticated:
        return None
    if caller.person is None:
        return None
    g.caller = caller
    person = caller.person
    return Visitor(caller=caller, name=person.name, look=look(person.preferences))


def look(preferences: Mapping[str, Any]) -> dict[str, str]:
    """theme, size and motion of the frame; what a person never chose is as usual."""
    theme, size = preferences.get("theme"), preferences.get("text_size", 100)
    return {
        "theme": theme if theme in THEMES else "auto",
        "size": "larger" if size >= LARGER else "large" if size >= LARGE else "normal",
        "motion": "less" if preferences.get("less_motion") else "auto",
    }
