"""A process that appends labels and events from several threads; the tests start some at once."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from adapters.store.store import open_store
from core.records import LabelEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def write(store, writer, count):
    for number in range(count):
        with store.write() as tx:
            session = tx.sessions.get("ten_a", "ses_1", lock=True)
            seq = tx.labels.watermark(session.id) + 1
            tx.labels.add_many([label(f"{writer}-{number}", seq)])
            tx.events.add(
                tenant_id="ten_a", session_id="ses_1", type="label", data={"seq": seq}, now=NOW
            )


def label(name, seq):
    return LabelEvent(
        id=f"lab_{name}",
        tenant_id="ten_a",
        session_id="ses_1",
        item_id=f"itm_{name}",
        seq=seq,
        kind="created",
        labels=("harm",),
        oracle="human",
        annotator_id="ann",
        client_label_id=name,
        batch_id=None,
        target_id=None,
        guidelines_version=1,
        note=None,
        duration_ms=None,
        status="on_time",
        created_at=NOW,
    )


def main(url, process, threads, count):
    store = open_store(url)
    with ThreadPoolExecutor(threads) as pool:
        running = [
            pool.submit(write, store, f"{process}-{thread}", count) for thread in range(threads)
        ]
        for done in running:
            done.result()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
