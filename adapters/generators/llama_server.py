"""A GGUF model in this process: llama.cpp's own server, on a port that nobody else can use."""

from __future__ import annotations

import secrets
from pathlib import Path
from threading import Lock
from typing import Any, Final

from adapters.deadline import Deadline
from adapters.generators.chat_completions import ChatEndpoint, ChatService
from adapters.generators.tally import Reply
from adapters.generators.trouble import Trouble
from core.budget import Price
from core.errors import Conflict, NotInstalled
from core.prompting import Prompt

NAME: Final = "local"
CONTEXT_TOKENS: Final = 8_192
NOT_LOADED: Final = Trouble(category="model_not_loaded", retryable=False, billable=False)


class LlamaServer:
    """One model file, loaded when it is first asked and kept; threads may share it.

    The server listens on a free port of 127.0.0.1 and answers only to a key that is made
    for this process, so that other users of the machine cannot spend its time.
    """

    def __init__(self, *, file: Path, threads: int = 0) -> None:
        """``threads`` 0 = one per core."""
        self.file = file
        self._threads = threads or -1
        self._lock = Lock()
        self._server: Any = None
        self._key = secrets.token_urlsafe(32)

    @property
    def model(self) -> str:
        return self.file.stem

    def check(self) -> None:
        """Raises NotInstalled without the extra, Conflict ``generator-not-configured`` without
        the file; loads nothing."""
        _library()
        if not self.file.is_file():
            raise Conflict(
                "the local generator's model file is not where the server's settings say",
                code="generator-not-configured",
                extras={"generator": NAME},
            )

    def service(self) -> ChatService:
        """Where it listens; raises RuntimeError where the file is no model."""
        with self._lock:
            if self._server is None:
                self._server = self._started()
        address = self._server.listening_address
        return ChatService(base_url=f"{address}/v1", api_key=self._key, model=self.model)

    def _started(self) -> Any:
        library = _library()
        options = library.CommonParams()
        options.model.path = str(self.file)
        options.n_ctx = CONTEXT_TOKENS
        options.n_parallel = 1
        options.cpuparams.n_threads = self._threads
        options.hostnames = ["127.0.0.1"]
        options.port = 0
        options.api_keys = [self._key]
        # Nothing but completions, no log of prompts, no first run for its own sake.
        options.ui = options.endpoint_slots = options.warmup = False
        options.verbosity = 0
        return library.Server(options)


class LlamaEndpoint:
    """The server as an endpoint: its schema is a grammar that the text cannot leave."""

    name = NAME
    price: Price | None = None

    def __init__(self, server: LlamaServer) -> None:
        server.check()
        self._server = server
        self.model = server.model

    def send(
        self,
        prompt: Prompt,
        *,
        schema: dict[str, Any],
        max_tokens: int,
        timeout_s: float,
        deadline: Deadline,
    ) -> Reply | Trouble:
        try:
            service = self._server.service()
        except RuntimeError:
            return NOT_LOADED
        endpoint = ChatEndpoint(service=service, model=self.model)
        return endpoint.send(
            prompt, schema=schema, max_tokens=max_tokens, timeout_s=timeout_s, deadline=deadline
        )


def _library() -> Any:
    try:
        import xllamacpp  # noqa: PLC0415 -- an extra, and 30 MB of machine code
    except ImportError:
        raise NotInstalled(
            "the local generator needs an extra: pip install 'tailwise[local]'",
            code="extra-missing",
            extras={"extra": "local"},
        ) from None
    return xllamacpp
