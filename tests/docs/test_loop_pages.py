"""The pages on the loop and the people in it, typed from top to bottom against one server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.stage import LOOPBACK, reading
from tests.e2e.running import Running, opened
from tests.sdk.made_studio import LEGACY, MadeStudio
from tests.sdk.scripted import scripted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("page", ["pool.md", "labelling.md", "queue.md", "people.md", "predict.md"])
def test_a_page_does_what_it_says(page: str, server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        stage.ready()
        assert stage.play(page)


def test_the_clients_page_is_installed_as_it_says(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        stage.ready()
        stage.play("client.md")
        assert (tmp_path / "site" / "tailwise_client" / "py.typed").exists()


def test_the_http_page_names_a_file_that_is_read(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        stage.ready()
        assert stage.play("http.md") == []


def test_the_bridge_to_label_studio(server: Running, tmp_path: Path) -> None:
    settings = {"oracle": "human", "batch_size": 20}
    caller = server.caller()
    path = opened(caller, **settings)
    caller.made(f"{path}/select", {"size": 20})
    studio = MadeStudio(projects={number: {} for number in range(1, 7)})
    with scripted() as listening, reading(tmp_path, shared=server) as stage:
        listening.otherwise = studio
        stage.ready()
        stage.given |= {
            "https://studio.example": listening.url,
            "LABEL_STUDIO_API_KEY=...": f"LABEL_STUDIO_API_KEY={LEGACY}",
            "ses_...": path.rpartition("/")[2],
        }

        def answered() -> None:
            for task in studio.tasks[:3]:
                studio.annotate(task["id"], "garden")

        stage.before["tailwise-client label-studio pull"] = answered
        stage.play("label-studio.md")
    assert len(studio.tasks) == 20
    assert stage.given[LOOPBACK] == server.url
