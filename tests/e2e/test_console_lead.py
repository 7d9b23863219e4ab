"""The lead's pages in a real browser, over a real server and its worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.console_stage import ARGUMENTS, CHROMIUM, Tab, watch
from tests.e2e.running import Caller, labelled, opened, rows, trained
from tests.e2e.server import Server, serving

pytestmark = pytest.mark.slow
REFUSED = "console: 409 /select"
"""What a browser says of a request that was refused, which the page then explains."""
FIGURES = (
    "balance evenness cost map entropy curve calibration confusion agreement checks funnel stopping"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """API and worker; browser tests are skipped before it starts where they cannot run."""
    pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"browser tests need Chromium at {CHROMIUM}")
    with serving(tmp_path_factory.mktemp("lead"), sign_ins_per_minute=0) as found:
        yield found


@pytest.fixture(scope="module")
def caller(server: Server) -> Iterator[Caller]:
    with server.caller() as found:
        yield found


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield found
        found.close()


def link(caller: Caller, role: str) -> str:
    """The path of a link for somebody new."""
    made = caller.made("/v1/invitations", {"name": "Mara", "role": role}, key=None)
    return str(made["url"])


@pytest.fixture
def tab_of(server: Server, caller: Caller, browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens windows of signed-in people; nothing unexpected may have happened in them."""
    tabs: list[Tab] = []

    def make(role: str = "lead", *, path: str | None = None, **options: Any) -> Tab:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(base_url=server.url, **options)
        context.set_default_timeout(30_000)
        tab = Tab(page=context.new_page(), context=context, person_id="")
        watch(tab, server.url)
        tab.page.on("console", lambda found: _error(tab, found))
        tab.page.goto(path or link(caller, role))
        tab.page.locator("#join-actions button").click()
        tab.page.wait_for_url(f"{server.url}/console")
        tabs.append(tab)
        return tab

    yield make
    surprises = [surprise for tab in tabs for surprise in tab.surprises]
    for tab in tabs:
        tab.context.close()
    assert surprises == []


def _error(tab: Tab, found: Any) -> None:
    if found.type == "error":
        where = urlsplit(found.location.get("url", "")).path.rsplit("/", 1)[-1]
        status = re.search(r"status of (\d+)", found.text)
        tab.surprises.append(f"console: {status[1]} /{where}" if status else found.text)


@pytest.fixture(scope="module")
def played(caller: Caller) -> str:
    """A simulated session with a model and an open batch, for tests that only look."""
    path = opened(caller)
    labelled(caller, path)
    trained(caller, path)
    caller.made(f"{path}/select", {"size": 8})
    return path


def lead_of(path: str) -> str:
    return path.replace("/v1/", "/console/") + "/lead"


def operation(page: Any, kind: str, state: str) -> Any:
    """The listed operation of that kind, once it is in that state."""
    row = page.locator("#operations li", has_text=kind).filter(has_text=state)
    row.wait_for()
    return row


# --- work -------------------------------------------------------------------------------


def test_a_retrain_is_watched_until_it_is_done(caller, tab_of):
    path = opened(caller)
    labelled(caller, path)
    page = tab_of().open(lead_of(path), ready="#do-retrain.main")
    page.click("#do-retrain")
    page.click("dialog button.main")
    assert "model 1, macro-F1" in operation(page, "Retrain", "succeeded").inner_text()
    page.locator("#curve .said", has_text="after 40 labels").wait_for()
    page.locator("#phase", has_text="Ready for the next batch").wait_for()


def test_an_operation_shows_itself_while_it_waits_and_can_be_cancelled(server, caller, tab_of):
    path = opened(caller)
    labelled(caller, path)
    page = tab_of().open(lead_of(path), ready="#do-retrain.main")
    server.kill_worker()
    try:
        page.click("#do-retrain")
        page.click("dialog button.main")
        running = page.locator("#running li")
        running.locator("progress").wait_for()
        assert "Retrain" in running.inner_text()
        running.get_by_role("button", name="Cancel").click()
    finally:
        server.start_worker()
    operation(page, "Retrain", "cancelled")
    page.locator("#idle", has_text="Nothing runs now").wait_for()


def test_a_batch_is_selected_and_taken_back(caller, tab_of):
    path = opened(caller)
    page = tab_of().open(lead_of(path), ready="#do-select.main")
    page.click("#do-select")
    page.fill("#size", "7")
    page.click("dialog button.main")
    page.get_by_text("0 of 7 texts of round 1 have their answer").wait_for()
    page.click("#do-cancel")
    page.click("dialog button.main")
    page.locator("#phase", has_text="Ready for the next batch").wait_for()
    assert caller.read(path)["counts"]["selected"] == 0


