"""The part of Label Studio's API that the bridge needs (1.20 and later, as documented)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import httpx2

from tailwise_client.binding import Blocking, Described, listing, verb
from tailwise_client.configuration import utc_now, variable
from tailwise_client.drivers import Driver
from tailwise_client.errors import NotAuthenticated
from tailwise_client.retrying import Retries
from tailwise_client.sending import Call, Sender, document_of, fresh_key
from tailwise_client.steps import Emit, Flow, Reply, Stream

T = TypeVar("T")
PAGE_TASKS = 100
JWT_DOTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of Label Studio."""

    id: int
    title: str = ""
    label_config: str = ""
    task_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What one person said; ``completed_by`` is the number of a user, or an object with it."""

    id: int
    result: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    was_cancelled: bool = False
    completed_by: Any = None
    lead_time: float | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioTask:
    """A task with its annotations."""

    id: int
    data: Mapping[str, Any] = field(repr=False)
    annotations: tuple[Annotation, ...] = ()


class StudioVerbs(Described):
    """Projects, tasks and annotations. A personal access token is exchanged for short-lived
    ones; the older API tokens are sent as they are."""

    def __init__(self, *, sender: Sender, token: str) -> None:
        super().__init__(sender=sender)
        self._token = token
        self._access: str | None = None

    @verb
    def project(self, project_id: int) -> Flow[Project]:
        """Read a project."""
        call = Call(method="GET", path=f"/api/projects/{project_id}/", repeatable=True)
        return self._asked(Project, call)

    @verb
    def create_project(
        self, title: str, *, label_config: str, instructions: str = ""
    ) -> Flow[Project]:
        """A new project; ``instructions`` are HTML."""
        document = {
            "title": title,
            "label_config": label_config,
            "expert_instruction": instructions,
            "show_instruction": bool(instructions),
        }
        return self._asked(Project, Call(method="POST", path="/api/projects/", document=document))

    @listing
    def tasks(self, project_id: int) -> Stream[StudioTask]:
        """Every task with its annotations, page by page."""
        seen, page = 0, 1
        while True:
            params = {
                "project": project_id,
                "page": page,
                "page_size": PAGE_TASKS,
                "fields": "all",
                "resolve_uri": False,
            }
            call = Call(method="GET", path="/api/tasks", params=params, repeatable=True)
            found = yield from self._asked(dict, call)
            for task in found["tasks"]:
                yield Emit(self._read(StudioTask, task))
            seen += len(found["tasks"])
            if not found["tasks"] or seen >= found["total"]:
                return
            page += 1

    @verb
    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> Flow[int]:
        """Add tasks; how many. Not repeated where the answer is lost: look first what is there."""
        path = f"/api/projects/{project_id}/import"
        call = Call(method="POST", path=path, document=[{"data": dict(each)} for each in tasks])
        found = yield from self._asked(dict, call)
        return int(found.get("task_count", len(tasks)))

    def _asked(self, into: type[T], call: Call) -> Flow[T]:
        """With a token; a short-lived one that ran out is renewed once."""
        try:
            reply = yield from self._sent(call)
        except NotAuthenticated:
            if self._access is None:
                raise
            self._access = None
            reply = yield from self._sent(call)
        return self._read(into, document_of(reply))

    def _sent(self, call: Call) -> Flow[Reply]:
        if self._token.count(".") != JWT_DOTS:
            authorization = f"Token {self._token}"
        else:
            if self._access is None:
                self._access = yield from self._renewed()
            authorization = f"Bearer {self._access}"
        headers = {**call.headers, "Authorization": authorization}
        return (yield from self._sender.send(replace(call, headers=headers)))

    def _renewed(self) -> Flow[str]:
        call = Call(
            method="POST",
            path="/api/token/refresh/",
            document={"refresh": self._token},
            repeatable=True,
        )
        reply = yield from self._sender.send(call)
        return str(document_of(reply)["access"])


class LabelStudio(Blocking, StudioVerbs):
    """A Label Studio server. ``url`` and ``token`` default to LABEL_STUDIO_URL and
    LABEL_STUDIO_API_KEY; close it, or use it as a context manager."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        retries: Retries | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.url = variable("LABEL_STUDIO_URL", url, argument="url").rstrip("/")
        held = variable("LABEL_STUDIO_API_KEY", token, argument="token")
        sender = Sender(
            retries=retries or Retries(),
            chance=chance or random.Random(),  # noqa: S311 -- spreads waits, keeps no secret
            new_key=fresh_key,
            monotonic=time.monotonic,
            wall=utc_now,
        )
        super().__init__(sender=sender, token=held)
        self._plain = StudioVerbs(sender=sender, token=held)
        http = httpx2.Client(base_url=self.url, timeout=timeout, transport=transport)
        self._driver = Driver(http, sleep=sleep)

    def close(self) -> None:
        """Close its connections."""
        self._driver.close()

    def __enter__(self) -> LabelStudio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LabelStudio({self.url!r})"
