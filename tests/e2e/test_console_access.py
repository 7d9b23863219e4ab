"""Every page of moderators and reviewers at 360 px, in both themes, with large text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.access_checks import flaws
from tests.e2e.console_stage import LABELS, Stage

pytestmark = pytest.mark.slow

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 12
RTL = "هذا نص طويل باللغة العربية عن الميناء والقوارب"


@pytest.fixture(scope="module")
def session(console: Stage) -> str:
    """Something to do on every page, in long words and from right to left."""
    context = [{"author": "mira" * 20, "text": LONG}, RTL]
    rows = [{"text": text, "metadata": {"context": context}} for text in (LONG, RTL, "short one")]
    people = {"overlap": 2, "resolution": "unanimous", "support_text": "Call 555."}
    made = console.session(rows, people=people, name=LONG[:120])
    items = console.items(made)
    console.propose(made, {"row-0": [f"{LONG} again", f"{LONG} once more"], "row-1": [RTL * 2]})
    for who, label in (("one", "calm"), ("two", "threat")):
        row = {"item_id": items["row-1"]["id"], "label": label, "note": LONG}
        console.send("POST", f"/sessions/{made}/label", {"labels": [row], "annotator_id": who})
    return made


@pytest.fixture(scope="module")
def desk(console: Stage) -> str:
    """Texts that everybody may hold."""
    context = [{"author": "mira" * 20, "text": LONG}, RTL]
    rows = [{"text": text, "metadata": {"context": context}} for text in (LONG, RTL)]
    return console.session(rows, people={"overlap": 10, "support_text": "Call 555."})


PAGES = {
    "": "#sessions .card",
    "/settings": "#save:enabled",
    "annotate": "#work:not([hidden]) .the-text",
    "review": "#work:not([hidden]) .the-text",
    "adjudicate": "#work:not([hidden]) .the-text",
    "flags": "#empty:not([hidden])",
}


@pytest.mark.parametrize("looks", [("light", 150, 360), ("dark", 100, 360), ("dark", 100, 1280)])
def test_pages_are_readable_named_and_narrow(
    stage: Stage, session: str, desk: str, looks: tuple[str, int, int]
) -> None:
    theme, size, width = looks
    tab = stage.tab("reviewer", viewport={"width": width, "height": 740})
    tab.prefer({"theme": theme, "text_size": size, "hide_text": False})
    found: dict[str, Any] = {}
    for name, ready in PAGES.items():
        whole = name.startswith("/") or not name
        where = desk if name == "annotate" else session
        path = f"/console{name}" if whole else f"/console/sessions/{where}/{name}"
        page = tab.open(path, ready=ready)
        found[name] = flaws(page)
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_each_label_prints_its_key_and_describes_itself(stage: Stage, desk: str) -> None:
    page = stage.tab().open(f"/console/sessions/{desk}/annotate", ready=".option")
    for number, label in enumerate(LABELS, start=1):
        button = page.get_by_role("button", name=str(label["name"]))
        assert str(number) in button.inner_text()
        assert str(label["definition"]) in button.inner_text()
        about = button.get_attribute("aria-describedby")
        assert str(label["examples"][0]) in page.locator(f"#{about}").inner_text()  # type: ignore[index]


def test_the_content_is_one_key_away(stage: Stage) -> None:
    page = stage.tab().open("/console/settings", ready="#save:enabled")
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Skip to the content").press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
