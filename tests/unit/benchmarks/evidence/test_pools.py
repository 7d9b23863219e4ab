import socket
import time
from multiprocessing import active_children

import pytest

from benchmarks.evidence.pools import dask_pool, process_pool
from core.errors import Unavailable


def test_work_is_done_in_other_processes():
    with process_pool(1) as pool:
        assert pool.submit(sum, [1, 2, 3]).result() == 6


def interrupted_work() -> None:
    with process_pool(1) as pool:
        waiting = [pool.submit(time.sleep, 600) for _ in range(4)]
        while not waiting[0].running():
            time.sleep(0.01)
        raise KeyboardInterrupt


def test_an_interrupt_does_not_wait_for_the_work_in_progress():
    with pytest.raises(KeyboardInterrupt):
        interrupted_work()
    for worker in active_children():
        worker.join()
    assert active_children() == []


def test_a_scheduler_that_does_not_answer_is_named():
    pytest.importorskip("distributed")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable, match=address), dask_pool(address):
        pass
