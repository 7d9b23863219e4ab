"""A stand-in for Label Studio: the calls that the bridge makes, with answers of their shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.sdk.scripted import Asked, Told

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "head.body.signature"


@dataclass(kw_only=True)
class MadeStudio:
    """Projects and tasks in memory; ``page`` bounds a page, as the server's setting does."""

    page: int = 100
    projects: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    access: list[str] = field(default_factory=lambda: ["first"])

    def __call__(self, asked: Asked) -> Told:
        if asked.path == "/api/token/refresh/":
            assert asked.document == {"refresh": PERSONAL}
            return Told(document={"access": self.access[-1]})
        allowed = {f"Token {LEGACY}", f"Bearer {self.access[-1]}"}
        if asked.headers.get("authorization") not in allowed:
            return Told(status=401, document={"detail": "Invalid token."})
        if asked.path == "/api/projects/" and asked.method == "POST":
            id = len(self.projects) + 1
            self.projects[id] = {**asked.document, "id": id}
            return Told(status=201, document=self.projects[id])
        if asked.path.endswith("/import"):
            return self._import(int(asked.path.split("/")[3]), asked.document)
        if asked.path == "/api/tasks":
            return self._list(parse_qs(asked.query))
        return Told(status=404, document={"status_code": 404, "detail": "Not found."})

    def annotate(self, task_id: int, *choices: str, id: int = 0, **more: Any) -> None:
        """Somebody answers a task, or changes annotation ``id``."""
        [task] = [each for each in self.tasks if each["id"] == task_id]
        value = {"choices": list(choices)}
        result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}]
        made = {
            "id": id or 1000 + sum(len(each["annotations"]) for each in self.tasks),
            "result": result if choices else [],
            "was_cancelled": False,
            "completed_by": 1,
            "lead_time": 2.5,
            "updated_at": "2026-11-22T12:00:00.123456Z",
            **more,
        }
        task["annotations"] = [a for a in task["annotations"] if a["id"] != made["id"]] + [made]

    def _import(self, project: int, rows: list[dict[str, Any]]) -> Told:
        for row in rows:
            task = {"id": len(self.tasks) + 1, "project": project, "annotations": [], **row}
            self.tasks.append(task)
        return Told(status=201, document={"task_count": len(rows), "annotation_count": 0})

    def _list(self, query: dict[str, list[str]]) -> Told:
        assert query["fields"] == ["all"]
        assert query["resolve_uri"] == ["false"]
        size = min(self.page, int(query["page_size"][0]))
        start = (int(query["page"][0]) - 1) * size
        tasks = [each for each in self.tasks if each["project"] == int(query["project"][0])]
        if start and start >= len(tasks):
            return Told(status=404, document={"detail": "Invalid page."})
        return Told(document={"tasks": tasks[start : start + size], "total": len(tasks)})
