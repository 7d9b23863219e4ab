"""A client that a public generator makes from openapi.yaml plays a whole round, and is refused."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import BIN, DOCS, ROOT, program, steps
from tests.sdk.conftest import TOPICS, Served

PAGE = DOCS / "http.md"
PACKAGE = "tailwise_api"
KEY = "a-key-of-mine"
ONNX_BEGINS = b"\x08"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the command of the page on HTTP says while it makes a client, which can be imported."""
    pytest.importorskip("openapi_python_client")
    folder = tmp_path_factory.mktemp("made") / "client"
    [line] = [one.code for one in steps(PAGE) if one.code.startswith("openapi-python-client ")]
    program, *arguments = shlex.split(line)
    arguments[arguments.index("--output-path") + 1] = str(folder)
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield done.stdout + done.stderr
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def client(made: str, served: Served) -> Iterator[Any]:
    with module("client").AuthenticatedClient(base_url=served.url, token=served.key) as opened:
        yield opened


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


def asking(client: Any) -> Callable[..., Any]:
    """Calls an operation by its place, such as ``batches.select``, and returns its answer."""

    def ask(operation: str, *path: str, **options: Any) -> Any:
        answer = module(f"api.{operation}").sync(*path, client=client, **options)
        assert not isinstance(answer, module("models").Problem), answer
        assert answer is not None, operation
        return answer

    return ask


def ended(ask: Callable[..., Any], operation: Any) -> Any:
    found = ask("operations.get_operation", operation.id, wait=30)
    assert found.state == "succeeded", found
    return found


def new_session(models: Any) -> Any:
    classes = [models.LabelClass(id=topic) for topic in TOPICS]
    encoder = models.Choice(name="hashing")
    return models.NewSession(
        name="made",
        task=models.Task(labels=classes),
        settings=models.Settings(encoder=encoder, batch_size=6, min_distance=0.0),
    )


def test_the_document_gives_no_warning(made: str) -> None:
    assert "warning" not in made.lower()
    assert "Skipping" not in made
    declared = set(re.findall(r"operationId: (\w+)", (ROOT / "openapi.yaml").read_text()))
    api = Path(module("api").__file__).parent
    assert {path.stem for path in api.glob("*/*.py")} - {"__init__"} == declared


def test_names_in_the_client_are_those_of_the_domain(made: str) -> None:
    numbered = [name for name in dir(module("models")) if re.search(r"(Type\d|Response\d)", name)]
    assert [name for name in numbered if not name.startswith("Get")] == []


def test_a_whole_round_is_played_through_it(client: Any) -> None:
    models, ask = module("models"), asking(client)
    session = ask("sessions.create_session", body=new_session(models)).id
    fill(ask, models, session)

    select = models.SelectRequest()
    batch = ask("batches.select", session, body=select, idempotency_key=KEY).id
    answers = answered(ask, models, session, batch)
    labelled = ask("labels.label", session, body=models.LabelRequest(labels=answers))
    assert labelled.accepted == 6
    state = ask("batches.get_batch", session, batch).state
    assert state is models.BatchState.COMPLETED

    training = ask("models.retrain", session, body=models.RetrainRequest(), idempotency_key=KEY)
    model = ended(ask, training).result["model_id"]
    asked = models.PredictRequest(inputs=[models.PredictInput(text="a note on the harbour")])
    predicted = ask("predict.predict", session, body=asked)
    assert (predicted.model_id, predicted.results[0].label) == (model, "harbour")
    assert ask("models.get_model_head", session, model).payload.read(1) == ONNX_BEGINS

    wish = models.ExportRequest(
        what=models.ExportRequestWhat.LABELS, format_=models.ExportRequestFormat.JSONL
    )
    export = ended(ask, ask("exports.start_export", session, body=wish, idempotency_key=KEY))
    file = ask("exports.get_export_content", session, export.id).payload.read()
    rows = [json.loads(line) for line in file.splitlines()]
    assert {row["item_id"]: row["labels"] for row in rows} == {
        a.item_id: [a.label] for a in answers
    }


def fill(ask: Callable[..., Any], models: Any, session: str) -> None:
    """Nine texts in a request, and nine in a file."""
    rows = [models.NewItem(text=text(n), external_id=f"own-{n}") for n in range(9)]
    assert ask("items.add_items", session, body=models.AddItems(items=rows)).created == 9
    lines = "text,external_id\n" + "\n".join(f"{text(n)},file-{n}" for n in range(9, 18))
    started = ask(
        "imports.start_import",
        session,
        body=module("types").File(payload=BytesIO(lines.encode())),
        format_=models.StartImportFormat.CSV,
        idempotency_key=KEY,
    )
    assert ended(ask, started).result["created"] == 9


def answered(ask: Callable[..., Any], models: Any, session: str, batch: str) -> list[Any]:
    """An answer for each item of the batch, for two of them by a lease."""
    claimed = ask("leases.claim_leases", session, body=models.ClaimRequest(count=2)).assignments
    answers = [answer(models, lease.item, assignment=lease) for lease in claimed]
    taken = {lease.item.id for lease in claimed}
    waiting = ask("items.list_items", session, batch_id=batch).data
    return answers + [answer(models, item) for item in waiting if item.id not in taken]


def test_a_refusal_is_a_problem_document(client: Any, served: Served) -> None:
    models = module("models")
    missing = module("api.sessions.get_session").sync("ses_missing", client=client)
    assert isinstance(missing, models.Problem)
    assert (missing.status, missing.code, missing.retryable) == (404, "unknown-session", False)
    twice = [models.LabelClass(id="same"), models.LabelClass(id="same")]
    new = models.NewSession(name="made", task=models.Task(labels=twice))
    refused = module("api.sessions.create_session").sync(client=client, body=new)
    assert refused.status == 422
    assert refused.errors[0].pointer.startswith("/task/labels")


def test_the_asynchronous_form_answers_too(client: Any) -> None:
    async def me() -> Any:
        return await module("api.people.get_me").asyncio(client=client)

    async def closing() -> Any:
        async with client:
            return await me()

    assert "admin" in {scope.value for scope in asyncio.run(closing()).scopes}


def test_the_example_of_the_page_runs(made: str, served: Served, capsys: Any) -> None:
    code = program(PAGE, "python").replace("http://127.0.0.1:8080", served.url)
    exec(compile(code.replace("tw_...", served.key), "http.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1].startswith("ses_")


def text(number: int) -> str:
    return f"a note on the {TOPICS[number % 3]} number {number}"


def answer(models: Any, item: Any, *, assignment: Any = None) -> Any:
    """What somebody who reads says of an item, with the lease where there is one."""
    lease = {}
    if assignment is not None:
        lease = {"assignment_id": assignment.id, "lease_token": assignment.lease_token}
    topic = next(topic for topic in TOPICS if topic in item.text)
    return models.NewLabel(item_id=item.id, label=topic, **lease)
