"""Review, adjudication and flags in a real browser, and hostile text through every page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.people import Flag
from tests.e2e.console_stage import Stage, Tab
from tests.e2e.hostile_texts import hostile_texts

pytestmark = pytest.mark.slow

SEED = "you better not show up at the harbour tomorrow"
VARIATIONS = (
    "you better not turn up at the club on Friday",
    "you better not turn up at the club this Friday",
    "nobody here forgot your letter, stay away from the boats",
)
STRANGE = """const strange = () => {
  const ours = (url) => url.startsWith('/console/static/');
  const bad = 'iframe, object, embed, portal, base, style, math, svg, video, audio, marquee, '
    + 'template, xmp, meta[http-equiv], [srcdoc], [background], [style], form[action]';
  const found = [...document.querySelectorAll(bad)].map((node) => node.tagName);
  for (const node of document.querySelectorAll('script, img'))
    if (!ours(node.getAttribute('src') ?? '')) found.push(node.tagName);
  for (const node of document.querySelectorAll('a, link'))
    if (!/^(#main$|\\/console)/.test(node.getAttribute('href') ?? '')) found.push(node.tagName);
  for (const node of document.querySelectorAll('*'))
    for (const { name } of node.attributes) if (name.startsWith('on')) found.push(name);
  const hidden = /[\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\u00ad]/;
  if (hidden.test(document.querySelector('main').textContent)) found.push('hidden character');
  if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the window');
  return found;
};"""
WALK = """async (count) => {
  %s
  const found = [];
  const at = () => document.getElementById('position').textContent;
  for (let n = 1; n <= count; n += 1) {
    for (let waits = 0; !at().startsWith(`${n} of ${count}`); waits += 1) {
      if (waits > 500) return [`waited for ${n}, saw ${at()}`];
      await new Promise((done) => setTimeout(done, 20));
    }
    found.push(...strange());
    dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
  }
  return found;
}"""
SHOW_ALL = {"hide_text": False}


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


def in_conflict(stage: Stage, texts: Sequence[Any], *, kind: str = "single") -> str:
    """A session whose every text got two different answers."""
    people = {"overlap": 2, "resolution": "unanimous", "metadata_shown": ["channel"]}
    session = stage.session(texts, kind=kind, people=people)
    items = sorted(stage.items(session).values(), key=lambda row: row["position"])
    for label, who in (("threat", "rev_one"), ("calm", "rev_two")):
        rows = [{"item_id": item["id"], "label": label, "note": f"why {label}"} for item in items]
        stage.send("POST", f"/sessions/{session}/label", {"labels": rows, "annotator_id": who})
    return session


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
    session = in_conflict(stage, [SEED, "a second text"])
    tab = stage.tab("reviewer")
    page = tab.open(f"/console/sessions/{session}/adjudicate", ready="#work:not([hidden])")
    voices = page.locator(".voice")
    assert voices.count() == 2
    assert "rev_one" not in page.content()
    tab.press("2")
    page.get_by_label("Why").fill("It is meant to belittle, 3")
    page.locator("#item").focus()
    tab.press("Enter")
    page.get_by_text("Decided: Insult").wait_for()
    assert {"rev_one", "rev_two"} <= set(page.content().replace("<", ">").split(">"))
    tab.press("Enter")
    shown(tab, "2 of 2")
    tab.press("3", "Enter")
    page.get_by_text("Decided: Threat").wait_for()
    tab.press("Enter")
    page.get_by_role("heading", name="All of these are decided").wait_for()
    found = {row["external_id"]: row["labels"] for row in stage.items(session).values()}
    assert found == {"row-0": ["insult"], "row-1": ["threat"]}


# --- flags ------------------------------------------------------------------------------------


def flagged(stage: Stage, session: str, reason: Any = "other") -> None:
    """An open flag for each text of the session, by somebody."""
    now = stage.service.clock.now()
    with stage.service.store.write() as tx:
        for item in stage.items(session).values():
            flag = Flag(
                id=stage.service.ids.new("flg"),
                tenant_id=stage.tenant_id,
                session_id=session,
                item_id=item["id"],
                assignment_id=None,
                annotator_id="per_somebody",
                reason=reason,
                note=item["text"][:2000],
                state="open",
                resolution=None,
                resolved_by=None,
                created_at=now,
                resolved_at=None,
            )
            tx.flags.add(flag)


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


# --- hostile text through every page ----------------------------------------------------------


@pytest.fixture(scope="module")
def payloads() -> list[str]:
    texts = hostile_texts()
    assert len(texts) >= 200
    return texts


def clean(tab: Tab) -> None:
    """Nothing came to life, nothing hides, and the page is as wide as the window."""
    assert tab.page.evaluate(f"() => {{ {STRANGE} return strange(); }}") == []
    assert tab.surprises == []


def test_hostile_text_stays_text_while_annotating(stage: Stage, payloads: list[str]) -> None:
    longest = sorted(payloads, key=len, reverse=True)
    count = 18
    rows = [
        {
            "text": longest[n],
            "lang": "en",
            "metadata": {
                "context": [
                    {"author": text[:50], "text": text[:300]}
                    for text in longest[n + count :: count]
                ],
                "channel": longest[n][:300],
            },
        }
        for n in range(count)
    ]
    session = stage.session(rows, people={"metadata_shown": ["channel"]}, name="<b>\u202ename</b>")
    tab = stage.tab(viewport={"width": 360, "height": 740})
    page = tab.open(f"/console/sessions/{session}/annotate", ready="#work:not([hidden]) .the-text")
    for number in range(len(rows)):
        page.get_by_role("heading", name=f"Text {number + 1} of this sitting").wait_for()
        clean(tab)
        tab.answer("1")
    page.get_by_role("heading", name="Nothing is waiting").wait_for()


def test_hostile_text_stays_text_in_review(stage: Stage, payloads: list[str]) -> None:
    pairs = list(zip(payloads[::2], payloads[1::2], strict=True))
    session = stage.session([seed for seed, _ in pairs])
    stage.propose(session, {f"row-{n}": [written] for n, (_, written) in enumerate(pairs)})
    tab = stage.tab("reviewer", viewport={"width": 360, "height": 740})
    review(tab, session)
    assert tab.page.evaluate(WALK.replace("%s", STRANGE), len(pairs)) == []
    clean(tab)


def test_hostile_text_stays_text_in_adjudication(stage: Stage, payloads: list[str]) -> None:
    pairs = list(zip(payloads[::2], payloads[1::2], strict=True))
    rows = [
        {"text": text, "metadata": {"context": [{"author": other[:100], "text": other[:900]}]}}
        for text, other in pairs
    ]
    session = in_conflict(stage, rows)
    tab = stage.tab("reviewer", viewport={"width": 360, "height": 740})
    tab.open(f"/console/sessions/{session}/adjudicate", ready="#work:not([hidden])")
    assert tab.page.evaluate(WALK.replace("%s", STRANGE), len(pairs)) == []
    clean(tab)


def test_hostile_text_stays_text_among_flags(stage: Stage, payloads: list[str]) -> None:
    session = stage.session(payloads)
    flagged(stage, session)
    tab = stage.tab("reviewer", viewport={"width": 360, "height": 740})
    tab.prefer(SHOW_ALL)
    page = tab.open(f"/console/sessions/{session}/flags", ready="#flags section")
    while page.locator("#more").is_visible():
        count = page.locator("#flags section").count()
        page.locator("#more").click()
        page.wait_for_function(
            "(count) => document.querySelectorAll('#flags section').length > count", arg=count
        )
    assert page.locator("#flags section").count() == len(payloads)
    clean(tab)
