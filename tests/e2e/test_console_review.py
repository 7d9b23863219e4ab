"""Review, adjudication and flags in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.console_scenes import flagged, in_conflict, joined
from tests.e2e.console_stage import Stage, Tab

pytestmark = pytest.mark.slow

SEED = "you better not show up at the harbour tomorrow"
VARIATIONS = (
    "you better not turn up at the club on Friday",
    "you better not turn up at the club this Friday",
    "nobody here forgot your letter, stay away from the boats",
)


def proposed(stage: Stage, **people: Any) -> str:
    session = stage.session([SEED, "another text"], people=people)
    stage.propose(session, {"row-0": VARIATIONS})
    return session


def review(tab: Tab, session: str) -> Any:
    return tab.open(f"/console/sessions/{session}/review", ready="#work:not([hidden]) .the-text")


def states(stage: Stage, session: str) -> list[tuple[str, str, list[str]]]:
    found = stage.send("GET", f"/sessions/{session}/generations")["data"]
    rows = sorted(found, key=lambda row: row["id"])
    return [(row["state"], row["text"], row["labels"]) for row in rows]


def shown(tab: Tab, position: str) -> None:
    """Until the page stands at that variation or text."""
    tab.page.locator("#position", has_text=position).wait_for()


# --- review -------------------------------------------------------------------------------


def test_variations_are_reviewed_by_keys(stage: Stage) -> None:
    session = proposed(stage)
    tab = stage.tab("reviewer")
    page = review(tab, session)
    assert page.locator("del").first.inner_text() == "show"
    assert "turn" in page.locator("ins").all_inner_texts()
    page.get_by_text("The model reads another label").wait_for()
    tab.press("a")
    shown(tab, "2 of 3")
    tab.press("x")
    shown(tab, "3 of 3")
    tab.press("r", "2", "Enter")
    page.get_by_role("heading", name="All of these are decided").wait_for()
    assert states(stage, session) == [
        ("accepted", VARIATIONS[0], ["threat"]),
        ("rejected", VARIATIONS[1], ["threat"]),
        ("edited", VARIATIONS[2], ["insult"]),
    ]


def test_a_variation_is_edited_with_keys_that_only_write_there(stage: Stage) -> None:
    session = proposed(stage)
    tab = stage.tab("reviewer")
    page = review(tab, session)
    tab.press("e")
    page.get_by_label("Its text").fill("")
    page.keyboard.type("a next text, xaxa")
    page.keyboard.press("Control+Enter")
    shown(tab, "2 of 3")
    assert states(stage, session)[0][:2] == ("edited", "a next text, xaxa")


def test_a_decision_can_be_made_again(stage: Stage) -> None:
    session = proposed(stage)
    tab = stage.tab("reviewer")
    review(tab, session)
    tab.press("x")
    shown(tab, "2 of 3")
    tab.press("k")
    tab.page.get_by_text("Now rejected").wait_for()
    tab.press("a")
    shown(tab, "2 of 3")
    assert states(stage, session)[0][0] == "accepted"


def test_near_duplicates_are_decided_together_after_a_question(stage: Stage) -> None:
    session = proposed(stage)
    tab = stage.tab("reviewer")
    page = review(tab, session)
    page.get_by_role("button", name="Decide on them together").click()
    box = page.get_by_role("dialog", name="2 near-duplicates")
    box.get_by_role("button", name="Reject the chosen").click()
    box.get_by_text("Reject 2 variations?").wait_for()
    assert [state for state, *_ in states(stage, session)] == ["proposed"] * 3
    box.get_by_role("button", name="Yes, reject").click()
    shown(tab, "3 of 3")
    assert [state for state, *_ in states(stage, session)] == ["rejected", "rejected", "proposed"]


def test_generated_texts_are_covered_like_others(stage: Stage) -> None:
    session = proposed(stage, hide_text=True)
    tab = stage.tab("reviewer")
    page = tab.open(f"/console/sessions/{session}/review", ready=".reveal")
    assert "harbour" not in page.content()
    tab.press("a")
    assert [state for state, *_ in states(stage, session)] == ["proposed"] * 3
    tab.press("b")
    page.locator(".the-text").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Everything is out of sight").wait_for()
    assert "harbour" not in page.content()


# --- adjudication ---------------------------------------------------------------------------


def test_names_are_told_once_the_adjudicator_has_decided(stage: Stage) -> None:
    ines = joined(stage, "Ines Falk")
    session = in_conflict(stage, [SEED, "a second text"], voices=(ines, "a key"))
    tab = stage.tab("reviewer")
    page = tab.open(f"/console/sessions/{session}/adjudicate", ready="#work:not([hidden])")
    voices = page.locator(".voice")
    assert voices.count() == 2
    assert "Ines Falk" not in page.content()
    assert ines not in page.content()
    tab.press("2")
    page.get_by_label("Why").fill("It is meant to belittle, 3")
    page.locator("#item").focus()
    tab.press("Enter")
    page.get_by_text("Decided: Insult").wait_for()
    assert page.locator(".voice .who").all_inner_texts() == [
        "Person A · Ines Falk",
        "Person B · a key",
    ]
    tab.press("Enter")
    shown(tab, "2 of 2")
    tab.press("3", "Enter")
    page.get_by_text("Decided: Threat").wait_for()
    tab.press("Enter")
    page.get_by_role("heading", name="All of these are decided").wait_for()
    found = {row["external_id"]: row["labels"] for row in stage.items(session).values()}
    assert found == {"row-0": ["insult"], "row-1": ["threat"]}


# --- flags ------------------------------------------------------------------------------------


def test_a_flagged_text_is_covered_and_goes_back_or_out(stage: Stage) -> None:
    session = stage.session(["please look at this"])
    worker = stage.tab()
    worker.open(f"/console/sessions/{session}/annotate", ready=".the-text")
    worker.press("f")
    worker.page.get_by_label("It shows private data").check()
    worker.page.get_by_role("textbox", name="Note (optional, never").fill("a street and a number")
    worker.page.get_by_role("button", name="Send the flag").click()
    worker.page.wait_for_function("() => sessionStorage.length === 0")
    tab = stage.tab("reviewer")
    page = tab.open(f"/console/sessions/{session}/flags", ready="#flags section")
    page.get_by_role("heading", name="Private data").wait_for()
    page.get_by_text("a street and a number").wait_for()
    assert "please look at this" not in page.content()
    page.get_by_role("button", name="Show the text").click()
    page.get_by_text("please look at this").wait_for()
    page.get_by_role("button", name="Back to the queue").click()
    page.get_by_role("heading", name="No flags here").wait_for()
    page.get_by_label("Show", exact=True).select_option("resolved")
    page.get_by_text("Back in the queue").first.wait_for()


def test_illegal_content_is_never_shown_and_returns_only_after_a_question(stage: Stage) -> None:
    session = stage.session(["the worst of all"])
    flagged(stage, session, "illegal_content")
    tab = stage.tab("reviewer")
    page = tab.open(f"/console/sessions/{session}/flags", ready="#flags section")
    page.get_by_text("Stop. Do not look for the text").wait_for()
    assert page.get_by_role("button", name="Show the text").count() == 0
    page.get_by_role("button", name="Back to the queue").click()
    page.get_by_role("dialog").get_by_role("button", name="No").click()
    page.get_by_role("button", name="Confirm: keep it out").click()
    page.get_by_role("heading", name="No flags here").wait_for()
