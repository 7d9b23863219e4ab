import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.errors import Conflict, InvalidInput, NotInstalled
from runtime.serve import address, listen, prepare_folders, require_encoder
from runtime.settings import Settings

PATIENCE = 90.0


def wait_until(holds):
    deadline = time.monotonic() + PATIENCE
    while not (answer := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


class Server:
    """``tailwise serve`` started beside folders that have our packages' names."""

    def __init__(self, folder: Path, *, options: tuple[str, ...] = ()) -> None:
        decoys = folder / "decoys"
        for name in ("api", "core", "oracle", "adapters", "runtime", "benchmarks"):
            (decoys / name).mkdir(parents=True, exist_ok=True)
            (decoys / name / "__init__.py").write_text("raise SystemExit('decoy')")
        encoder = folder / "encoder"
        encoder.mkdir(exist_ok=True)
        (encoder / "model.onnx").touch()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TAILWISE_")}
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("tailwise"), "serve", "--port=0", *options],
                cwd=decoys,
                env={
                    **kept,
                    "TAILWISE_DATA_DIR": str(folder / "data"),
                    "TAILWISE_ENCODER_DIR": str(encoder),
                    "TAILWISE_METRICS_PORT": "0",
                },
                stdout=out,
                stderr=err,
            )

    def lines(self) -> list[str]:
        return self.out.read_text().splitlines()

    def wait(self) -> None:
        wait_until(lambda: "listening on" in self.out.read_text() or self.process.poll())
        assert self.process.poll() is None, self.err.read_text()

    def get(self, path: str, *, token: str = "") -> http.client.HTTPResponse:
        host, port = re.search(r"http://(.*):(\d+)", self.out.read_text()).groups()
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def child(self, word: str) -> psutil.Process | None:
        found = psutil.process_iter(["ppid", "cmdline"])
        ours = [p for p in found if p.info["ppid"] == self.process.pid]
        return next((p for p in ours if word in " ".join(p.info["cmdline"] or [])), None)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    server.wait()
    yield server
    server.close()


def test_a_server_answers_with_the_key_it_printed_and_stops_cleanly(server):
    key, invitation, listening = server.lines()
    token = re.fullmatch(r"admin key \(shown once\): (tw_\w+)", key)[1]
    assert listening.startswith("listening on http://127.0.0.1:")
    url = listening.rpartition(" ")[2]
    assert invitation.startswith("to open the console, run: tailwise invite you --role lead")
    assert invitation.endswith(f" --url {url}")
    assert server.get("/v1/sessions", token=token).status == 200
    assert server.get("/v1/sessions", token=token[:-1] + "x").status == 401
    assert server.get("/livez").getheader("Server") == "tailwise"
    assert token.rpartition("_")[2] not in server.err.read_text()
    everyone = psutil.Process(server.process.pid).children(recursive=True)
    server.process.terminate()
    assert server.process.wait() == 0
    assert not any(process.is_running() for process in everyone)


def test_the_first_key_is_made_only_once(server, tmp_path):
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait() == 0
    again = Server(tmp_path, options=("--api-only",))
    again.wait()
    assert [line.split()[0] for line in again.lines()] == ["listening"]
    assert again.child("runtime.worker") is None
    again.close()


def test_a_killed_worker_is_started_again(server):
    first = server.child("runtime.worker")
    first.kill()
    wait_until(lambda: (now := server.child("runtime.worker")) and now.pid != first.pid)
    wait_until(lambda: server.err.read_text().count("worker ready") == 2)
    assert server.process.poll() is None


def test_a_server_whose_web_server_ended_ends_with_1(server):
    server.child("gunicorn").kill()
    assert server.process.wait() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
def test_a_killed_server_leaves_no_process_behind(server):
    everyone = psutil.Process(server.process.pid).children(recursive=True)
    server.process.kill()
    server.process.wait()
    _, alive = psutil.wait_procs(everyone, timeout=PATIENCE)
    assert alive == []


def test_a_second_server_on_the_same_data_is_refused(server, tmp_path):
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "data").symlink_to(tmp_path / "data")
    second = Server(tmp_path / "second")
    assert second.process.wait() == 2
    assert "a worker named worker-0 is already running" in second.err.read_text()
    assert server.get("/livez").status == 200


def test_a_taken_port_is_refused_by_its_number():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} .* with TAILWISE_PORT") as refusal:
            listen("127.0.0.1", port, variable="TAILWISE_PORT")
    assert refusal.value.code == "port-taken"


def test_a_host_that_does_not_exist_is_refused():
    with pytest.raises(InvalidInput, match="not an address"):
        listen("no-such-host.invalid", 0, variable="TAILWISE_PORT")


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],
)
def test_the_printed_address_can_be_reached_from_here(host, shown):
    with listen(host, 0, variable="TAILWISE_PORT") as listener:
        assert address(host, listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_a_missing_encoder_names_the_command(tmp_path):
    with pytest.raises(NotInstalled, match="run: tailwise encoder install") as refusal:
        require_encoder(Settings(encoder_dir=tmp_path))
    assert refusal.value.code == "encoder-missing"


def test_the_data_directory_is_its_owners_alone(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    places = prepare_folders(settings)
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700
    assert list(places.run.iterdir()) == []


def test_folders_of_killed_servers_are_removed(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    stale = settings.data_dir / "run" / "999999999"
    stale.mkdir(parents=True)
    prepare_folders(settings)
    assert not stale.exists()
