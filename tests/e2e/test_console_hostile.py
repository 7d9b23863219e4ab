"""Some two hundred hostile texts through every page of the console, as every kind of text."""

from __future__ import annotations

import pytest

from tests.e2e.console_scenes import flagged, in_conflict, joined
from tests.e2e.console_stage import Stage, Tab
from tests.e2e.hostile_pages import STRANGE, WALK, clean
from tests.e2e.hostile_texts import hostile_texts

pytestmark = pytest.mark.slow

SHOW_ALL = {"hide_text": False}


@pytest.fixture(scope="module")
def payloads() -> list[str]:
    texts = hostile_texts()
    assert len(texts) >= 200
    return texts


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
    tab.open(f"/console/sessions/{session}/review", ready="#work:not([hidden]) .the-text")
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


# --- names, labels, guidelines: what leads and people themselves write ------------------------


JOIN = """async (fragments) => {
  const strange = [];
  for (const [n, fragment] of fragments.entries()) {
    location.hash = fragment;
    await import(`/console/static/join.js?n=${n}`);
    if (location.hash) strange.push(`left in the address: ${n}`);
    document.querySelector('#join-actions button').click();
    const said = () => document.getElementById('join-state').textContent;
    for (let waits = 0; !said().startsWith('This link does not work'); waits += 1) {
      if (waits > 500) { strange.push(`${n}: ${said()}`); break; }
      await new Promise((done) => setTimeout(done, 10));
    }
  }
  return strange;
}"""
NARROW = {"width": 360, "height": 740}


def errors(tab: Tab) -> list[str]:
    """What the browser's console says from now on, refusals included."""
    found: list[str] = []
    tab.page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found


@pytest.fixture(scope="module")
def people(console: Stage, payloads: list[str]) -> list[str]:
    """Ids of people of whom each has a hostile name."""
    return [joined(console, text[:100]) for text in payloads]


@pytest.fixture(scope="module")
def ruled(console: Stage, payloads: list[str], people: list[str]) -> list[str]:
    """Sessions whose every word is hostile: labels, guidelines, support, metadata, people."""
    half = len(payloads) // 2
    return [_ruled(console, part, people) for part in (payloads[:half], payloads[half:])]


def _ruled(stage: Stage, texts: list[str], people: list[str]) -> str:
    labels = [
        {
            "id": f"label-{n}",
            "name": text[:200],
            "definition": text[:4000],
            "examples": [text[:2000]],
        }
        for n, text in enumerate(texts)
    ]
    settings = {
        "overlap": 10,
        "resolution": "unanimous",
        "support_text": " | ".join(text[:60] for text in texts)[:2000],
        "metadata_shown": [text[:200] for text in texts][:50],
    }
    document = {
        "name": texts[0],
        "task": {"type": "single", "labels": labels},
        "guidelines": "\n\n".join(text[:900] for text in texts),
        "settings": {
            "encoder": "hashing",
            "oracle": "human",
            "min_distance": 0.0,
            "people": settings,
        },
    }
    session = str(stage.send("POST", "/sessions", document)["id"])
    items = [
        {
            "external_id": f"n{n}",
            "text": f"note {n} {texts[n]}",
            "metadata": {text[:200]: text[:300] for text in texts[n * 4 : n * 4 + 4]},
        }
        for n in range(12)
    ]
    checks = [{"external_id": "c", "text": "known", "split": "check", "gold": "label-0"}]
    stage.send("POST", f"/sessions/{session}/items", {"items": [*items, *checks]})
    batch = stage.send("POST", f"/sessions/{session}/select", {"size": 11})
    for place, item in enumerate(batch["items"]):
        for voice, who in enumerate(people[place * 10 : place * 10 + 10]):
            row = {"item_id": item["id"], "label": f"label-{(place * 10 + voice) % len(texts)}"}
            row["note"] = texts[voice][:2000]
            stage.send("POST", f"/sessions/{session}/label", {"labels": [row], "annotator_id": who})
    return session


