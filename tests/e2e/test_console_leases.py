"""Leases in a real browser whose clock is moved: held while one works, over when one is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.console_stage import Stage, Tab

pytestmark = pytest.mark.slow

READY = "#work:not([hidden]) .the-text"
LEASE_S = 60
AWAY_S = 11 * 60
LEFT = """() => {
  const found = /Held for you: (\\d+):(\\d\\d)/.exec(document.getElementById('lease').textContent);
  return found ? Number(found[1]) * 60 + Number(found[2]) : 0;
}"""


def texts(count: int) -> list[str]:
    return [f"note {n} about the harbour and its boats" for n in range(count)]


def working(stage: Stage, session: str, *, name: str = "Ada Lind") -> Tab:
    """Somebody with a text in view, whose browser's clock can be moved.

    The page asks for texts ahead as soon as it shows one. Were the server's clock moved before
    that is answered, the answer would hold the text anew.
    """
    tab = stage.tab(name=name)
    tab.page.clock.install()
    tab.open(f"/console/sessions/{session}/annotate", ready=READY)
    tab.page.wait_for_load_state("networkidle")
    return tab


def pass_on(stage: Stage, tab: Tab, seconds: int) -> None:
    """That much time for the server and for this browser."""
    stage.clock.ahead += timedelta(seconds=seconds)
    tab.page.clock.fast_forward(seconds * 1000)


def ended(tab: Tab) -> None:
    tab.page.get_by_role("heading", name="Your lease ended").wait_for()
    assert "harbour" not in tab.page.locator("body").inner_text()


def decisions(stage: Stage, session: str) -> list[Any]:
    return [row["labels"] for row in stage.labels(session)]


def test_the_countdown_goes_down(stage: Stage) -> None:
    session = stage.session(texts(1))
    tab = working(stage, session)
    before = tab.page.evaluate(LEFT)
    pass_on(stage, tab, 60)
    after = tab.page.evaluate(LEFT)
    assert before <= 600
    assert 0 < after <= before - 60


def test_a_text_is_held_for_as_long_as_somebody_works(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    for _ in range(4):
        tab.page.keyboard.press("Shift")
        with tab.page.expect_response("**/heartbeat") as beat:
            pass_on(stage, tab, LEASE_S - 30)
        assert beat.value.status == 200
    neighbour = stage.tab(name="Jon Berg")
    neighbour.open(f"/console/sessions/{session}/annotate", ready="#rest")
    neighbour.page.get_by_role("heading", name="Others have the remaining texts").wait_for()
    assert tab.page.evaluate(LEFT) > 0
    tab.answer("1")
    tab.page.get_by_role("heading", name="Nothing is waiting").wait_for()
    assert decisions(stage, session) == [["calm"]]


def test_a_key_after_a_while_away_holds_the_text_again(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": 1800})
    tab = working(stage, session)
    pass_on(stage, tab, AWAY_S)
    with tab.page.expect_response("**/heartbeat") as beat:
        tab.page.keyboard.press("Shift")
    assert beat.value.status == 200


def test_the_page_says_that_the_lease_ended_and_one_key_goes_on(stage: Stage) -> None:
    session = stage.session(texts(3), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    tab.answer("1")
    pass_on(stage, tab, AWAY_S)
    ended(tab)
    neighbour = stage.tab(name="Jon Berg")
    neighbour.open(f"/console/sessions/{session}/annotate", ready=READY)
    tab.page.keyboard.press("2")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("heading", name="Others have the remaining texts").wait_for()
    assert decisions(stage, session) == [["calm"]]
    neighbour.answer("3", "3")
    assert decisions(stage, session) == [["calm"], ["threat"], ["threat"]]


def test_what_was_chosen_and_written_is_there_again_when_the_text_comes_back(
    stage: Stage,
) -> None:
    session = stage.session(texts(1), kind="multi", people={"lease_s": LEASE_S})
    tab = working(stage, session)
    tab.press("1", "3", "n")
    tab.page.keyboard.type("hard to say")
    pass_on(stage, tab, AWAY_S)
    ended(tab)
    tab.page.get_by_role("button", name="Go on").click()
    tab.page.locator(READY).wait_for()
    assert tab.page.locator("#note").input_value() == "hard to say"
    tab.press("Enter")
    tab.page.get_by_role("heading", name="Nothing is waiting").wait_for()
    [row] = stage.labels(session)
    assert (row["labels"], row["note"]) == (["calm", "threat"], "hard to say")


def test_nobody_asks_for_texts_while_nobody_is_there(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    pass_on(stage, tab, AWAY_S)
    ended(tab)
    asked: list[str] = []
    tab.page.on("request", lambda found: asked.append(found.url))
    for _ in range(3):
        pass_on(stage, tab, AWAY_S)
    tab.page.get_by_role("heading", name="Your lease ended").wait_for()
    assert asked == []


def test_a_text_that_somebody_else_has_taken_is_put_away(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    stage.clock.ahead += timedelta(seconds=LEASE_S + 1)
    neighbour = stage.tab(name="Jon Berg")
    neighbour.open(f"/console/sessions/{session}/annotate", ready=READY)
    tab.page.clock.fast_forward(LEASE_S // 2 * 1000)
    ended(tab)
    neighbour.answer("3")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("heading", name="Nothing is waiting").wait_for()
    assert decisions(stage, session) == [["threat"]]


def test_an_answer_after_the_end_is_kept_where_nobody_else_gave_one(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    stage.clock.ahead += timedelta(seconds=LEASE_S + 1)
    tab.answer("2")
    tab.page.get_by_role("heading", name="Nothing is waiting").wait_for()
    assert decisions(stage, session) == [["insult"]]


def test_an_answer_that_came_too_late_is_said_to_be_not_needed(stage: Stage) -> None:
    session = stage.session(texts(1), people={"lease_s": LEASE_S})
    tab = working(stage, session)
    stage.clock.ahead += timedelta(seconds=LEASE_S + 1)
    [item] = stage.items(session).values()
    row = {"item_id": item["id"], "label": "threat"}
    stage.send(
        "POST", f"/sessions/{session}/label", {"labels": [row], "annotator_id": "somebody_else"}
    )
    tab.press("1")
    tab.page.get_by_text("Your answer was not needed").wait_for()
    assert decisions(stage, session) == [["threat"]]
