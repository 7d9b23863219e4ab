"""The whole loop over HTTP: real server, real worker, real encoder, real texts."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from tests.e2e.databases import KINDS, Database
from tests.e2e.running import Caller
from tests.e2e.sample_file import CANARIES, PARTS, Sample, sample
from tests.e2e.server import serving_api

pytestmark = pytest.mark.slow

ROUNDS = 3
BATCH = 30
PLOTS = ("balance", "curve", "clusters", "evenness", "entropy", "cost", "funnel")
ASKED = ("a word about the weather", "you people are all the same", "should I stop my pills?")


@dataclass(kw_only=True, repr=False)
class Told:
    """Everything the server answered in one story, and what it wrote to its logs; it has no
    repr, so that a failing test does not print the texts."""

    sample: Sample
    session_id: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    files: dict[str, httpx.Response] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)
    replays: list[tuple[str, httpx.Response, httpx.Response]] = field(default_factory=list)
    token: str = ""
    logs: str = ""


class Teller:
    """Tells the story, each POST twice."""

    def __init__(self, caller: Caller, told: Told) -> None:
        self._caller = caller
        self._told = told
        caller.http.event_hooks["response"].append(self._keep)

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        if response.headers.get("content-type", "").endswith("json"):
            self._told.bodies.append(response.text)

    def twice(self, path: str, document: Any = None, **options: Any) -> dict[str, Any]:
        """The document of a POST, sent again with the same Idempotency-Key."""
        key = f"key-{len(self._told.replays)}"
        content = options.pop("content", None)
        answers = []
        for _ in range(2):
            if content is not None:
                options["content"] = content()
            answers.append(self._caller.post(path, document, key=key, **options))
        assert answers[0].is_success, answers[0].text
        self._told.replays.append((path, *answers))
        made: dict[str, Any] = answers[0].json()
        return made

    def ended(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        found = self._caller.ended(operation)
        assert found["state"] == "succeeded", found["error"]
        return found

    def read(self, path: str, **params: str) -> dict[str, Any]:
        return self._caller.read(path, params=params)

    def file(self, name: str, path: str) -> None:
        answer = self._caller.get(path)
        assert answer.status_code == 200, answer.text
        self._told.files[name] = answer

    def everything(self, path: str, **params: str) -> list[dict[str, Any]]:
        """All rows of a listing or a feed."""
        rows, found = [], {"has_more": True}
        while found["has_more"]:
            found = self.read(path, limit="100", **params)
            rows += found["data"]
            place = "cursor" if "next_cursor" in found else "after"
            params[place] = str(found[f"next_{place}"])
        return rows


def begin(teller: Teller, told: Told) -> str:
    """The session and its file, sent before any worker has run."""
    labels = [{"id": name, "name": name.replace("_", " ")} for name in told.sample.classes]
    settings = {"oracle": "gold", "batch_size": BATCH, "seed": 3, "variations": 3}
    document = {"name": "loop", "task": {"labels": labels}, "settings": settings}
    session = teller.twice("/v1/sessions", document)
    told.session_id = session["id"]
    path = f"/v1/sessions/{session['id']}"
    told.found["import"] = teller.twice(
        f"{path}/imports",
        content=told.sample.gzipped,
        headers={
            "Content-Type": "text/csv",
            "Content-Encoding": "gzip",
            "Content-Length": str(sum(map(len, told.sample.gzipped()))),
        },
        params={
            "id_column": "id",
            "gold_column": "label",
            "split_column": "part",
            "split_values": ",".join(f"{ours}:{theirs}" for ours, theirs in PARTS.items()),
        },
    )
    return path


def one_round(teller: Teller, path: str) -> dict[str, Any]:
    batch = teller.twice(f"{path}/select")
    labelled = teller.twice(f"{path}/label", {"oracle": "gold", "batch_id": batch["id"]})
    written = [
        teller.ended(teller.twice(f"{path}/generate", wish))
        for wish in ({}, {"generator": {"name": "simulated", "options": {"noise": 0.1}}})
    ]
    proposed = teller.everything(f"{path}/generations", state="proposed")
    decisions = [
        {"generation_id": row["id"], "decision": "reject" if row["needs_review"] else "accept"}
        for row in proposed
    ]
    reviewed = teller.twice(f"{path}/generations/review", {"decisions": decisions})
    trained = teller.twice(f"{path}/retrain", {}, headers={"Prefer": "wait=30"})
    return {
        "batch": batch,
        "labelled": labelled,
        "written": written,
        "reviewed": reviewed,
        "trained": teller.ended(trained),
    }


def take_away(teller: Teller, path: str, told: Told) -> None:
    """Predictions, figures, pictures, files, and an earlier model in charge again."""
    models = teller.everything(f"{path}/models")
    inputs = [{"id": str(n), "text": text} for n, text in enumerate(ASKED)]
    told.found["predicted"] = teller.twice(f"{path}/predict", {"inputs": inputs})
    told.found["models"] = models
    told.found["metrics"] = teller.read(f"{path}/metrics")
    told.found["curve"] = teller.read(f"{path}/metrics/learning-curve")
    told.found["clusters"] = teller.read(f"{path}/metrics/clusters")
    told.found["items"] = teller.everything(f"{path}/items")
    for name in PLOTS:
        for format in ("svg", "png"):
            teller.file(f"{name}.{format}", f"{path}/plots/{name}.{format}")
    for what in ("labels", "training"):
        for format in ("jsonl", "csv"):
            wish = {"what": what, "format": format, "include_text": True}
            export = teller.ended(teller.twice(f"{path}/exports", wish))
            teller.file(f"{what}.{format}", f"{path}/exports/{export['id']}/content")
    active = next(m for m in models if m["state"] == "active")
    teller.file("bundle.zip", f"{path}/models/{active['id']}/download")
    first = models[0]["id"]
    teller.ended(teller.twice(f"{path}/models/{first}/activate", headers={"If-Match": "*"}))
    told.found["after"] = teller.twice(f"{path}/select")
    told.found["events"] = teller.everything(f"{path}/events")
    told.found["session"] = teller.read(path)


@pytest.fixture(scope="module")
def tell(
    tmp_path_factory: pytest.TempPathFactory, fresh_database: Callable[[str], Database]
) -> Callable[[str], Told]:
    """The story on a kind of database, told once each."""
    return cache(lambda kind: story(tmp_path_factory.mktemp("loop"), fresh_database(kind)))


@pytest.fixture(scope="module", params=KINDS)
def told(request: pytest.FixtureRequest, tell: Callable[[str], Told]) -> Told:
    return tell(request.param)


def story(folder: Path, database: Database) -> Told:
    told = Told(sample=sample())
    with serving_api(folder, encoder_threads=1, **database.settings) as server:
        told.token = server.token
        with server.caller() as caller:
            teller = Teller(caller, told)
            path = begin(teller, told)
            server.start_worker()
            told.found["imported"] = teller.ended(told.found["import"])
            index = told.found["imported"]["result"]["index_operation"]
            told.found["indexed"] = teller.ended({"id": index})
            for _ in range(ROUNDS):
                told.rounds.append(one_round(teller, path))
            take_away(teller, path, told)
        server.stop()
        told.logs = server.logs()
    return told


def test_a_file_sent_before_a_worker_runs_is_stored_and_indexed_once_one_does(told: Told) -> None:
    result = told.found["imported"]["result"]
    counts = {theirs: told.sample.labels(ours).total() for ours, theirs in PARTS.items()}
    assert told.found["import"]["state"] == "queued"
    assert result["rejected"] == 0, result["errors"]
    assert result["splits"] == {**counts, "check": 0}
    assert told.found["indexed"]["result"]["rows"] == sum(counts.values())


def test_every_round_selects_labels_writes_and_trains(told: Told) -> None:
    for number, parts in enumerate(told.rounds, start=1):
        assert parts["batch"]["round"] == number
        assert parts["batch"]["selected"] == BATCH
        assert parts["labelled"]["accepted"] == BATCH
        assert [w["result"]["generator"] for w in parts["written"]] == ["perturb", "simulated"]
        assert all(w["result"]["asked"] for w in parts["written"])
        assert parts["reviewed"]["failed"] == 0
        assert parts["trained"]["result"]["evaluated_on"] == "test"
    # The sample's reserve is small: a later round may find all of it used.
    assert all(w["result"]["proposed"] for w in told.rounds[0]["written"])
    assert told.rounds[0]["reviewed"]["accepted"] > 0


def test_both_kinds_of_database_give_the_same_picks_texts_and_figures(
    tell: Callable[[str], Told],
) -> None:
    first, second = (outcome(tell(kind)) for kind in KINDS)
    assert first == second


def outcome(told: Told) -> dict[str, Any]:
    """What does not depend on ids and times."""
    names = {row["id"]: row["external_id"] for row in told.found["items"]}
    written = [json.loads(row) for row in told.files["training.jsonl"].text.splitlines()]
    return {
        "picks": [
            [(names[item["id"]], item["entropy"]) for item in parts["batch"]["items"]]
            for parts in (*told.rounds, {"batch": told.found["after"]})
        ],
        "reviewed": [parts["reviewed"]["accepted"] for parts in told.rounds],
        "written": [(row["text"], row["labels"]) for row in written],
        "evenness": [
            {name: value for name, value in row.items() if name != "batch_id"}
            for row in told.found["metrics"]["evenness"]
        ],
        "scores": [model["metrics"] for model in told.found["models"]],
        "predicted": [row["scores"] for row in told.found["predicted"]["results"]],
        "events": Counter(event["type"] for event in told.found["events"]),
    }


def test_the_first_batch_is_typical_and_the_next_ones_are_uncertain(told: Told) -> None:
    first, *rest = (parts["batch"] for parts in told.rounds)
    assert first["strategy_used"] == "typical"
    assert all(batch["strategy_used"] == batch["strategy"] for batch in rest)
    assert all(item["entropy"] is not None for batch in rest for item in batch["items"])


def test_only_pool_rows_are_selected_each_once(told: Told) -> None:
    splits = {row["id"]: row["split"] for row in told.found["items"]}
    picked = [item["id"] for parts in told.rounds for item in parts["batch"]["items"]]
    assert {splits[item] for item in picked} == {"pool"}
    assert len(set(picked)) == ROUNDS * BATCH


def test_evenness_and_f1_are_there_for_every_round(told: Told) -> None:
    evenness = told.found["metrics"]["evenness"]
    assert [row["round"] for row in evenness] == [1, 2, 3]
    assert [row["labels"] for row in evenness] == [BATCH, 2 * BATCH, 3 * BATCH]
    assert all(0 < row["normalised_entropy"] <= 1 for row in evenness)
    curve = told.found["curve"]["models"]
    assert [row["version"] for row in curve] == [1, 2, 3]
    assert all(0 < row["macro_f1"] < 1 for row in curve)


def test_the_detector_beats_answering_the_largest_class(told: Told) -> None:
    last = told.rounds[-1]["trained"]["result"]["metrics"]
    assert last["macro_f1"] > 2 * told.sample.majority_f1()


def test_offline_generators_cost_nothing_and_say_what_they_are(told: Told) -> None:
    cost = told.found["metrics"]["cost"]
    assert cost["total_dollars"] == 0
    assert all(row["dollars"] == 0 for row in cost["operations"])
    assert "no API key" in told.rounds[0]["written"][0]["result"]["note"]


def test_warnings_are_a_list_of_codes_messages_and_facts(told: Told) -> None:
    warnings = told.found["metrics"]["warnings"]
    assert isinstance(warnings, list)
    assert all(set(sign) == {"code", "message", "facts"} for sign in warnings)


def test_events_are_numbered_without_gaps_and_tell_the_story(told: Told) -> None:
    events = told.found["events"]
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
    assert [e["created_at"] for e in events] == sorted(e["created_at"] for e in events)
    types = Counter(e["type"] for e in events)
    expected = {"batch.ready": ROUNDS + 1, "batch.completed": ROUNDS, "model.trained": ROUNDS}
    assert {name: types[name] for name in expected} == expected
    assert types["generation.completed"] == 2 * ROUNDS
    assert types["operation.queued"] == types["operation.succeeded"]
    assert types["model.activated"] == 1


def test_a_post_sent_again_has_one_effect_and_the_same_answer(told: Told) -> None:
    for path, first, again in told.replays:
        if path.endswith("/predict"):
            continue
        assert again.status_code == first.status_code, path
        assert again.content == first.content, path
        assert again.headers["Idempotency-Replayed"] == "true", path
        assert "Idempotency-Replayed" not in first.headers, path
    assert told.found["session"]["round"] == ROUNDS + 1


def test_gold_leaves_the_server_only_as_labels_that_were_asked_for(told: Told) -> None:
    labelled = {item["id"] for parts in told.rounds for item in parts["batch"]["items"]}
    for row in told.found["items"]:
        assert (row["labels"] is not None) == (row["id"] in labelled)
    for body in told.bodies:
        assert not hides_gold(json.loads(body)), body[:200]
    for name in ("labels.csv", "training.csv"):
        assert "gold" not in next(csv.reader(io.StringIO(told.files[name].text)))


def hides_gold(document: Any) -> bool:
    """Whether there is a member called gold, but for an import's counts."""
    if isinstance(document, list):
        return any(hides_gold(part) for part in document)
    if not isinstance(document, dict):
        return False
    counts = "errors_blob" in document
    return any(
        (name == "gold" and not counts) or hides_gold(part) for name, part in document.items()
    )


