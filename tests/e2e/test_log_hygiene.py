"""Texts, labels, prompts and keys go through the whole service and are written to no log."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from pysqlite3 import dbapi2

from tests.e2e.running import Caller, Running, rows, running, session_document

pytestmark = pytest.mark.slow

TEXT = "zqtextcanary"
LABEL = "zqlabelcanary"
PROMPT = "zqpromptcanary"
NOTE = "zqnotecanary"
NAME = "zqnamecanary"
PREDICTED = "zqpredictcanary"
HEADER = "zqcolumncanary"
CANARIES = (TEXT, LABEL, PROMPT, NOTE, NAME, PREDICTED, HEADER)
ROUND_PROBLEM = "urn:tailwise:problem:"


@dataclass(frozen=True, kw_only=True)
class Trail:
    """What the service wrote while the canaries went through it."""

    logs: str = field(repr=False)
    metrics: str = field(repr=False)
    problems: list[Any] = field(repr=False)
    endings: list[dict[str, Any]] = field(repr=False)
    keys: list[str] = field(repr=False)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Trail:
    folder = tmp_path_factory.mktemp("hygiene") / "data"
    port = free_port()
    with running(folder, metrics_port=port, log_level="debug") as server:
        caller = server.caller()
        keys = [server.token, server.key("admin")]
        path = walked(caller)
        keys += met(server, caller)
        problems = refused(server, caller, path, keys[1])
        endings = [broken_import(caller, path), broken_training(caller, folder, path)]
        problems += [broken_download(caller, path), broken_request(caller, folder, path)]
        endings += [broken_export(caller, path)]
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    logs = "".join(line for line in server.logs if "shown once" not in line)
    return Trail(logs=logs, metrics=metrics, problems=problems, endings=endings, keys=keys)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def walked(caller: Caller) -> str:
    """One round with canaries in every place that takes words; the session's path."""
    document = session_document(oracle="human")
    document["name"] = NAME
    document["guidelines"] = f"{PROMPT} guidelines"
    labels = document["task"]["labels"]
    labels[0] |= {"id": LABEL, "definition": f"{PROMPT} definition"}
    path = "/v1/sessions/" + caller.made("/v1/sessions", document)["id"]
    marked = [{"external_id": r["external_id"], "text": f"{TEXT} {r['text']}"} for r in rows()]
    added = caller.made(f"{path}/items", {"items": marked})
    assert caller.ended(added["operation"])["state"] == "succeeded"
    csv = f"text,gold\n{TEXT} of an imported row,{LABEL}\n{TEXT} other,{LABEL}-unknown\n"
    headers = {"Content-Type": "text/csv"}
    done = caller.waited(f"{path}/imports", content=csv.encode(), headers=headers)
    assert (done["state"], done["result"]["rejected"]) == ("succeeded", 1)
    assert caller.ended({"id": done["result"]["index_operation"]})["state"] == "succeeded"
    batch = caller.made(f"{path}/select", {"size": 24})
    classes = [label["id"] for label in labels]
    answers = [
        {"item_id": item["id"], "label": classes[n % 3], "note": NOTE, "client_label_id": f"c{n}"}
        for n, item in enumerate(batch["items"])
    ]
    assert caller.made(f"{path}/label", {"labels": answers})["accepted"] == 24
    template = {
        "id": "canary",
        "level": "free_form",
        "system": f"{PROMPT} system",
        "body": PROMPT + " {{count}} {{label_name}} {{seed}}",
    }
    caller.made("/v1/templates", template)
    wish = {"generator": "perturb", "template": "canary"}
    written = caller.waited(f"{path}/generate", wish)
    assert written["state"] == "succeeded", written["error"]
    trained = caller.waited(f"{path}/retrain")
    assert trained["state"] == "succeeded", trained["error"]
    judged = caller.made(f"{path}/predict", {"inputs": [{"text": f"{PREDICTED} words"}]})
    assert set(judged["results"][0]["scores"]) == set(classes)
    found = caller.read(f"{path}/items", params={"q": TEXT, "label": LABEL, "limit": "1"})
    assert TEXT in found["data"][0]["text"]
    return path


def met(server: Running, caller: Caller) -> list[str]:
    """Somebody signs in, sets things and signs out; the tokens of the link and the cookie."""
    asked = {"name": NAME, "role": "lead"}
    token = caller.made("/v1/invitations", asked, key=None)["url"].partition("#")[2]
    browser = server.caller("")
    browser.made("/v1/sign-in", {"token": token}, key=None)
    cookie = browser.http.cookies["tailwise_console"]
    ours = {"Origin": server.url}
    own = {"name": NAME, "preferences": {"avoid_topics": [NOTE]}}
    assert browser.patch("/v1/me", own, headers=ours).status_code == 200
    assert browser.read("/v1/me")["preferences"] == own["preferences"]
    assert browser.patch("/v1/me", own, headers={"Origin": "null"}).status_code == 403
    assert browser.post("/v1/sign-in", {"token": token}, key=None).status_code == 401
    assert browser.post("/v1/sign-out", headers=ours, key=None).status_code == 204
    return [token, cookie]


