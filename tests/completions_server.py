"""A loopback server that speaks chat completions as vLLM, Ollama and llama-server do.

Its scripts are those of ``tests.messages_server``: every way of going wrong on the wire is
the same, and only what is asked and answered differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.messages_server import KEY, Handler, MessagesServer, Step, answer, messages_server
from tests.messages_server import variations as variations_document

MODEL = "smol-instruct"


class CompletionsHandler(Handler):
    """Answers POST /v1/chat/completions."""

    def _fault(self, body: dict[str, Any]) -> tuple[int, str] | None:
        if self.path != "/v1/chat/completions":
            return 404, "not_found"
        if self.headers.get("authorization") not in {None, f"Bearer {KEY}"}:
            return 401, "invalid_api_key"
        if body.get("response_format", {}).get("type") != "json_schema":
            return 400, "invalid_request_error"
        return None

    def error(self, status: int, type: str, headers: dict[str, str] | None = None) -> None:
        self.json(status, {"error": {"type": type, "message": "no", "code": None}}, headers)

    def end_headers(self) -> None:
        self.send_header("x-request-id", f"chat_{len(self.fake.requests)}")
        super().end_headers()


@contextmanager
def completions_server(*script: Step) -> Iterator[MessagesServer]:
    """Run it on a free loopback port; ``url`` is a base URL as its clients write it."""
    with messages_server(*script, speaks=CompletionsHandler) as fake:
        fake.url = f"{fake.url}/v1"
        yield fake


def completion(
    text: object,
    *,
    finish_reason: str | None = "stop",
    refusal: str | None = None,
    usage: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A completion document."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, "refusal": refusal},
            }
        ],
        "usage": usage or {"prompt_tokens": 700, "completion_tokens": 300, "total_tokens": 1000},
    }


def texts(*wanted: str) -> Step:
    return answer(completion(variations_document(wanted)))


def prompts(fake: MessagesServer) -> Sequence[str]:
    """The user turn of every request."""
    return [seen.body["messages"][1]["content"] for seen in fake.requests]
