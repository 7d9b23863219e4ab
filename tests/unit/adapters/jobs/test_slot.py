import subprocess
import sys
from pathlib import Path

import pytest

from adapters.jobs.slot import claim_slot
from core.errors import Conflict

ROOT = Path(__file__).parents[4]
HOLD = """
import sys, pathlib
from adapters.jobs.slot import claim_slot
with claim_slot(pathlib.Path(sys.argv[1]), "worker-0"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_worker_of_the_same_id_is_refused(holder, tmp_path):
    advice = "give this one another TAILWISE_WORKER_ID"
    with pytest.raises(Conflict, match=advice) as refusal, claim_slot(tmp_path, "worker-0"):
        pass
    assert refusal.value.code == "worker-already-running"


def test_a_worker_of_another_id_is_welcome(holder, tmp_path):
    with claim_slot(tmp_path, "worker-1"):
        assert (tmp_path / "worker-1.lock").exists()


def test_a_killed_worker_leaves_its_slot_free(holder, tmp_path):
    holder.kill()
    holder.wait()
    with claim_slot(tmp_path, "worker-0"):
        assert holder.returncode != 0
