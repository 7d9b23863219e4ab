"""A disk that fills up: named, nothing half written, and work goes on when there is room."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from adapters.blobs.files import FsspecBlobs
from adapters.blobs.incoming import Incoming
from adapters.store.store import open_store
from api.app import create_app
from core.access import mint_key
from core.errors import Unavailable
from tests.conftest import build_inline

TOPICS = ("garden", "kitchen", "harbour")


@pytest.fixture
def service(tmp_path: Path):
    made = build_inline(tmp_path / "data", cursor_secret="c" * 40)
    yield made
    made.store.close()


@pytest.fixture
def send(service):
    """Sends one request of an admin's."""
    now = service.clock.now()
    minted = mint_key(
        tenant_id="ten_a", name="k", scopes=["admin"], session_id=None, ids=service.ids, now=now
    )
    with service.store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=now)
        tx.access.add_key(minted.key)
    client = create_app(service).test_client()
    sent = iter(range(1_000))

    def one(method: str, url: str, body: object = None, kind: str = "application/json"):
        headers = {"Authorization": f"Bearer {minted.token}"}
        if method == "POST":
            headers["Idempotency-Key"] = f"k{next(sent)}"
        data = (
            body
            if isinstance(body, bytes)
            else json.dumps(body).encode()
            if body is not None
            else None
        )
        return client.open(url, method=method, headers=headers, data=data, content_type=kind)

    return one


@pytest.fixture
def session_url(send) -> str:
    labels = [{"id": topic} for topic in TOPICS]
    settings = {"encoder": "hashing", "oracle": "gold", "batch_size": 6}
    document = {"name": "t", "task": {"labels": labels}, "settings": settings}
    return str(send("POST", "/v1/sessions", document).location)


@pytest.fixture
def no_room(monkeypatch):
    """Files cannot be put in place any more, once ``after`` of them were; until ``end``."""
    publish = Incoming.publish

    def fill(*, after: int = 0) -> None:
        left = iter(range(after))

        def refuse(incoming, target):
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            publish(incoming, target)

        monkeypatch.setattr(Incoming, "publish", refuse)

    fill.end = monkeypatch.undo
    return fill


def pool(count: int = 18) -> dict[str, object]:
    texts = [(n, TOPICS[n % 3]) for n in range(count)]
    return {
        "items": [
            {"external_id": f"i{n}", "text": f"a note on the {topic} {n}", "gold": topic}
            for n, topic in texts
        ]
    }


def test_a_blob_that_finds_no_room_is_refused_and_leaves_nothing(tmp_path, no_room):
    blobs = FsspecBlobs(f"file://{tmp_path}")
    no_room()
    with pytest.raises(Unavailable) as refused:
        blobs.put(b"some bytes")
    assert refused.value.code == "disk-full"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_other_trouble_with_a_file_keeps_its_name(tmp_path, monkeypatch):
    def refuse(_self, _target):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Incoming, "publish", refuse)
    with pytest.raises(PermissionError):
        FsspecBlobs(f"file://{tmp_path}").put(b"some bytes")


def test_an_upload_that_finds_no_room_is_answered_503(send, session_url, no_room):
    no_room()
    answer = send("POST", f"{session_url}/imports", b'{"text": "one"}\n', "application/x-ndjson")
    assert (answer.status_code, answer.json["code"]) == (503, "disk-full")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["retryable"] is True


def test_an_import_whose_disk_fills_up_keeps_what_it_stored_and_the_same_file_finishes_it(
    send, session_url, no_room
):
    rows = [json.dumps({"text": f"a note {n}", "gold": TOPICS[n % 3]}) for n in range(600)]
    body = "\n".join([*rows, '{"text": ""}', ""]).encode()

    def imported(url: str) -> dict:
        sent = send("POST", url, body, "application/x-ndjson").json
        return send("GET", f"/v1/operations/{sent['id']}").json

    no_room(after=1)  # the file itself; the list of refused rows finds no room any more
    failed = imported(f"{session_url}/imports?gold_column=gold")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "disk-full")
    no_room.end()
    assert send("GET", session_url).json["counts"]["pool"] == 600
    again = imported(f"{session_url}/imports?gold_column=gold")
    assert again["state"] == "succeeded", again["error"]
    result = again["result"]
    assert (result["unchanged"], result["created"], result["rejected"]) == (600, 0, 1)
    counts = send("GET", session_url).json["counts"]
    assert (counts["pool"], counts["unindexed"]) == (600, 0)


def test_a_training_on_a_full_disk_fails_by_name_and_works_when_there_is_room(
    send, session_url, no_room
):
    assert send("POST", f"{session_url}/items", pool()).status_code == 200
    batch = send("POST", f"{session_url}/select", {"size": 12}).json["id"]
    send("POST", f"{session_url}/label", {"oracle": "gold", "batch_id": batch})
    labels = send("GET", f"{session_url}/labels").json["data"]
    no_room()
    failed = send("POST", f"{session_url}/retrain", {}).json
    operation = send("GET", f"/v1/operations/{failed['id']}").json
    assert (operation["state"], operation["error"]["code"]) == ("failed", "disk-full")
    no_room.end()
    assert send("GET", f"{session_url}/labels").json["data"] == labels
    again = send("POST", f"{session_url}/retrain", {}).json
    assert send("GET", f"/v1/operations/{again['id']}").json["state"] == "succeeded"


def test_a_database_without_room_keeps_what_it_has_and_goes_on_when_there_is_room(service):
    url = service.settings.database_url
    store = open_store(url, pool_size=1)
    now = service.clock.now()

    def limit(pages: int) -> None:
        with store.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def add(name: str) -> None:
        with store.write() as tx:
            tx.access.ensure_tenant(name, name="x" * 100_000, now=now)

    add("ten_first")
    limit(1)
    with pytest.raises(Unavailable) as refused:
        add("ten_second")
    limit(1_000_000)
    add("ten_third")
    with store.engine.connect() as connection:
        kept = {row[0] for row in connection.exec_driver_sql("SELECT id FROM tenants")}
    store.close()
    assert (refused.value.code, kept) == ("disk-full", {"ten_first", "ten_third"})
