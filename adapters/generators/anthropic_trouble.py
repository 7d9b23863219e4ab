"""What an error of the Anthropic SDK means for the call."""

from __future__ import annotations

import anthropic

from adapters.generators.trouble import (
    RETRYABLE,
    SERVER_ERRORS,
    Trouble,
    retry_after,
    transport_trouble,
)


def trouble_of(error: anthropic.APIError) -> Trouble:
    """Sort an error of the SDK."""
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    timed_out = isinstance(error, anthropic.APITimeoutError)
    return transport_trouble(error.__cause__, timed_out=timed_out)


def _of_status(error: anthropic.APIStatusError) -> Trouble:
    status, body = error.status_code, error.body
    shaped = isinstance(body, dict) and body.get("type") == "error"
    spent_out = "spend_limit" in str(error.error_code or "")
    return Trouble(
        category=str(error.type or f"http_{status}")[:100],
        retryable=status in RETRYABLE and not spent_out,
        # The provider bills no error; a bare 5xx is a gateway's, and says nothing about it.
        billable=status in SERVER_ERRORS and not shaped,
        retry_after=retry_after(error.response.headers),
        request_id=(error.request_id or "")[:200] or None,
    )
