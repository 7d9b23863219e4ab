"""Batches go to Label Studio once, annotations come back once."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from xml.etree import ElementTree as ET

import httpx2
import pytest

from tailwise_client import ConnectionFailed, NotAllowed, NotAuthenticated, Tailwise
from tailwise_client.command import main
from tailwise_client.label_studio import LabelStudio, create_project, label_config, pull, push
from tailwise_client.label_studio.hints import Hints, listening
from tailwise_client.records.sessions import LabelClass, Task
from tests.sdk.conftest import SETTINGS, TOPICS, rows, topic_of
from tests.sdk.made_studio import LEGACY, PERSONAL, MadeStudio
from tests.sdk.scripted import DROP


@pytest.fixture
def made(loopback):
    studio = MadeStudio()
    loopback.otherwise = studio
    return studio


@pytest.fixture
def studio(loopback, made):
    with LabelStudio(loopback.url, LEGACY, sleep=lambda seconds: None) as client:
        yield client


@pytest.fixture
def session(observer):
    """With a batch of six that waits."""
    session = observer.create_session("topics", labels=TOPICS, settings=SETTINGS)
    session.upload(rows(18))
    session.select()
    return session


@pytest.fixture
def project(session, studio):
    return create_project(session, studio).id


def answer_all(made):
    for task in made.tasks:
        made.annotate(task["id"], next(t for t in TOPICS if t in task["data"]["text"]))


def test_the_configuration_shows_names_and_stores_ids():
    labels = (
        LabelClass(id="a", name="Threat & <abuse>", definition='says "harm"'),
        LabelClass(id="b", name="Same"),
        LabelClass(id="c", name="Same"),
    )
    view = ET.fromstring(label_config(Task(labels=labels)))
    choices = view.find("Choices")
    assert choices is not None
    assert choices.get("choice") == "single"
    assert [c.get("value") for c in choices] == ["Threat & <abuse>", "b", "c"]
    assert [c.get("alias") for c in choices] == ["a", "b", "c"]
    assert [c.get("hotkey") for c in choices] == ["1", "2", "3"]
    assert choices[0].get("hint") == 'says "harm"'


def test_several_classes_may_be_chosen_in_a_multi_label_session():
    view = ET.fromstring(label_config(Task(type="multi", labels=(LabelClass(id="a"),))))
    choices = view.find("Choices")
    assert choices is not None
    assert (choices.get("choice"), choices.get("required")) == ("multiple", "false")


def test_a_project_has_the_guidelines_as_text(observer, studio, made):
    session = observer.create_session("t", labels=TOPICS, guidelines="<b>1</b>\n2")
    create_project(session, studio)
    [project] = made.projects.values()
    assert project["title"] == "Tailwise: t"
    assert project["expert_instruction"] == "&lt;b&gt;1&lt;/b&gt;<br>2"


def test_a_batch_is_pushed_once(session, studio, project, made):
    first = push(session, studio, project_id=project)
    second = push(session, studio, project_id=project)
    assert (first.created, first.present) == (6, 0)
    assert (second.created, second.present) == (0, 6)
    assert {task["data"]["tailwise_item"] for task in made.tasks} == {
        pick.id for pick in session.batch(first.batch_id).items
    }


def test_a_push_that_broke_off_is_finished(session, studio, project, made, loopback):
    push(session, studio, project_id=project)
    del made.tasks[3:]
    assert push(session, studio, project_id=project).created == 3
    assert len(made.tasks) == 6


def test_a_lost_answer_to_an_import_is_not_repeated_blindly(session, studio, project, loopback):
    lost = []

    def lose_the_import(asked):
        if asked.path.endswith("/import") and not lost:
            lost.append(asked)
            made(asked)
            return DROP
        return made(asked)

    made = loopback.otherwise
    loopback.otherwise = lose_the_import
    with pytest.raises(ConnectionFailed):
        push(session, studio, project_id=project)
    assert push(session, studio, project_id=project).present == 6
    assert len(made.tasks) == 6


def test_other_tasks_of_the_project_are_left_alone(session, studio, project, made):
    made.tasks.append({"id": 1, "project": project, "annotations": [], "data": {"text": "mine"}})
    made.annotate(1, "garden")
    assert push(session, studio, project_id=project).created == 6
    assert pull(session, studio, project_id=project).stored == 0


def test_context_goes_along_in_order(observer, studio, made):
    session = observer.create_session("topics", labels=TOPICS, settings=SETTINGS)
    context = ["first", {"author": "ann", "text": "second"}]
    session.upload([{"text": "third garden", "metadata": {"context": context}}])
    session.select()
    push(session, studio, project_id=create_project(session, studio).id)
    assert made.tasks[0]["data"]["before"] == "first\nann: second"


def test_annotations_become_labels_once(session, studio, project, made):
    batch = push(session, studio, project_id=project).batch_id
    answer_all(made)
    first = pull(session, studio, project_id=project)
    second = pull(session, studio, project_id=project)
    assert (first.stored, first.known, first.refused) == (6, 0, {})
    assert (second.stored, second.known) == (0, 6)
    assert session.batch(batch).state == "completed"
    assert all(item.labels == (topic_of(item),) for item in session.items(batch_id=batch))
    [event, *_] = session.labels()
    assert event.client_label_id.startswith(f"label-studio:{project}:")
    assert event.duration_ms == 2500


def test_tasks_are_read_over_pages(session, studio, project, made):
    made.page = 2
    push(session, studio, project_id=project)
    answer_all(made)
    assert len(list(studio.tasks(project))) == 6
    assert pull(session, studio, project_id=project).stored == 6


def test_a_changed_annotation_replaces_its_label_once(session, studio, project, made):
    push(session, studio, project_id=project)
    made.annotate(1, "garden", id=77)
    pull(session, studio, project_id=project)
    made.annotate(1, "harbour", id=77)
    changed = pull(session, studio, project_id=project)
    again = pull(session, studio, project_id=project)
    item_id = made.tasks[0]["data"]["tailwise_item"]
    assert (changed.stored, again.stored) == (1, 0)
    assert session.item(item_id).labels == ("harbour",)


def test_a_skipped_task_declines_its_item(session, studio, project, made):
    push(session, studio, project_id=project)
    made.annotate(1, was_cancelled=True)
    assert pull(session, studio, project_id=project).stored == 1
    assert session.item(made.tasks[0]["data"]["tailwise_item"]).state == "excluded"


@pytest.mark.parametrize("choices", [(), ("desert",)])
def test_what_names_no_class_is_counted_and_left(session, studio, project, made, choices):
    push(session, studio, project_id=project)
    made.annotate(1, *choices)
    found = pull(session, studio, project_id=project)
    assert (found.stored, found.unreadable) == (0, 1)


def test_an_answer_that_came_too_late_is_told(session, studio, project, made, served):
    batch = push(session, studio, project_id=project).batch_id
    made.annotate(1, "garden")
    item_id = made.tasks[0]["data"]["tailwise_item"]
    with Tailwise(served.url, served.key) as other:
        other.session(session.id).label([{"item_id": item_id, "label": "kitchen"}])
    found = pull(session, studio, project_id=project)
    assert list(found.refused) == [item_id]
    assert session.batch(batch).state == "open"


def test_annotators_are_told_apart_where_the_key_may(session, studio, project, made):
    push(session, studio, project_id=project)
    made.annotate(1, "garden", completed_by=4)
    made.annotate(2, "garden", completed_by={"id": 5})
    pull(session, studio, project_id=project, by_annotator=True)
    who = Counter(event.annotator_id for event in session.labels())
    assert who == {"label-studio:4": 1, "label-studio:5": 1}


def test_texts_are_needed(session, studio, project, served):
    key = served.key_with("labels:write", "read")
    with Tailwise(served.url, key) as blind, pytest.raises(NotAllowed):
        push(blind.session(session.id), studio, project_id=project)


def test_a_personal_token_is_exchanged_and_renewed(loopback, made):
    made.projects[1] = {"id": 1, "title": "t"}
    made.tasks.append({"id": 1, "project": 1, "annotations": [], "data": {}})
    with LabelStudio(loopback.url, PERSONAL) as client:
        assert len(list(client.tasks(1))) == 1
        made.access.append("second")
        assert len(list(client.tasks(1))) == 1
        assert PERSONAL not in repr(client)
    sent = [asked.headers.get("authorization") for asked in loopback.asked]
    assert sent == [None, "Bearer first", "Bearer first", None, "Bearer second"]


def test_a_wrong_token_is_refused(loopback, made):
    with LabelStudio(loopback.url, "nonsense") as client, pytest.raises(NotAuthenticated):
        list(client.tasks(1))


@pytest.fixture
def environment(monkeypatch, served, loopback, made):
    monkeypatch.setenv("TAILWISE_URL", served.url)
    monkeypatch.setenv("TAILWISE_API_KEY", served.key)
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)


def printed(capsys):
    """What the command said, without the log of the service, which runs in this process."""
    return [line for line in capsys.readouterr().out.splitlines() if "[info" not in line]


def test_the_command_makes_a_project_pushes_and_pulls(environment, session, made, capsys):
    common = ["--session", session.id]
    assert main(["label-studio", "create", *common]) == 0
    [project] = printed(capsys)
    assert main(["label-studio", "push", *common, "--project", project]) == 0
    answer_all(made)
    assert main(["label-studio", "pull", *common, "--project", project]) == 0
    pushed, pulled = printed(capsys)
    assert pushed.endswith("6 new, 0 there")
    assert pulled.startswith("pulled 6 new")


def test_the_command_syncs_in_turns(environment, session, made, project, capsys):
    wanted = ["--session", session.id, "--project", str(project), "--every", "0", "--turns", "2"]
    assert main(["label-studio", "sync", *wanted]) == 0
    assert [line.split()[0] for line in printed(capsys)] == ["pushed", "pulled"] * 2


def test_the_command_tells_a_refusal_in_one_line(environment, made, capsys):
    assert main(["label-studio", "push", "--session", "ses_nothing", "--project", "1"]) == 1
    assert capsys.readouterr().err.startswith("tailwise-client: 404 ")


def test_a_hint_ends_the_wait_and_is_not_believed():
    hints = Hints(every_s=600.0, least_s=0.0)
    with listening("127.0.0.1", 0, hints) as port:
        answer = httpx2.post(f"http://127.0.0.1:{port}/", content=b"\xff{not json", trust_env=False)
        refused = httpx2.post(
            f"http://127.0.0.1:{port}/",
            content=iter([b"x"]),
            trust_env=False,
        )
    waiting = threading.Thread(target=hints.wait, daemon=True)
    waiting.start()
    waiting.join(60.0)
    assert (answer.status_code, refused.status_code) == (204, 413)
    assert not waiting.is_alive()


def test_names_of_answers_differ_by_annotation(session, studio, project, made):
    push(session, studio, project_id=project)
    answer_all(made)
    pull(session, studio, project_id=project)
    names = [event.client_label_id for event in session.labels()]
    assert all(a != b for a, b in itertools.combinations(names, 2))
