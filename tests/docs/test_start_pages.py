"""The pages that people begin with, typed from top to bottom."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.docs.stage import reading, some_messages
from tests.e2e.running import Running

pytestmark = pytest.mark.slow

ANSWERS = "no-harm\nmedical\nemergency\n" * 20


def test_one_round_in_curl(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        said = "".join(stage.play("one-round.md"))
    assert "958" in said


def test_the_first_page_of_the_project(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server, typed=ANSWERS) as stage:
        labelled_archive(stage.checkout)
        some_messages(stage.checkout, count=30)
        said = stage.play("README.md")
    assert re.search(r"1 20 mdl_\w+$", said[-1], re.MULTILINE)


def test_the_first_page_of_the_client(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        stage.ready()
        stage.play("clients/python/README.md")
        assert (tmp_path / "site" / "tailwise_client" / "py.typed").exists()


def test_the_quickstart(server: Running, tmp_path: Path) -> None:
    with reading(tmp_path, shared=server) as stage:
        labelled_archive(stage.checkout)
        said = "".join(stage.play("quickstart.md"))
        assert (stage.checkout / "tailwise-report" / "index.html").exists()
    assert "round labels labels per class" in said


def labelled_archive(checkout: Path) -> None:
    """The reader's own ``messages.csv.gz``, and the same file unpacked."""
    path = some_messages(checkout, count=100, labels=True)
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes()))
