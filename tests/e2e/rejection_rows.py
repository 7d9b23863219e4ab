"""One row of the table of refusals, and the ways to ask for one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.e2e.rejection_stage import Stage, sent

JSON = {"Content-Type": "application/json"}
UNKNOWN = "itm_01JD3V7Q6S0000000000000000"
Ask: TypeAlias = Callable[[Stage, str], Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """``on`` names the session, ``extras`` what a program can act on (None = any value)."""

    on: str
    ask: Ask
    status: int
    code: str
    pointer: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


def post(path: str, document: Any = None, **options: Any) -> Ask:
    return lambda stage, session: stage.caller.post(
        session + path, filled(document, stage), **options
    )


def label(answer: Mapping[str, Any], **more: Any) -> Ask:
    return post("/label", {"labels": [answer], **more})


def upload(body: bytes, *, query: str = "", **options: Any) -> Ask:
    return post(f"/imports{query}", **sent(body, **options))


def filled(document: Any, stage: Stage) -> Any:
    """The document with ``$name`` replaced by the stage's id of that name."""
    if document is None:
        return None
    text = json.dumps(document)
    for name in sorted(stage.ids, key=len, reverse=True):
        text = text.replace(f'"${name}"', f'"{stage.ids[name]}"')
    return json.loads(text)


def at(template: str, method: str = "post", document: Any = None, **options: Any) -> Ask:
    """A request whose path has ids of the stage in braces."""

    def ask(stage: Stage, session: str) -> Any:
        path = session + template.format(**stage.ids)
        caller = stage.caller
        if method == "get":
            return caller.get(path, **options)
        if method == "delete":
            return caller.delete(path, **options)
        if method == "patch":
            return caller.patch(path, filled(document, stage), **options)
        return caller.post(path, filled(document, stage), **options)

    return ask


def parquet(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


PARQUET = "application/vnd.apache.parquet"
GARDEN = {"item_id": "$free", "label": "garden"}
