"""Fetching from a loopback server that stands for the upstream address."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.datasets.fetching import Fetcher
from benchmarks.datasets.opening import fetch_dataset, open_dataset
from core.errors import InvalidInput, Unavailable
from tests.unit.benchmarks.datasets.made_sets import messages, upstream_entry

PATH = f"/somebody/messages/{'0' * 40}/data/sms.tsv"


@dataclass
class Upstream:
    """What the server answers, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    state = Upstream(files={PATH: messages()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            data = state.files.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetcher(upstream: Upstream, tmp_path: Path) -> Fetcher:
    return Fetcher(cache=tmp_path / "cache", address=upstream.address)


def kept(fetcher: Fetcher) -> list[Path]:
    return [path for path in fetcher.cache.rglob("*") if path.is_file()]


def test_a_set_is_fetched_from_its_pinned_commit(upstream: Upstream, fetcher: Fetcher) -> None:
    entry = upstream_entry()

    dataset = open_dataset("made", fetcher=fetcher, catalog={"made": entry})

    assert upstream.asked == [PATH]
    assert dataset.classes == ("ham", "spam")
    assert len(dataset.texts) == 180
    assert entry.commit in dataset.source


def test_a_second_time_it_comes_from_the_cache(upstream: Upstream, fetcher: Fetcher) -> None:
    first = fetcher.files(upstream_entry())
    upstream.files.clear()

    assert fetcher.files(upstream_entry()) == first
    assert upstream.asked == [PATH]


def test_a_damaged_file_in_the_cache_is_fetched_again(upstream: Upstream, fetcher: Fetcher) -> None:
    fetcher.files(upstream_entry())
    kept(fetcher)[0].write_bytes(b"damaged")

    assert fetcher.files(upstream_entry()) == [messages()]
    assert kept(fetcher)[0].read_bytes() == messages()
    assert len(upstream.asked) == 2


def test_a_file_that_is_not_the_pinned_one_is_refused_and_not_kept(
    upstream: Upstream, fetcher: Fetcher
) -> None:
    upstream.files[PATH] = b"ham\tsomething else\n"

    with pytest.raises(Unavailable) as refusal:
        fetcher.files(upstream_entry())

    assert refusal.value.code == "hash-mismatch"
    assert refusal.value.extras["expected"] == upstream_entry().upstream_sha256[0]
    assert kept(fetcher) == []


def test_a_file_over_the_limit_is_refused_and_not_kept(fetcher: Fetcher) -> None:
    with pytest.raises(Unavailable) as refusal:
        replace(fetcher, limit=1000).files(upstream_entry())

    assert refusal.value.code == "dataset-too-large"
    assert kept(fetcher) == []


def test_a_missing_file_says_what_to_do(upstream: Upstream, fetcher: Fetcher) -> None:
    upstream.files.clear()

    with pytest.raises(Unavailable, match=r"status 404.*TAILWISE_DATASETS") as refusal:
        fetcher.files(upstream_entry())

    assert refusal.value.code == "dataset-unreachable"


def test_an_address_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    nobody = Fetcher(cache=tmp_path, address="http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="ConnectError"):
        nobody.files(upstream_entry())


def test_rows_with_another_content_than_the_catalogue_says_are_refused(fetcher: Fetcher) -> None:
    with pytest.raises(InvalidInput) as refusal:
        fetch_dataset(replace(upstream_entry(), content="0" * 64), fetcher=fetcher)

    assert refusal.value.code == "hash-mismatch"


def test_an_unknown_name_costs_no_request(upstream: Upstream, fetcher: Fetcher) -> None:
    with pytest.raises(InvalidInput, match="no data set 'nothing'"):
        open_dataset("nothing", fetcher=fetcher)

    assert upstream.asked == []
