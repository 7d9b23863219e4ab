"""The console in a real browser: a whole service in this process, people, and their tabs."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from api.app import create_app
from api.cookies import COOKIE
from core.access import SCOPES, mint_key
from core.ports import Clock
from core.records import Generation, Screen
from runtime.tailwise import Tailwise
from tests.conftest import build_inline

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LABELS = (
    {
        "id": "calm",
        "name": "No harm",
        "definition": "Ordinary talk, disagreement included.",
        "examples": ["I think your plan is wrong."],
    },
    {
        "id": "insult",
        "name": "Insult",
        "definition": "Words meant to belittle the person they are addressed to.",
        "examples": ["What a clown you are."],
    },
    {
        "id": "threat",
        "name": "Threat",
        "definition": "Announces harm to somebody, seriously or not.",
        "examples": ["Better watch your step on the way home."],
    },
)
GUIDELINES = """# What to look for

Judge the text as a reader would who does not know the writer.

An announced harm is a threat, also when it is meant as a joke.

When two labels fit, choose the graver one."""
COUNTER = itertools.count(1)


@dataclass(kw_only=True)
class Tab:
    """One person's browser window, and everything in it that must not happen."""

    page: Page
    context: BrowserContext
    person_id: str = ""
    surprises: list[str] = field(default_factory=list)

    def open(self, path: str, *, ready: str) -> Page:
        """Go to a page of the console and wait until ``ready`` is visible."""
        self.page.goto(path)
        self.page.locator(ready).first.wait_for(state="visible")
        return self.page

    def prefer(self, preferences: Mapping[str, Any]) -> None:
        """Set the person's own preferences, from a page of the server."""
        self.open("/console/join", ready="h1")
        script = """async (own) => (await fetch('/v1/me', {method: 'PATCH', body: JSON.stringify(
            {preferences: own}), headers: {'Content-Type': 'application/json'}})).status"""
        assert self.page.evaluate(script, dict(preferences)) == 200

    def settle(self) -> None:
        """Past the moment in which an answering key does not count yet."""
        self.page.wait_for_timeout(170)

    def answer(self, *keys: str) -> None:
        """Keys that each end with another text, or with none left."""
        for key in keys:
            title = self.page.locator("#item-title").inner_text()
            self.press(key)
            self.page.wait_for_function(
                "(title) => document.getElementById('item-title').textContent !== title"
                " || !document.getElementById('rest').hidden",
                arg=title,
            )

    def press(self, *keys: str) -> None:
        """Keys one after the other, each once the page takes it."""
        for key in keys:
            self.settle()
            self.page.keyboard.press(key)


@dataclass(kw_only=True)
class MovedClock:
    """The service's own clock, and how far a test has moved it."""

    real: Clock
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return self.real.now() + self.ahead


@dataclass(kw_only=True)
class Stage:
    """A service with one tenant behind a real HTTP server."""

    service: Tailwise
    clock: MovedClock
    client: FlaskClient
    url: str
    token: str
    browser: Browser
    tabs: list[Tab] = field(default_factory=list)

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """As the tenant's admin; answers the document of what must succeed."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": f"stage-{next(COUNTER)}",
        }
        if path in {"/invitations", "/sign-in"}:
            del headers["Idempotency-Key"]
        answer = self.client.open(f"/v1{path}", method=method, json=document, headers=headers)
        assert answer.status_code // 100 == 2, (path, answer.status_code, answer.json)
        return answer.json

    def session(
        self,
        texts: Sequence[str | Mapping[str, Any]],
        *,
        kind: str = "single",
        people: Mapping[str, Any] | None = None,
        name: str = "Community safety",
    ) -> str:
        """An open session whose every text waits in one batch; answers its id."""
        settings = {
            "encoder": "hashing",
            "oracle": "human",
            "batch_size": len(texts),
            "min_distance": 0.0,
            "people": dict(people or {}),
        }
        made = self.send(
            "POST",
            "/sessions",
            {
                "name": name,
                "task": {"type": kind, "labels": list(LABELS)},
                "guidelines": GUIDELINES,
                "settings": settings,
            },
        )
        rows = [{"text": row} if isinstance(row, str) else dict(row) for row in texts]
        items = [{"external_id": f"row-{n}", **row} for n, row in enumerate(rows)]
        self.send("POST", f"/sessions/{made['id']}/items", {"items": items})
        self.send("POST", f"/sessions/{made['id']}/select", {"size": len(texts)})
        return str(made["id"])

    def invite(self, role: str, *, name: str = "Ada Lind") -> str:
        """The path of a link for somebody new."""
        return str(self.send("POST", "/invitations", {"name": name, "role": role})["url"])

    def tab(self, role: str = "annotator", *, name: str = "Ada Lind", **options: Any) -> Tab:
        """Somebody new, signed in by a fresh link; ``options`` are the browser window's."""
        tab = self.stranger(**options)
        token = self.invite(role, name=name).partition("#")[2]
        answer = self.client.post("/v1/sign-in", json={"token": token})
        cookie = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        found = {"name": COOKIE, "value": cookie, "url": self.url, "httpOnly": True}
        tab.context.add_cookies([{**found, "sameSite": "Strict"}])
        tab.person_id = answer.json["person"]["id"]
        self.client.delete_cookie(COOKIE)
        return tab

    def stranger(self, **options: Any) -> Tab:
        """A browser window in which nobody is signed in."""
        size = options.pop("viewport", {"width": 1280, "height": 800})
        context = self.browser.new_context(base_url=self.url, viewport=size, **options)
        context.set_default_timeout(30_000)
        tab = Tab(page=context.new_page(), context=context)
        watch(tab, self.url)
        self.tabs.append(tab)
        return tab

    def labels(self, session_id: str) -> list[dict[str, Any]]:
        """Every label event of the session, in order."""
        found = self.send("GET", f"/sessions/{session_id}/labels?limit=500")
        return list(found["data"])

    def items(self, session_id: str) -> dict[str, dict[str, Any]]:
        """Items by external id."""
        found = self.send("GET", f"/sessions/{session_id}/items?limit=500")
        return {row["external_id"]: row for row in found["data"]}

    def propose(self, session_id: str, texts: Mapping[str, Sequence[str]]) -> list[str]:
        """Variations by the external id of their seed, as a generation would leave them."""
        items = self.items(session_id)
        session = self.service.session(self.tenant_id, session_id)
        rows = [
            _variation(session.tenant_id, session_id, items[seed]["id"], text, number=next(COUNTER))
            for seed, written in texts.items()
            for text in written
        ]
        with self.service.store.write() as tx:
            tx.generations.add_many(
                [replace(row, created_at=self.service.clock.now()) for row in rows]
            )
        return [row.id for row in rows]

    @property
    def tenant_id(self) -> str:
        return "ten_console"


