"""A model that the pages' servers can ask: it writes variations and judges texts, on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.completions_server import MODEL, completion, completions_server
from tests.messages_server import KEY, Handler

JUDGED = re.compile(r'<data name="texts">\n(.*?)\n</data>', re.DOTALL)
WRITTEN = ("the kettle is on the stove again", "please bring the blue folder tomorrow", "all quiet")
THREATS = re.compile(r"find you|sorry")


def reply(handler: Handler) -> None:
    """Opinions where texts are shown, variations otherwise; it never judges a question."""
    prompt = str(handler.fake.requests[-1].body["messages"][1]["content"])
    found = JUDGED.search(prompt)
    if found is None:
        document: dict[str, Any] = {"variations": [{"text": text} for text in WRITTEN]}
    else:
        document = {"answers": [_opinion(row) for row in json.loads(found[1])]}
    handler.json(200, completion(json.dumps(document)))


def _opinion(row: dict[str, Any]) -> dict[str, Any]:
    unsure = row["text"].endswith("?")
    labels = [] if unsure else ["harm" if THREATS.search(row["text"]) else "none"]
    return {"n": row["n"], "labels": labels, "confidence": 0.9, "abstain": unsure}


@contextmanager
def a_model() -> Iterator[dict[str, str]]:
    """The settings that name it."""
    with completions_server(reply) as fake:
        yield {"openai_base_url": fake.url, "openai_model": MODEL, "openai_api_key": KEY}
