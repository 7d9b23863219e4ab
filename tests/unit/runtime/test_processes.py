import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Unavailable
from runtime.processes import Kept, RestartDelay, start_python, stop_all, wait_for_line, watch

STUBBORN = (
    "import signal, time\nsignal.signal(15, lambda *_: None)\nprint(flush=True)\ntime.sleep(600)"
)


def sleeper(code: str = "import time; time.sleep(600)") -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


def close(*children: subprocess.Popen) -> None:
    for child in children:
        child.kill()
        child.communicate()


def test_a_process_that_keeps_dying_is_restarted_ever_more_slowly():
    delay = RestartDelay()
    assert [delay.after(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_lived_a_minute_is_restarted_quickly_again():
    delay = RestartDelay()
    for _ in range(5):
        delay.after(0.1)
    assert delay.after(61) == 1


def test_a_dead_process_is_started_again_only_after_its_delay():
    first, second = sleeper("pass"), sleeper()
    first.wait()
    kept = Kept(first, start=lambda: second, name="worker")
    kept.look()
    assert kept.child is first
    while kept.child is first:
        kept.look()
    assert kept.child is second
    close(first, second)


def test_watching_ends_with_0_when_asked_to_stop():
    stopping = threading.Event()
    stopping.set()
    web = sleeper()
    assert watch(web, None, stopping=stopping) == 0
    close(web)


def test_watching_ends_with_1_when_the_web_server_ends():
    web = sleeper("pass")
    assert watch(web, None, stopping=threading.Event()) == 1
    close(web)


def test_willing_children_are_only_asked_to_stop():
    child = sleeper()
    assert stop_all([child], seconds=30.0)
    assert child.returncode == -signal.SIGTERM
    close(child)


def test_a_stubborn_child_is_ended():
    child = sleeper(STUBBORN)
    child.stdout.readline()
    assert not stop_all([child], seconds=0.1)
    assert child.returncode == -signal.SIGKILL
    close(child)


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_ready_child_is_noticed(pipe):
    reader, writer = pipe
    child = sleeper()
    os.write(writer, b"ready\n")
    assert wait_for_line(child, reader, seconds=30, stopping=threading.Event(), name="worker")
    close(child)


def test_a_child_that_ends_before_it_is_ready_is_a_named_failure(pipe):
    child = sleeper("raise SystemExit(3)")
    child.wait()
    with pytest.raises(Unavailable, match="the worker ended with 3") as failure:
        wait_for_line(child, pipe[0], seconds=30, stopping=threading.Event(), name="worker")
    assert failure.value.code == "start-failed"
    close(child)


def test_a_child_that_is_never_ready_is_a_named_failure(pipe):
    child = sleeper()
    with pytest.raises(Unavailable, match="was not ready"):
        wait_for_line(child, pipe[0], seconds=0.1, stopping=threading.Event(), name="worker")
    close(child)


def test_waiting_for_a_child_ends_when_asked_to_stop(pipe):
    stopping = threading.Event()
    stopping.set()
    child = sleeper()
    assert not wait_for_line(child, pipe[0], seconds=30, stopping=stopping, name="worker")
    close(child)


def test_children_import_nothing_from_the_folder_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('decoy')")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    code = f"import core, os; open({str(out)!r}, 'w').write(core.__file__ + ' ' + os.getcwd())"
    child = start_python(
        ["-c", code],
        environ=dict(os.environ),
        directory=tmp_path / "empty",
        fds=[],
    )
    assert child.wait() == 0
    module, folder = out.read_text().split()
    assert Path(module).parts[-2:] == ("core", "__init__.py")
    assert not module.startswith(str(tmp_path))
    assert folder == str(tmp_path / "empty")
