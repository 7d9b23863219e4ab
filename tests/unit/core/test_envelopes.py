"""The message that an event becomes."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.envelopes import encode, envelope
from core.events import EVENT_TYPES
from core.records import Event

CORE = Path(__file__).parents[3] / "core"
KINDS = r"(session|batch|items?|labels?|generations?|model|operation|pool|endpoint)\.[a-z_]+"


def event(type: str = "items.added", **data: object) -> Event:
    return Event(
        id="evt_1",
        tenant_id="ten_a",
        session_id="ses_1",
        sequence=7,
        type=type,
        data=data,
        created_at=datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
    )


def test_it_says_what_when_whose_and_where():
    assert envelope(event(count=2)) == {
        "type": "items.added",
        "timestamp": "2026-03-01T12:00:00.000005Z",
        "tenant_id": "ten_a",
        "data": {"count": 2, "session_id": "ses_1", "sequence": 7},
    }


def test_a_batch_that_is_ready_says_where_its_items_are():
    data = envelope(event("batch.ready", batch_id="bat_1"))["data"]
    assert data["items_url"] == "/v1/sessions/ses_1/items?batch_id=bat_1"
    assert data["expires_at"] is None


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=9_000), max_size=6))
def test_it_stays_under_twenty_kilobytes_and_says_what_it_left_out(data):
    document = envelope(event(**{f"x{name}": value for name, value in data.items()}))
    assert len(encode(document)) < 20_000
    told = document["data"]
    assert told["sequence"] == 7
    missing = {f"x{name}" for name in data} - set(told)
    assert missing == set(told.get("omitted", ()))


def test_every_type_that_the_core_announces_can_be_asked_for():
    found = set()
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(KINDS, node.value) else set()
    assert found - EVENT_TYPES == set()
