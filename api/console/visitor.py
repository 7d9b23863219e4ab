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

CHOICES: Mapping[str, tuple[str, ...]] = {
    "theme": ("system", "light", "dark"),
    "text_size": ("normal", "large", "larger"),
    "motion": ("system", "less"),
}
"""Preferences that shape the frame, each with its values; the first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person; ``look`` holds the preferences of ``CHOICES``."""

    caller: Caller
    name: str
    look: Mapping[str, str] = field(default_factory=dict)

    def may(self, scope: str) -> bool:
        return allows(self.caller, scope)


def visitor() -> Visitor | None:
    """The person whose cookie came with the request; None where nobody is signed in."""
    try:
        caller = auth.authenticate(
            request, store=services().store, clock=services().clock
        )
    except NotAuthenticated:
        return None
    if caller.person is None:
        return None
    g.caller = caller
    person = caller.person
    return Visitor(caller=caller, name=person.name, look=look(person.preferences))


def look(preferences: Mapping[str, Any]) -> dict[str, str]:
    """The frame's preferences; what a person never chose, or not validly, is the default."""
    return {
        name: preferences[name] if preferences.get(name) in allowed else allowed[0]
        for name, allowed in CHOICES.items()
    }
