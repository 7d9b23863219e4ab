"""A deleted session's words are searched for in every byte that the server keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.corpus import TOPICS
from tests.e2e.running import Caller, Running, rows, running, session_document, trained

pytestmark = pytest.mark.slow

CANARY = "Xylophonquarz"


def holding(folder: Path) -> list[str]:
    """Files with the canary in them, wherever they lie under the data directory."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if CANARY.encode() in path.read_bytes())


def told(server: Running, caller: Caller) -> str:
    """The path of a session that was told the canary in every place that takes words."""
    document = session_document(people={"support_text": CANARY})
    document |= {"name": CANARY, "guidelines": f"# {CANARY}"}
    document["task"]["labels"][0]["definition"] = CANARY
    path = f"/v1/sessions/{caller.made('/v1/sessions', document)['id']}"
    pool = [{**row, "text": f"{row['text']} {CANARY}"} for row in rows()]
    pool[0]["metadata"] = {"from": CANARY}
    added = caller.made(f"{path}/items", {"items": pool})
    assert caller.ended(added["operation"])["state"] == "succeeded"
    batch_id = labelled(caller, path)
    trained(caller, path)
    written(caller, path, batch_id)
    lines = [json.dumps({"text": f"{CANARY} imported"}), '{"text": 7}', f"{CANARY} no JSON"]
    lines.append(json.dumps({"text": f"{CANARY} wrong", "gold": CANARY}))
    body = {"content": "\n".join(lines), "headers": {"Content-Type": "application/x-ndjson"}}
    caller.waited(f"{path}/imports", **body)
    for what, format in (("labels", "csv"), ("training", "jsonl")):
        ask = {"what": what, "format": format, "include_text": True}
        assert caller.waited(f"{path}/exports", ask)["state"] == "succeeded"
    invited = {"name": CANARY, "role": "annotator", "session_id": path.rpartition("/")[2]}
    caller.made("/v1/invitations", invited, key=None)
    return path


def labelled(caller: Caller, path: str) -> str:
    """The id of a batch with gold answers; those of another have a note."""
    first = caller.made(f"{path}/select", {"size": 40})
    caller.made(f"{path}/label", {"oracle": "gold", "batch_id": first["id"]})
    batch = caller.made(f"{path}/select", {"size": 4})
    answers = [
        {"item_id": item["id"], "label": next(iter(TOPICS)), "note": f"{CANARY} note"}
        for item in batch["items"]
    ]
    caller.made(f"{path}/label", {"labels": answers})
    return str(first["id"])


def written(caller: Caller, path: str, batch_id: str) -> None:
    """Variations, one of which a person rewrites."""
    done = caller.waited(f"{path}/generate", {"generator": "simulated", "batch_id": batch_id})
    assert done["state"] == "succeeded", done["error"]
    row = caller.read(f"{path}/generations", params={"state": "proposed"})["data"][0]
    decision = {"generation_id": row["id"], "decision": "edit", "text": f"{CANARY} by hand"}
    caller.made(f"{path}/generations/review", {"decisions": [decision]})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running(tmp_path_factory.mktemp("deletion") / "data") as started:
        yield started


def test_no_word_of_a_deleted_session_is_left_on_disk(server: Running) -> None:
    caller = server.caller()
    path = told(server, caller)
    before = holding(server.data_dir)
    operation = caller.ended(caller.delete(path).json())
    assert operation["state"] == "succeeded", operation["error"]
    assert any(name.startswith("app.sqlite") for name in before)
    assert len(before) > 3
    assert holding(server.data_dir) == []
    assert not any(CANARY in line for line in server.logs)
