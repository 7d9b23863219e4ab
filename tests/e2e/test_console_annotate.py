"""Labelling in a real browser: by keys, through reloads and lost connections, and blind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.e2e.console_stage import Stage, Tab

pytestmark = pytest.mark.slow

READY = "#work:not([hidden]) .the-text"
TEXTS = [f"note {n} about the harbour and its boats" for n in range(6)]
ANSWERED = """() => document.getElementById('sitting').textContent"""


def annotate(tab: Tab, session_id: str, *, ready: str = READY) -> Any:
    return tab.open(f"/console/sessions/{session_id}/annotate", ready=ready)


def rests(tab: Tab, title: str) -> None:
    """The page has nothing to do and says so."""
    tab.page.get_by_role("heading", name=title).wait_for()


def sent(tab: Tab, count: int) -> None:
    """Until that many answers are stored and none waits in the page."""
    tab.page.wait_for_function(
        "(count) => { const text = document.getElementById('sitting').textContent;"
        " return text.startsWith(`${count} answered`) && !text.includes('not sent'); }",
        arg=count,
    )


def answers(stage: Stage, session_id: str, *kinds: str) -> list[Sequence[str]]:
    wanted = set(kinds) or {"created"}
    return [row["labels"] for row in stage.labels(session_id) if row["kind"] in wanted]


# --- by keys ------------------------------------------------------------------------------


def test_a_batch_is_labelled_by_keys(stage: Stage) -> None:
    session = stage.session(TEXTS[:5])
    tab = stage.tab()
    annotate(tab, session)
    tab.answer("1", "2", "3", "1", "2")
    rests(tab, "Nothing is waiting for you here")
    rows = stage.labels(session)
    assert [row["labels"] for row in rows] == [
        ["calm"],
        ["insult"],
        ["threat"],
        ["calm"],
        ["insult"],
    ]
    assert {row["annotator_id"] for row in rows} == {tab.person_id}
    assert len({row["item_id"] for row in rows}) == 5


def test_several_labels_are_submitted_by_enter(stage: Stage) -> None:
    session = stage.session(TEXTS[:2], kind="multi")
    tab = stage.tab()
    page = annotate(tab, session)
    tab.press("3", "1", "2", "2")
    assert page.get_by_role("button", name="Threat").get_attribute("aria-pressed") == "true"
    tab.answer("Enter", "Enter")
    rests(tab, "Nothing is waiting for you here")
    assert answers(stage, session) == [["calm", "threat"], []]


def test_keys_mean_nothing_in_text_fields_with_modifiers_or_held_down(stage: Stage) -> None:
    session = stage.session(TEXTS[:3])
    tab = stage.tab()
    page = annotate(tab, session)
    tab.press("n")
    page.keyboard.type("12 zzz b")
    assert page.locator("#note").input_value() == "12 zzz b"
    page.locator("#item").focus()
    tab.press("g")
    page.locator("#guidelines-search").focus()
    page.keyboard.type("joke 3")
    assert page.locator("#guidelines-found").inner_text() == "Nothing found."
    page.locator("#item").focus()
    tab.press("Control+1", "Alt+2", "Meta+3")
    held = "dispatchEvent(new KeyboardEvent('keydown', {key: '1', repeat: true, bubbles: true}))"
    page.evaluate(held)
    assert page.evaluate(ANSWERED).startswith("0 answered")
    tab.press("2")
    sent(tab, 1)
    [row] = stage.labels(session)
    assert (row["labels"], row["note"]) == (["insult"], "12 zzz b")


def test_a_second_key_in_the_same_moment_does_not_count(stage: Stage) -> None:
    session = stage.session(TEXTS[:4])
    tab = stage.tab()
    page = annotate(tab, session)
    tab.settle()
    page.evaluate(
        "() => { for (let n = 0; n < 2; n += 1)"
        " dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true})); }"
    )
    sent(tab, 1)
    assert len(stage.labels(session)) == 1


def test_a_persons_own_keys_are_the_ones_that_count(stage: Stage) -> None:
    session = stage.session(TEXTS[:3])
    tab = stage.tab()
    tab.prefer({"keys": {"skip": "s"}})
    page = annotate(tab, session)
    tab.press("Space")
    assert page.locator("#skip-panel").is_hidden()
    tab.press("s")
    page.get_by_role("button", name="A language I do not read").wait_for()


def test_undo_brings_the_text_back_for_another_answer(stage: Stage) -> None:
    session = stage.session(TEXTS[:3])
    tab = stage.tab()
    page = annotate(tab, session)
    first = page.locator(".the-text").inner_text()
    tab.press("1")
    sent(tab, 1)
    tab.press("z")
    page.locator(".the-text", has_text=first).wait_for()
    tab.press("3")
    sent(tab, 1)
    kinds = [(row["kind"], row["labels"]) for row in stage.labels(session)]
    assert kinds == [("created", ["calm"]), ("undone", []), ("created", ["threat"])]


# --- nothing lost, nothing doubled --------------------------------------------------------


def test_a_reload_keeps_the_text_and_every_answer(stage: Stage) -> None:
    session = stage.session(TEXTS[:4])
    tab = stage.tab()
    page = annotate(tab, session)
    tab.press("1")
    sent(tab, 1)
    shown = page.locator(".the-text").inner_text()
    page.reload()
    page.locator(READY).wait_for()
    assert page.locator(".the-text").inner_text() == shown
    tab.answer("2", "2", "2")
    rests(tab, "Nothing is waiting for you here")
    assert Counter(row["item_id"] for row in stage.labels(session)).most_common(1)[0][1] == 1
    assert answers(stage, session) == [["calm"], ["insult"], ["insult"], ["insult"]]


def test_answers_given_without_a_connection_are_sent_when_it_is_back(stage: Stage) -> None:
    session = stage.session(TEXTS)
    tab = stage.tab()
    page = annotate(tab, session)
    tab.context.set_offline(True)
    tab.answer("1", "2")
    page.get_by_text("No connection.").wait_for()
    assert stage.labels(session) == []
    tab.context.set_offline(False)
    sent(tab, 2)
    assert answers(stage, session) == [["calm"], ["insult"]]


def test_unsent_answers_outlive_a_reload_without_any_text(stage: Stage) -> None:
    session = stage.session(TEXTS)
    tab = stage.tab()
    page = annotate(tab, session)
    page.route("**/label", lambda route: route.abort())
    tab.answer("3", "1")
    kept = page.evaluate("JSON.stringify({...sessionStorage})")
    assert "threat" in kept
    assert "harbour" not in kept
    assert page.evaluate("localStorage.length") == 0
    page.unroute("**/label")
    page.reload()
    page.locator(READY).wait_for()
    page.wait_for_function("() => sessionStorage.length === 0")
    assert answers(stage, session) == [["threat"], ["calm"]]


def test_an_answer_whose_confirmation_was_lost_counts_once(stage: Stage) -> None:
    session = stage.session(TEXTS)
    tab = stage.tab()
    page = annotate(tab, session)
    lost: list[int] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/label", lose)
    tab.press("2")
    page.wait_for_function("() => sessionStorage.length === 0")
    assert lost == [200]
    assert answers(stage, session) == [["insult"]]


def test_two_windows_of_one_person_do_not_answer_twice(stage: Stage) -> None:
    session = stage.session(TEXTS[:1])
    tab = stage.tab()
    page = annotate(tab, session)
    other = tab.context.new_page()
    other.goto(page.url)
    other.locator(READY).wait_for()
    other.wait_for_timeout(170)
    other.keyboard.press("1")
    other.get_by_role("heading", name="Nothing is waiting").wait_for()
    tab.press("3")
    page.locator("#alert .notice").wait_for()
    assert answers(stage, session) == [["calm"]]


# --- looking after people ------------------------------------------------------------------


def test_two_escapes_clear_the_page_and_give_the_text_back(stage: Stage) -> None:
    session = stage.session(TEXTS[:2])
    tab = stage.tab()
    page = annotate(tab, session)
    left = page.locator(".the-text").inner_text()
    tab.press("n")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    rests(tab, "Everything is out of sight")
    assert "harbour" not in page.locator("body").inner_text()
    neighbour = stage.tab(name="Jon Berg")
    annotate(neighbour, session)
    neighbour.answer("1", "1")
    rests(neighbour, "Nothing is waiting for you here")
    assert len(answers(stage, session)) == 2
    assert left not in page.content()


def test_after_two_escapes_one_may_go_on_with_another_text(stage: Stage) -> None:
    session = stage.session(TEXTS[:3], people={"skip_limit": 5})
    tab = stage.tab()
    page = annotate(tab, session)
    left = page.locator(".the-text").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Go on with another text").click()
    page.locator(READY).wait_for()
    assert page.locator(".the-text").inner_text() != left


def test_a_skip_takes_a_reason_by_key(stage: Stage) -> None:
    session = stage.session(TEXTS[:3])
    tab = stage.tab()
    page = annotate(tab, session)
    tab.press("Space")
    tab.answer("2")
    tab.press("Space")
    tab.answer("Space")
    page.get_by_text("0 answered · 2 skipped").first.wait_for()
    tab.press("1")
    rests(tab, "Nothing is waiting for you here")
    assert answers(stage, session) == [["calm"]]


def test_illegal_content_is_out_of_sight_at_once_and_for_good(stage: Stage) -> None:
    session = stage.session(TEXTS[:1], people={"support_text": "Call 555."})
    tab = stage.tab()
    page = annotate(tab, session)
    tab.press("f")
    page.get_by_label("It may be illegal").check()
    assert "harbour" not in page.locator("body").inner_text()
    page.get_by_role("button", name="Send the flag").click()
    rests(tab, "You can stop here")
    page.locator("#rest-support", has_text="Call 555.").wait_for()
    page.wait_for_function("() => sessionStorage.length === 0")
    [item] = stage.items(session).values()
    assert item["state"] == "excluded"
    page.reload()
    rests(tab, "Nothing is waiting for you here")


def test_a_hidden_text_is_not_on_the_page_until_it_is_wanted(stage: Stage) -> None:
    session = stage.session(TEXTS[:3], people={"hide_text": True})
    tab = stage.tab()
    page = annotate(tab, session, ready=".reveal")
    assert "harbour" not in page.content()
    tab.press("1")
    assert page.evaluate(ANSWERED).startswith("0 answered")
    tab.press("b")
    page.locator(".the-text", has_text="harbour").wait_for()
    tab.press("1")
    sent(tab, 1)
    assert "harbour" not in page.content()


def test_a_persons_own_cover_comes_before_the_sessions(stage: Stage) -> None:
    session = stage.session(TEXTS[:1], people={"hide_text": True, "greyscale": True})
    tab = stage.tab()
    tab.prefer({"hide_text": False, "greyscale": False})
    page = annotate(tab, session)
    assert "harbour" in page.locator(".the-text").inner_text()
    assert page.locator("html[data-grey]").count() == 0
    tab.prefer({"blur": True, "greyscale": True})
    page = annotate(tab, session, ready=".veiled")
    assert page.locator("html[data-grey]").count() == 1


@pytest.mark.parametrize(
    ("people", "title"),
    [
        ({"daily_items": 1}, "That was your share for today"),
        ({"break_after_items": 1}, "Time for a break"),
    ],
)
def test_a_pause_is_explained_and_says_when_it_ends(
    stage: Stage, people: dict[str, Any], title: str
) -> None:
    session = stage.session(TEXTS[:5], people=people)
    tab = stage.tab()
    annotate(tab, session)
    tab.press("1")
    rests(tab, title)
    assert "Come back" in tab.page.locator("#rest-text").inner_text()


def test_texts_that_others_hold_are_said_to_be_with_others(stage: Stage) -> None:
    session = stage.session(TEXTS[:1])
    annotate(stage.tab(name="Jon Berg"), session)
    tab = stage.tab()
    annotate(tab, session, ready="#rest")
    rests(tab, "Others have the remaining texts")


def test_context_and_permitted_metadata_stand_beside_the_text(stage: Stage) -> None:
    context = [{"author": "mira", "text": "Are you coming?"}, "No idea."]
    metadata = {"context": context, "channel": "#harbour", "secret": "cluster 7"}
    row = {"text": TEXTS[0], "metadata": metadata}
    session = stage.session([row], people={"metadata_shown": ["channel"]})
    tab = stage.tab()
    page = annotate(tab, session)
    assert page.locator(".context li").all_inner_texts() == ["mira\nAre you coming?", "No idea."]
    assert "#harbour" in page.locator("#metadata").inner_text()
    assert "cluster 7" not in page.content()
