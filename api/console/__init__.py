"""The web console: pages for the people who label, review and lead."""

from __future__ import annotations

from api.console import lead, pages
from api.console.shell import blueprint

__all__ = ["blueprint", "lead", "pages"]