def watch(tab: Tab, url: str) -> None:
    """Note dialogs, errors, refused resources and requests elsewhere as surprises."""

    def dialog(found: Any) -> None:
        tab.surprises.append(f"dialog: {found.type}")
        found.dismiss()

    def request(found: Any) -> None:
        if not found.url.startswith(url):
            tab.surprises.append(f"request: {found.url[:80]}")

    def message(found: Any) -> None:
        about = ("Content Security Policy", "Content-Security-Policy")
        if any(words in found.text for words in about):
            tab.surprises.append(f"policy: {found.text[:160]}")

    tab.page.on("dialog", dialog)
    tab.page.on("request", request)
    tab.page.on("console", message)
    tab.page.on("pageerror", lambda error: tab.surprises.append(f"error: {error}"))


def _variation(
    tenant_id: str, session_id: str, seed_item_id: str, text: str, *, number: int
) -> Generation:
    passed = [Screen(check=name, passed=True) for name in ("schema", "length", "meta_text")]
    return Generation(
        id=f"gen_{number:026d}",
        tenant_id=tenant_id,
        session_id=session_id,
        operation_id=f"op_{number}",
        round=1,
        seed_item_id=seed_item_id,
        seed_label_id=f"lab_{number}",
        text=text,
        labels=("threat",),
        original_text=None,
        original_labels=None,
        state="proposed",
        screens=(*passed, Screen(check="learner_agreement", passed=False, value=0.2)),
        needs_review=True,
        generator="simulated",
        model="simulated-1",
        template_id="attributes",
        template_version=1,
        template_sha256="0" * 64,
        attributes=("tone: calm", "place: club"),
        example_ids=(),
        contrast="insult",
        prompt_sha256="0" * 64,
        response_sha256="0" * 64,
        request_id=None,
        reviewer=None,
        reason=None,
        revision=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        reviewed_at=None,
    )


@contextmanager
def serving_console(folder: Path) -> Iterator[Stage]:
    """The service, its server in a thread, and a browser; skips where there is none."""
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"browser tests need Chromium at {CHROMIUM}")
    built = build_inline(folder / "data", cursor_secret="c" * 40, sign_ins_per_minute=0)
    clock = MovedClock(real=built.clock)
    service = replace(built, clock=clock)
    app = create_app(service)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        stage = Stage(
            service=service,
            clock=clock,
            client=app.test_client(),
            url=f"http://127.0.0.1:{server.server_port}",
            token=_key(service),
            browser=browser,
        )
        yield stage
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()
    service.store.close()  # type: ignore[attr-defined]


def _key(service: Tailwise) -> str:
    now = service.clock.now()
    minted = mint_key(
        tenant_id="ten_console",
        name="stage",
        scopes=SCOPES,
        session_id=None,
        ids=service.ids,
        now=now,
    )
    with service.store.write() as tx:
        tx.access.ensure_tenant("ten_console", name="Console", now=now)
        tx.access.add_key(minted.key)
    return minted.token
