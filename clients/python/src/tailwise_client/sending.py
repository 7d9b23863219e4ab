"""One request of the API, with its key, its attempts and its refusals."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from tailwise_client.errors import (
    ConnectionFailed,
    FieldProblem,
    Problem,
    ProblemError,
    TailwiseError,
    TimedOut,
    UnexpectedAnswer,
    error_for,
)
from tailwise_client.files import Body, Bytes, FileSink
from tailwise_client.retrying import Retries
from tailwise_client.steps import Exchange, Flow, Lost, Reply, pause

STANDARD = frozenset(
    {"type", "title", "status", "detail", "instance", "code", "request_id", "retryable", "errors"}
)
SUCCESS = range(200, 300)
JSON = "application/json"
logger = logging.getLogger("tailwise_client")


def fresh_key() -> str:
    """An Idempotency-Key that nobody used before."""
    return uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as the API describes it. ``document`` is sent as JSON, ``body`` as it is.

    ``keyed`` requests carry an Idempotency-Key: the same one on every attempt, so that the
    service does the work once. ``repeatable`` ones change nothing and need no key.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    document: Any = field(default=None, repr=False)
    body: Body | None = None
    media_type: str = JSON
    sink: FileSink | None = None
    keyed: bool = False
    key: str | None = None
    repeatable: bool = False

    @property
    def shown(self) -> str:
        """For people and logs: a callback's path is a secret in part."""
        before, callbacks, _ = self.path.partition("/callbacks/")
        return f"{self.method} {before}{callbacks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """How calls are sent; time and chance are arguments. Holds no credentials."""

    retries: Retries
    chance: random.Random
    new_key: Callable[[], str]
    monotonic: Callable[[], float]
    wall: Callable[[], datetime]

    def send(self, call: Call) -> Flow[Reply]:
        """The successful answer; raises ProblemError, ConnectionFailed or TimedOut."""
        exchange = self._exchange(call)
        for attempt in count(1):
            outcome: Reply | Lost = yield exchange
            if isinstance(outcome, Reply) and outcome.status in SUCCESS:
                return outcome
            problem = problem_of(outcome) if isinstance(outcome, Reply) else None
            wait = self.retries.wait_for(
                outcome,
                problem=problem,
                attempt=attempt,
                repeatable=call.keyed or call.repeatable,
                chance=self.chance,
            )
            if wait is None:
                raise _failure(call, outcome, problem)
            logger.info("sending %s again in %.1f s: %s", call.shown, wait, _why(outcome))
            yield from pause(wait)
        raise AssertionError

    def _exchange(self, call: Call) -> Exchange:
        body = call.body
        if body is None and call.document is not None:
            body = Bytes(json.dumps(call.document, allow_nan=False).encode())
        headers = {"Accept": "*/*" if call.sink else f"{JSON}, application/problem+json, */*"}
        if body is not None:
            headers |= {"Content-Type": call.media_type, "Content-Length": str(body.size)}
        if call.keyed:
            headers["Idempotency-Key"] = call.key or self.new_key()
        return Exchange(
            method=call.method,
            path=call.path,
            params=query(call.params),
            headers={**headers, **call.headers},
            body=body,
            sink=call.sink,
        )


def query(params: Mapping[str, Any]) -> dict[str, Any]:
    """What is None is left out; flags are lower case, lists joined by commas."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, list | tuple):
            found |= {name: ",".join(map(str, value))} if value else {}
        elif value is not None:
            found[name] = value
    return found


def document_of(reply: Reply) -> Any:
    """The JSON of an answer, {} where it has no body; raises UnexpectedAnswer."""
    if not reply.content:
        return {}
    try:
        return json.loads(reply.content)
    except ValueError:
        message = f"a {reply.headers.get('content-type', 'nameless')} answer where JSON was due"
        raise UnexpectedAnswer(message) from None


def problem_of(reply: Reply) -> Problem:
    """The problem document; what is none, such as a proxy's page, gets the code http-<status>."""
    try:
        document = json.loads(reply.content)
        found = dict(document)
        errors = tuple(
            FieldProblem(pointer=e["pointer"], code=e["code"], detail=e["detail"])
            for e in found.get("errors", [])
        )
    except (ValueError, TypeError, KeyError):
        found, errors = {}, ()
    return Problem(
        status=reply.status,
        code=str(found.get("code", f"http-{reply.status}")),
        detail=str(found.get("detail", "the answer is no problem document")),
        errors=errors,
        request_id=found.get("request_id") or reply.headers.get("x-request-id"),
        retryable=bool(found.get("retryable", False)),
        extras={name: value for name, value in found.items() if name not in STANDARD},
    )


def _failure(call: Call, outcome: Reply | Lost, problem: Problem | None) -> TailwiseError:
    if problem is not None:
        found: ProblemError = error_for(problem)
        return found
    kind = TimedOut if isinstance(outcome, Lost) and outcome.timed_out else ConnectionFailed
    return kind(f"no answer to {call.shown}: {_why(outcome)}")


def _why(outcome: Reply | Lost) -> str:
    return f"status {outcome.status}" if isinstance(outcome, Reply) else outcome.why
