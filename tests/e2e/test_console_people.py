"""Coming in, settings that follow a person, and text shown safely, in a real browser."""

from __future__ import annotations

import pytest

from tests.e2e.console_stage import Stage

pytestmark = pytest.mark.slow

SHOWN = """async (texts) => {
  const { show } = await import('/console/static/text.js');
  return texts.map((text) => show(document.createElement('div'), text).innerHTML);
}"""
RUNS = """async ([before, after]) => {
  const { compare } = await import('/console/static/diff.js');
  return compare(before, after);
}"""


def test_a_link_signs_in_once_and_leaves_no_token_behind(stage: Stage) -> None:
    tab = stage.stranger()
    link = stage.invite("annotator", name="Ada <b>Lind</b>")
    tab.page.goto(link)
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.wait_for_url(f"{stage.url}/console")
    assert tab.page.locator(".who bdi").inner_text() == "Ada <b>Lind</b>"
    tab.page.goto(link)
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.get_by_text("This link does not work").wait_for()
    assert "#" not in tab.page.url


def test_signing_out_ends_it(stage: Stage) -> None:
    tab = stage.tab()
    tab.open("/console/settings", ready="#save:enabled")
    tab.page.get_by_role("button", name="Sign out").click()
    tab.page.get_by_role("heading", name="You are signed out").wait_for()
    assert tab.page.goto("/console/settings").status == 401  # type: ignore[union-attr]


def test_settings_are_saved_and_followed(stage: Stage) -> None:
    tab = stage.tab()
    page = tab.open("/console/settings", ready="#save:enabled")
    page.get_by_label("Theme").select_option("dark")
    page.get_by_label("Text size").select_option("larger")
    page.get_by_label("At first a text is").select_option("blurred")
    page.get_by_label("Topics to avoid").fill("self-harm, gore")
    page.get_by_label("Skip", exact=True).focus()
    page.keyboard.press("s")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page = tab.open("/console/settings", ready="#save:enabled")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.get_by_label("Text size").input_value() == "larger"
    assert page.get_by_label("At first a text is").input_value() == "blurred"
    assert page.get_by_label("Topics to avoid").input_value() == "self-harm, gore"
    assert page.get_by_label("Skip", exact=True).input_value() == "s"


def test_one_key_does_not_get_two_tasks_on_a_page(stage: Stage) -> None:
    page = stage.tab().open("/console/settings", ready="#save:enabled")
    page.get_by_label("Skip", exact=True).focus()
    page.keyboard.press("f")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("One key would do two things").wait_for()
    assert page.get_by_label("Skip", exact=True).get_attribute("aria-invalid") == "true"


AS_TEXT = {
    "<img src=x onerror=alert(1)>": "&lt;img src=x onerror=alert(1)&gt;",
    "see https://a.example.com/x?y=1": "see hxxps[:]//a[.]example[.]com/x?y=1",
    "JavaScript:alert(1)": "JavaScript[:]alert(1)",
    "at www.example.org now": "at www[.]example[.]org now",
    "\U0001f469\u200d\U0001f52c": "\U0001f469\u200d\U0001f52c",
    "می\u200cخواهم": "می\u200cخواهم",
}
MARKS = {
    "a\u202eb": "U+202E",
    "a\u200b\u200b\u200bb": "U+200B×3",
    "a\u200db": "U+200D",
    "a\x1b[31mb": "U+001B",
    "a\ufeffb": "U+FEFF",
    "a\U000e0041b": "U+E0041",
    "a\u2028b": "U+2028",
}


def test_text_is_shown_as_text(stage: Stage) -> None:
    page = stage.stranger().open("/console/join", ready="h1")
    shown = page.evaluate(SHOWN, list(AS_TEXT))
    assert shown == [f'<bdi dir="auto">{text}</bdi>' for text in AS_TEXT.values()]


def test_characters_that_hide_or_reorder_are_marked(stage: Stage) -> None:
    page = stage.stranger().open("/console/join", ready="h1")
    for html, mark in zip(page.evaluate(SHOWN, list(MARKS)), MARKS.values(), strict=True):
        assert f">{mark}</span>" in html
        assert not set(html) & set("\u202e\u200b\u200d\x1b\ufeff\U000e0041\u2028")


def test_differences_are_found_word_by_word(stage: Stage) -> None:
    page = stage.stranger().open("/console/join", ready="h1")
    runs = page.evaluate(RUNS, ["the red boat sails", "the blue boat sails on"])
    assert runs == [
        ["same", "the "],
        ["del", "red"],
        ["ins", "blue"],
        ["same", " boat sails"],
        ["ins", " on"],
    ]
