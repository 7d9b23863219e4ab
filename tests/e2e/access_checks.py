"""What a page must have for people who do not see it, or see it badly, checked by script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = Path(__file__).with_suffix(".js")
FOCUS = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
}"""
WIDE = "document.documentElement.scrollWidth - innerWidth"


def flaws(page: Page) -> list[str]:
    """What is missing or unreadable in the page as it stands."""
    found: list[str] = page.evaluate(SCRIPT.read_text().partition("\n")[2])
    page.keyboard.press("Tab")
    if not page.evaluate(FOCUS):
        found.append("the focus cannot be seen")
    if page.evaluate(WIDE) > 0:
        found.append("wider than the window")
    return found
