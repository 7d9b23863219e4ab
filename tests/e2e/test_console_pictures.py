"""The pictures that the README shows, taken of the console as it is.

``PICTURES=docs/images pytest -n 0 tests/e2e/test_console_pictures.py`` renews them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.demo.bundled import MESSAGES
from tailwise_client import Tailwise, run_loop
from tests.e2e.console_stage import Stage

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CLASSES = {
    "self-harm": "Self-harm",
    "medical": "Medical",
    "legal": "Legal",
    "financial": "Financial",
    "emergency": "Emergency",
    "no-harm": "No harm",
}
COLUMNS = {"external_id": "id", "text": "text", "gold": "label", "split": "split"}
LEAST_BYTES = 30_000
"""An empty page is a tenth of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    asked = os.environ.get("PICTURES")
    return ROOT / asked if asked else tmp_path


def test_the_page_where_a_moderator_labels(stage: Stage, folder: Path) -> None:
    text = {
        "text": "you better not show up at the harbour tomorrow, some of us remember what you "
        "wrote about my brother",
        "metadata": {
            "context": [
                {"author": "mira", "text": "Are you all coming to the meeting tomorrow?"},
                {
                    "author": "jon",
                    "text": "I will be there. The plan for the harbour is a disgrace and I will "
                    "say so.",
                },
            ],
            "channel": "#harbour",
            "posted": "yesterday",
        },
    }
    people = {
        "metadata_shown": ["channel", "posted"],
        "support_text": "If a text weighs on you, stop and call 0800 555 123, day and night.",
        "support_url": "https://example.org/support",
    }
    session = stage.session([text], people=people)
    tab = stage.tab("lead", viewport={"width": 1280, "height": 760})
    page = tab.open(f"/console/sessions/{session}/annotate", ready="#work:not([hidden]) .the-text")
    picture = folder / "console-annotate.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > LEAST_BYTES


def test_the_page_of_a_lead(stage: Stage, folder: Path) -> None:
    with Tailwise(stage.url, stage.token) as client:
        session = client.create_session(
            "demo: bundled corpus",
            labels=[{"id": id, "name": name} for id, name in CLASSES.items()],
            settings={"oracle": "gold", "generator": "simulated", "batch_size": 20, "seed": 1},
        )
        session.upload(MESSAGES, columns=COLUMNS)
        run_loop(session, annotate="oracle", rounds=4)
        tab = stage.tab("lead", name="Mara Lindqvist", viewport={"width": 1200, "height": 1747})
        page = tab.open(f"/console/sessions/{session.id}/lead", ready="#balance svg")
    page.wait_for_load_state("networkidle")
    picture = folder / "console-lead.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > LEAST_BYTES