def test_every_plot_comes_as_svg_and_png(told: Told) -> None:
    for name in PLOTS:
        assert b"<svg" in told.files[f"{name}.svg"].content[:1000], name
        assert told.files[f"{name}.png"].content.startswith(b"\x89PNG\r\n"), name


def test_exports_hold_every_label_and_every_usable_variation(told: Told) -> None:
    labels = [json.loads(line) for line in told.files["labels.jsonl"].text.splitlines()]
    assert [row["seq"] for row in labels] == list(range(1, ROUNDS * BATCH + 1))
    training = [json.loads(line) for line in told.files["training.jsonl"].text.splitlines()]
    accepted = sum(parts["reviewed"]["accepted"] for parts in told.rounds)
    assert Counter(row["synthetic"] for row in training) == {False: 90, True: accepted}
    for what, rows in (("labels", labels), ("training", training)):
        found = list(csv.DictReader(io.StringIO(told.files[f"{what}.csv"].text, newline="")))
        assert len(found) == len(rows)
        assert found[0].keys() == rows[0].keys()


def test_the_downloaded_bundle_predicts_what_the_server_predicts(told: Told) -> None:
    archive = zipfile.ZipFile(io.BytesIO(told.files["bundle.zip"].content))
    tokenizer = Tokenizer.from_str(archive.read("tokenizer.json").decode())
    model = onnxruntime.InferenceSession(
        archive.read("model.onnx"), providers=["CPUExecutionProvider"]
    )
    classes = json.loads(archive.read("labels.json"))["classes"]
    for text, row in zip(ASKED, told.found["predicted"]["results"], strict=True):
        coded = tokenizer.encode(text)
        names = {entry.name for entry in model.get_inputs()}
        feeds = {"input_ids": coded.ids, "attention_mask": coded.attention_mask}
        feeds |= {name: [0] * len(coded.ids) for name in names - set(feeds)}
        arrays = {name: np.array([ids], dtype=np.int64) for name, ids in feeds.items()}
        (probabilities,) = model.run(None, arrays)[0]
        expected = [row["scores"][name] for name in classes]
        assert np.allclose(probabilities, expected, atol=1e-4)
        assert sum(row["scores"].values()) == pytest.approx(1, abs=1e-4)


def test_rolling_back_lets_the_first_model_choose_the_next_batch(told: Told) -> None:
    first = told.found["models"][0]["id"]
    assert told.found["session"]["active_model_id"] == first
    assert told.found["after"]["model_id"] == first


def test_the_logs_hold_no_text_and_no_key(told: Told) -> None:
    assert len(told.logs.splitlines()) > 100
    assert all(canary not in told.logs for canary in CANARIES)
    shown = f"admin key (shown once): {told.token}"
    assert told.logs.count(told.token) == told.logs.count(shown) == 1
    logs = re.sub(r"\\u[0-9a-f]{4}", "", told.logs)
    for row in told.sample.rows:
        start = row["text"].encode("ascii", "ignore").decode()[:40]
        assert len(start) < 20 or start not in logs, row["id"]
