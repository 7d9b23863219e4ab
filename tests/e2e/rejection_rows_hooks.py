"""Refusals of webhooks and of the callbacks that answer them."""

from __future__ import annotations

import base64
from typing import Any

from tests.e2e.rejection_people import ENDPOINTS, call_back
from tests.e2e.rejection_rows import Ask, Row
from tests.e2e.rejection_rows_people import admin, by

PUBLIC = "https://example.com/hook"
OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes......").decode()


def called(name: str, item: str, **options: Any) -> Ask:
    return lambda stage, _session: call_back(stage, name, item, **options)


WEBHOOKS = {
    **{
        f"a webhook to {what}": Row(
            on="human",
            ask=admin(ENDPOINTS, {"url": url}),
            status=422,
            code="url-not-allowed",
            pointer="/url",
        )
        for what, url in (
            ("a private address", "https://10.0.0.1/hook"),
            ("a link-local address", "https://169.254.169.254/"),
            ("a loopback address of six parts", "https://[::1]/hook"),
            ("plain http", "http://example.com/hook"),
            ("a URL with a password", "https://user:word@example.com/hook"),
        )
    },
    "a webhook more than there may be": Row(
        on="human",
        ask=admin(ENDPOINTS, {"url": PUBLIC}),
        status=409,
        code="limit-reached",
        extras={"limit": 20},
    ),
    "a webhook for an event that does not exist": Row(
        on="human",
        ask=admin(ENDPOINTS, {"url": PUBLIC, "types": ["batch.redy"]}),
        status=422,
        code="unknown-event-type",
        pointer="/types/0",
    ),
    "a webhook by somebody who answers": Row(
        on="human",
        ask=by("ann", ENDPOINTS, {"url": PUBLIC}),
        status=403,
        code="scope-missing",
    ),
    "a change of a webhook without If-Match": Row(
        on="human",
        ask=lambda stage, _: stage.caller.http.patch(
            f"{ENDPOINTS}/{stage.ids['endpoint']}", json={"description": "new"}
        ),
        status=428,
        code="if-match-required",
    ),
    "a change of a webhook with an old ETag": Row(
        on="human",
        ask=lambda stage, _: stage.caller.patch(
            f"{ENDPOINTS}/{stage.ids['endpoint']}",
            {"description": "new"},
            headers={"If-Match": '"0"'},
        ),
        status=412,
        code="etag-mismatch",
    ),
    "a webhook nobody has": Row(
        on="human",
        ask=admin(f"{ENDPOINTS}/whe_01JD3V7Q6S0000000000000000/test"),
        status=404,
        code="unknown-endpoint",
    ),
    "a delivery nobody made": Row(
        on="human",
        ask=admin("/v1/deliveries/dlv_01JD3V7Q6S0000000000000000/redeliver"),
        status=404,
        code="unknown-delivery",
    ),
}
CALLBACKS = {
    "a callback signed with another secret": Row(
        on="called",
        ask=called("called", "called_item", secret=OTHER),
        status=401,
        code="signature-refused",
    ),
    "a callback signed long ago": Row(
        on="called",
        ask=called("called", "called_item", ago=301),
        status=401,
        code="signature-too-old",
    ),
    "a callback about another batch's item": Row(
        on="called",
        ask=called("called", "expired_item", id="msg_other"),
        status=409,
        code="wrong-batch",
    ),
    "a callback after its URL expired": Row(
        on="expired",
        ask=called("expired", "expired_item", id="msg_late"),
        status=410,
        code="callback-expired",
    ),
}