def test_variations_are_priced_before_they_are_written(caller, tab_of):
    path = opened(caller, generator="simulated")
    labelled(caller, path)
    page = tab_of().open(lead_of(path), ready="#do-generate:enabled")
    page.click("#do-generate")
    page.get_by_role("heading", name="Estimate").wait_for()
    assert "$0.00" in page.locator(".plan").inner_text()
    page.locator("dialog button.main", has_text="variations").click()
    assert "variations" in operation(page, "Generate", "succeeded").inner_text()
    page.locator("#funnel .said", has_text="written variations").wait_for()


def test_a_refusal_is_shown_in_the_servers_words(caller, tab_of):
    path, tab = opened(caller), tab_of()
    page = tab.open(lead_of(path), ready="#do-select.main")
    page.click("#do-select")
    caller.made(f"{path}/select", {"size": 3})
    page.click("dialog button.main")
    page.locator("dialog [role=alert]", has_text="batch").wait_for()
    tab.surprises.remove(REFUSED)


# --- pictures ---------------------------------------------------------------------------


def test_the_map_tells_ids_and_never_a_text(played, tab_of):
    tab = tab_of()
    page = tab.open(lead_of(played), ready="#map .map .ring")
    page.locator("#map svg.chart").scroll_into_view_if_needed()
    page.locator("#map .map .ring").first.hover(force=True)
    hint = page.locator("#map .hint-text")
    assert hint.text_content().startswith("itm_")
    assert "entropy" in hint.text_content()
    shown = page.content()
    assert [row["text"] for row in rows() if row["text"] in shown] == []


def test_the_ringed_batch_can_be_walked_by_keyboard(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#map .map .ring")
    page.locator("#map svg.chart").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#status", has_text="in the ringed batch").wait_for(state="attached")
    assert page.locator("#map .hint").get_attribute("visibility") == "visible"


def test_another_batch_can_be_ringed(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#map .map .ring")
    assert page.locator("#map .map .ring").count() == 8
    page.locator("#map-batch").select_option(index=1)
    page.locator("#map .key", has_text="40 texts").wait_for()
    assert page.locator("#map .map .ring").count() == 40


def test_one_cluster_can_be_singled_out(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#map .chip")
    clusters = page.locator("#map .cluster").count()
    page.locator("#map .chip").first.click()
    page.locator("#map .chip[aria-pressed=true]").wait_for()
    assert page.locator("#map .cluster.dim").count() == clusters - 1


def test_every_picture_has_words_a_table_and_its_numbers(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#map .map .ring")
    unsaid = page.locator("svg.chart:not([role=img][aria-label])").count()
    untold = page.locator("table:not(:has(caption)), th:not([scope])").count()
    tables = {name: page.locator(f"#{name} table").count() for name in FIGURES.split()}
    links = {name: page.locator(f"#{name} a", has_text="JSON").count() for name in FIGURES.split()}
    assert (unsaid, untold) == (0, 0)
    assert [name for name, count in tables.items() if not count] == [
        "cost",
        "agreement",
        "checks",
        "funnel",
    ]
    assert [name for name, count in links.items() if not count] == []


def test_a_simulated_session_says_why_it_has_no_random_baseline(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#curve .said")
    assert "no random baseline yet" in page.locator("#curve").inner_text()


def test_no_style_is_written_into_an_element(played, tab_of):
    page = tab_of().open(lead_of(played), ready="#map .map .ring")
    assert page.locator("[style]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_narrow_window(played, tab_of, scheme):
    tab = tab_of(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    page = tab.open(lead_of(played), ready="#map .map .ring")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# --- people -----------------------------------------------------------------------------


def test_a_person_is_invited_by_a_link_that_is_shown_once(tab_of):
    page = tab_of().open("/console/people", ready="#people li")
    page.fill("#name", "Ada Nwosu")
    page.select_option("#role", "annotator")
    page.click("#invite button")
    made = page.locator("#link").input_value()
    page.locator("#invitations", has_text="Ada Nwosu").wait_for()
    page.reload()
    page.locator("#invitations", has_text="Ada Nwosu").wait_for()
    assert page.locator("#link").count() == 0
    assert made.partition("#")[2] not in page.content()
    guest = tab_of(path=made)
    assert guest.page.locator(".who").inner_text().startswith("Ada Nwosu")


def test_a_revoked_person_is_signed_out(caller, tab_of):
    made = caller.made("/v1/invitations", {"name": "Bo Gone", "role": "annotator"}, key=None)
    guest = tab_of(path=made["url"])
    page = tab_of().open("/console/people", ready="#people li")
    page.get_by_role("button", name="Revoke Bo Gone").click()
    page.locator("dialog button.bad").click()
    page.locator("#people li", has_text="Bo Gone").get_by_text("revoked", exact=True).wait_for()
    assert guest.page.goto("/console/settings").status == 401
    guest.surprises.clear()


def test_an_annotator_finds_no_way_to_the_leads_pages(played, tab_of):
    tab = tab_of("annotator")
    assert tab.page.locator("a[href='/console/people']").count() == 0
    assert tab.page.goto(lead_of(played)).status == 403
    tab.surprises.clear()