def test_hostile_names_stay_names_on_the_people_page(
    stage: Stage, payloads: list[str], people: list[str]
) -> None:
    for text in payloads:
        stage.invite("reviewer", name=text[:100])
    tab = stage.tab("lead", name=payloads[0], viewport=NARROW)
    said = errors(tab)
    page = tab.open("/console/people", ready="#people li")
    assert page.locator("#people li").count() >= len(people)
    assert page.locator("#invitations li").count() >= len(payloads)
    clean(tab)
    page.get_by_role("button", name="New link for").first.click()
    page.locator("#link").wait_for()
    clean(tab)
    page.locator("#people button.bad").first.click()
    page.get_by_role("dialog").wait_for()
    clean(tab)
    assert said == []


def test_hostile_names_of_sessions_stay_names(stage: Stage, payloads: list[str]) -> None:
    task = {"type": "single", "labels": [{"id": "a"}, {"id": "b"}]}
    for text in payloads:
        stage.send("POST", "/sessions", {"name": text[:200], "task": task})
    tab = stage.tab("lead", name=payloads[1], viewport=NARROW)
    said = errors(tab)
    page = tab.open("/console", ready="#sessions .card")
    assert page.locator("#sessions .card").count() >= len(payloads)
    clean(tab)
    page = tab.open("/console/people", ready="#people li")
    assert page.locator("#session option").count() >= 200
    clean(tab)
    assert said == []


def test_hostile_rules_stay_text_on_the_lead_page(stage: Stage, ruled: list[str]) -> None:
    tab = stage.tab("lead", viewport=NARROW)
    said = errors(tab)
    for session in ruled:
        page = tab.open(f"/console/sessions/{session}/lead", ready="#balance summary")
        page.locator("#agreement table").first.wait_for(state="attached")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        clean(tab)
    assert said == []


def test_hostile_rules_stay_text_while_annotating(stage: Stage, ruled: list[str]) -> None:
    tab = stage.tab("lead", viewport=NARROW)
    said = errors(tab)
    for session in ruled:
        stage.send("POST", f"/sessions/{session}/select", {"size": 1, "allow_parallel": True})
        page = tab.open(
            f"/console/sessions/{session}/annotate", ready="#work:not([hidden]) .the-text"
        )
        tab.press("g")
        page.locator("#guidelines-search").fill("alert")
        clean(tab)
        page.locator("#item").focus()
        tab.press("3")
        page.get_by_role("heading", name="Nothing is waiting").wait_for()
        clean(tab)
    assert said == []


def test_hostile_names_stay_names_after_a_decision(stage: Stage, ruled: list[str]) -> None:
    tab = stage.tab("reviewer", viewport=NARROW)
    said = errors(tab)
    for session in ruled:
        page = tab.open(
            f"/console/sessions/{session}/adjudicate", ready="#work:not([hidden]) .voice"
        )
        for number in range(1, 12):
            page.locator("#position", has_text=f"{number} of 11").wait_for()
            clean(tab)
            tab.press("1", "Enter")
            page.get_by_text("Decided:").wait_for()
            assert page.locator(".voice .who bdi").count() == 10
            clean(tab)
            tab.press("Enter")
    assert said == []


def test_a_persons_own_hostile_settings_stay_text(stage: Stage, payloads: list[str]) -> None:
    tab = stage.tab(name=payloads[2], viewport=NARROW)
    said = errors(tab)
    topics = [text[:100] for text in payloads]
    for first in range(0, len(topics), 50):
        tab.prefer({"avoid_topics": topics[first : first + 50]})
        tab.open("/console/settings", ready="#save:enabled")
        clean(tab)
    assert said == []


def test_a_link_that_is_none_stays_text(stage: Stage, payloads: list[str]) -> None:
    tab = stage.stranger(viewport=NARROW)
    tab.open("/console/join", ready="#join-actions a")
    assert tab.page.evaluate(JOIN, [*(text[:300] for text in payloads), "%", "%zz", "cut%e"]) == []
    clean(tab)
