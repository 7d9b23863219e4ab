"""The message an event becomes: the same document in the feed and in a webhook's body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.records import Event, Options

LARGEST: Final = 19_000
"""Bytes of an envelope, so that a webhook's body stays under 20 kB."""


def envelope(event: Event) -> dict[str, Any]:
    """``{type, timestamp, tenant_id, data}``; data holds ids, counts and URLs, never text.

    Members that would make it too large are left out, the largest first, and named in
    ``data.omitted``: whoever needs them asks for the thing itself.
    """
    data: dict[str, Any] = dict(event.data)
    if event.type == "batch.ready":
        data.setdefault("expires_at", None)
        batch = data.get("batch_id")
        data["items_url"] = f"/v1/sessions/{event.session_id}/items?batch_id={batch}"
    if event.session_id:
        data |= {"session_id": event.session_id, "sequence": event.sequence}
    return {
        "type": event.type,
        "timestamp": utc(event.created_at),
        "tenant_id": event.tenant_id,
        "data": _bounded(data),
    }


def encode(document: Mapping[str, Any]) -> bytes:
    """The one spelling that is signed and sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def utc(moment: datetime) -> str:
    """RFC 3339 with a ``Z``, as every time in an answer."""
    return moment.isoformat().replace("+00:00", "Z")


def _bounded(data: dict[str, Any]) -> Options:
    size = {name: len(encode({name: value})) for name, value in data.items()}
    total = sum(size.values())
    if total <= LARGEST:
        return data
    omitted = []
    for name in sorted(size, key=lambda name: -size[name]):
        if total <= LARGEST:
            break
        total -= size[name]
        omitted.append(name)
        del data[name]
    return {**data, "omitted": sorted(omitted)}