def refused(server: Running, caller: Caller, path: str, key: str) -> list[Any]:
    """The answers to requests that are refused for what is in them."""
    item = caller.read(f"{path}/items", params={"status": "resolved"})["data"][0]["id"]
    long = f"{TEXT} " * 3_000
    bad_template = {
        "id": "bad",
        "level": "free_form",
        "system": PROMPT,
        "body": PROMPT + " {{secret}}",
    }
    answers = [
        caller.post(f"{path}/items", {"items": [{"text": long}]}),
        caller.post(f"{path}/items", {"items": [{"text": TEXT, "gold": f"{LABEL}-x"}]}),
        caller.post(f"{path}/items", {"items": [{"text": TEXT, "external_id": "garden-20"}]}),
        caller.post(f"{path}/items", {"items": [{"text": TEXT, "split": TEXT}]}),
        caller.post(f"{path}/items", {"items": [{"text": [TEXT]}]}),
        caller.post(f"{path}/label", {"labels": [{"item_id": item, "label": f"{LABEL}-x"}]}),
        caller.post(f"{path}/label", {"labels": [{"item_id": item, "label": 1, "note": NOTE}]}),
        caller.post(f"{path}/predict", {"inputs": [{"text": PREDICTED, "id": 7}]}),
        caller.post(f"{path}/label", content=f'{{"note": "{NOTE}"'.encode(), headers=JSON),
        caller.post("/v1/templates", bad_template),
        caller.post(
            f"{path}/imports",
            content=f"{HEADER},gold\n{TEXT},{LABEL}\n".encode(),
            headers={"Content-Type": "text/csv"},
        ),
        server.caller(f"{key[:-4]}0000").get(path),
        caller.post("/v1/sign-in", {"token": TEXT}, key=None),
        caller.post("/v1/invitations", {"name": f"{NAME} {NOTE}", "role": NAME}, key=None),
        caller.get(path, params={"token": key}),
        caller.get(f"/v1/{TEXT}"),
    ]
    assert all(400 <= answer.status_code < 500 for answer in answers)
    return answers


def broken_import(caller: Caller, path: str) -> dict[str, Any]:
    """A file that is damaged past its beginning."""
    import gzip

    body = "text\n" + "".join(f"{TEXT} row {n} {n * 7919}\n" for n in range(40_000))
    torn = gzip.compress(body.encode())[:-300]
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    operation = caller.waited(f"{path}/imports", content=torn, headers=headers)
    assert operation["state"] == "failed"
    return operation


def broken_training(caller: Caller, folder: Path, path: str) -> dict[str, Any]:
    """A training whose vectors somebody took away."""
    for blob in (folder / "blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(b"damaged")
    operation = caller.waited(f"{path}/retrain", {"force": True})
    assert operation["state"] == "failed"
    return operation


def broken_request(caller: Caller, folder: Path, path: str) -> Any:
    """A fault nobody foresaw: a row that cannot be read, whose words are in the exception."""
    with closing(dbapi2.connect(folder / "app.sqlite", timeout=30.0)) as connection, connection:
        connection.execute("UPDATE items SET metadata = ?", (f'{{"{TEXT}": {TEXT}',))
    answer = caller.get(f"{path}/items")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    return answer


def broken_export(caller: Caller, path: str) -> dict[str, Any]:
    """The same fault, met by a worker."""
    operation = caller.waited(f"{path}/exports", {"what": "training", "format": "csv"})
    assert (operation["state"], operation["error"]["code"]) == ("failed", "internal")
    return operation


def broken_download(caller: Caller, path: str) -> Any:
    """A download of what was damaged."""
    [model, *_] = caller.read(f"{path}/models")["data"]
    answer = caller.get(f"{path}/models/{model['id']}/onnx")
    assert answer.status_code >= 500
    return answer


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("canary", CANARIES)
def test_words_are_in_no_log(trail: Trail, canary: str) -> None:
    assert "http_request" in trail.logs
    assert "operation ended" in trail.logs
    assert "operation broke" in trail.logs
    assert "unexpected_error" in trail.logs
    assert [line for line in trail.logs.splitlines() if canary in line.lower()] == []


@pytest.mark.parametrize("canary", CANARIES)
def test_words_are_in_no_metric(trail: Trail, canary: str) -> None:
    assert "tailwise_http_requests_total" in trail.metrics
    assert canary not in trail.metrics


@pytest.mark.parametrize("canary", [TEXT, PROMPT, NOTE, NAME, PREDICTED])
def test_words_are_in_no_problem_document_but_for_the_path_that_was_asked(
    trail: Trail, canary: str
) -> None:
    for answer in trail.problems:
        problem = answer.json()
        assert problem.pop("type").startswith(ROUND_PROBLEM)
        problem.pop("instance")
        assert canary not in str(problem)


@pytest.mark.parametrize("canary", CANARIES)
def test_words_are_in_no_ending_of_an_operation(trail: Trail, canary: str) -> None:
    assert len(trail.endings) == 3
    for operation in trail.endings:
        assert canary not in str(operation["error"])


def test_keys_are_in_no_log_metric_or_problem(trail: Trail) -> None:
    written = [trail.logs, trail.metrics, *(answer.text for answer in trail.problems)]
    for key in trail.keys:
        assert not any(key.rpartition("_")[2] in text for text in written)


def test_ids_of_sessions_are_in_no_metric(trail: Trail) -> None:
    assert re.findall(r"\b(?:ses|op)_\w+", trail.metrics) == []
