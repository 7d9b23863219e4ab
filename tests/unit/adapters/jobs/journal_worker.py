"""A worker whose steps leave lines in a journal; the tests run it as a process and kill it.

Arguments: the jobs database, the journal, the gate file that a job's second step waits for.
"""

import signal
import sys
import threading
import time
from pathlib import Path

from adapters.jobs.dbos_worker import DbosWorker
from adapters.store.engine import make_jobs_engine
from core.errors import STORE_BUSY, Unavailable


def lose_database_once(name: str, operation_id: str, mark: Path) -> None:
    if name in operation_id and not mark.exists():
        mark.touch()
        raise Unavailable("canary-4711", code=STORE_BUSY)


def break_down(operation_id: str) -> None:
    if "broken" in operation_id:
        message = "canary-4711"
        raise ValueError(message)


def main(url: str, journal: str, gate: str) -> int:
    def note(*words: object) -> None:
        with Path(journal).open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")

    mark = Path(f"{journal}.lost")

    def work(operation_id: str, number: int) -> int:
        note("step", operation_id, number)
        while number == 1 and not Path(gate).exists():
            time.sleep(0.02)
        lose_database_once("cut-1", f"{operation_id}-{number}", mark)
        if number == 2:
            break_down(operation_id)
        return number

    def run(operation_id: str, job) -> None:
        note("run", operation_id)
        try:
            for number in range(3):
                answer = job.step(
                    f"step {number}", lambda number=number: work(operation_id, number)
                )
                note("answer", operation_id, answer)
        except ValueError:
            note("failed", operation_id)
        lose_database_once("torn", operation_id, mark)
        if "unstorable" in operation_id:
            message = "canary-4711"
            raise OSError(message)
        note("end", operation_id)

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    worker = DbosWorker(
        make_jobs_engine(url),
        run=run,
        worker_id="worker-0",
        publish=lambda operation_id, progress: None,
        cancelled=lambda operation_id: False,
    )
    worker.launch()
    note("ready")
    while not stopping.wait(0.05) and not worker.fault.is_set():
        worker.resume_cut_off()
    worker.stop()
    return 1 if worker.fault.is_set() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
