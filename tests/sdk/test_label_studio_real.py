"""The bridge against a real Label Studio, where one is installed (docs/label-studio.md)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tailwise_client.label_studio import LabelStudio, create_project, pull, push
from tests.sdk.conftest import SETTINGS, TOPICS, rows, topic_of
from tests.sdk.made_studio import LEGACY

VARIABLE = "TAILWISE_TEST_LABEL_STUDIO"
COMMAND = os.environ.get(VARIABLE, "")
START_SECONDS = 600.0
QUIET = {
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SSRF_PROTECTION_ENABLED": "false",
}
"""No reports to anybody, and no filter of addresses, since we listen on this machine."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(COMMAND).is_file(),
        reason=f"{VARIABLE} does not name a label-studio command (docs/label-studio.md)",
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server of its own, stopped afterwards."""
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(COMMAND, "start", "--no-browser", "--port", str(port)),
        *("--internal-host", "127.0.0.1", "--data-dir", str(folder)),
        *("--username", "a@example.com", "--password", "only-for-this-test"),
        *("--user-token", LEGACY, "--enable-legacy-api-token"),
    ]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **QUIET},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(process, f"{url}/health", log=log)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(process: subprocess.Popen[bytes], url: str, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        with suppress(httpx2.TransportError):
            if httpx2.get(url, trust_env=False).is_success:
                return
        time.sleep(1.0)
    pytest.fail(f"not up in {START_SECONDS:.0f} s: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def people(address):
    """The API as its web page uses it, to annotate."""
    headers = {"Authorization": f"Token {LEGACY}"}
    with httpx2.Client(base_url=address, headers=headers, timeout=60.0, trust_env=False) as http:
        yield http


@pytest.fixture(scope="module", params=["legacy", "personal"])
def studio(request, address, people):
    token = LEGACY
    if request.param == "personal":
        token = people.post("/api/token/").json()["token"]
    with LabelStudio(address, token) as client:
        yield client


def annotate(people, task, *choices, **more):
    value = {"choices": list(choices)}
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}]
    path = f"/api/tasks/{task.id}/annotations/"
    answer = people.post(path, json={"result": result if choices else [], **more})
    assert answer.status_code == 201, answer.text[:500]
    return answer.json()["id"]


def test_a_batch_goes_there_and_comes_back(observer, studio, people):
    session = observer.create_session("topics", labels=TOPICS, settings=SETTINGS)
    session.upload(rows(18))
    batch = session.select()
    project = create_project(session, studio).id
    assert push(session, studio, project_id=project).created == 6
    assert push(session, studio, project_id=project).present == 6
    tasks = list(studio.tasks(project))
    texts = {item.id: item for item in session.items(batch_id=batch.id)}
    for task in tasks[:4]:
        annotate(people, task, topic_of(texts[task.data["tailwise_item"]]), lead_time=1.5)
    edited = annotate(people, tasks[4], "garden")
    annotate(people, tasks[5], was_cancelled=True)
    assert pull(session, studio, project_id=project).stored == 6
    assert session.batch(batch.id).state == "completed"
    value = {"choices": ["harbour"]}
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}]
    people.patch(f"/api/annotations/{edited}/", json={"result": result}).raise_for_status()
    changed = pull(session, studio, project_id=project)
    assert (changed.stored, changed.known) == (1, 5)
    assert session.item(tasks[4].data["tailwise_item"]).labels == ("harbour",)
