"""How many texts a second predict judges over HTTP, against the encoder alone."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median, quantiles

import httpx2
import numpy as np

from adapters.encoders.install import default_directory
from adapters.encoders.onnx_encoder import OnnxEncoder
from benchmarks.performance.encoding import sentences
from benchmarks.performance.serving import TENANT, key, prepared, serving
from benchmarks.performance.table import Row
from core.records import Choice, LabelClass, NewItem, SessionSettings, Task
from core.requests import NewSession, RetrainRequest, SelectRequest
from runtime.settings import load_settings
from runtime.tailwise import Tailwise

CLIENTS, TEXTS, PROCESSES = 16, 8, 2
SECONDS = 15.0
BATCH = 32
CLASSES = ("bank", "friend")


def run() -> list[Row]:
    """Sixteen clients ask for eight texts at a time; the reference encodes the same texts in
    batches of 32 in as many processes, and judges nothing."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {
                "TAILWISE_DATA_DIR": folder,
                "TAILWISE_METRICS_PORT": "0",
                "TAILWISE_WEB_PROCESSES": str(PROCESSES),
                "TAILWISE_REQUESTS_PER_MINUTE": "0",
            }
        )
        tailwise = prepared(settings)
        path = f"/v1/sessions/{_trained(tailwise)}/predict"
        _, token = key(tailwise, {"predict"})
        with serving(settings) as url:
            _ask(url, path, token, seconds=3.0)
            waits = _ask(url, path, token, seconds=SECONDS)
    rate = len(waits) * TEXTS / SECONDS
    reference = _encoding_rate()
    return [
        Row(
            name=f"predict a text over HTTP ({CLIENTS} clients, {TEXTS} texts each)",
            ours_seconds=1 / rate,
            reference_seconds=1 / reference,
            ratio=reference / rate,
            target="at most 1.43 (0.7x the encoder's rate)",
            note=(
                f"{rate:.0f} texts/s, {reference:.0f} by the encoder alone in {PROCESSES} "
                f"processes; a request's median {median(waits):.2f} s, 95 % "
                f"{quantiles(waits, n=20)[-1]:.2f} s"
            ),
        )
    ]


def _trained(tailwise: Tailwise) -> str:
    """A session with an active model over the real encoder."""
    new = NewSession(
        name="predict",
        task=Task(classes=tuple(LabelClass(id=name, name=name) for name in CLASSES)),
        settings=SessionSettings(oracle=Choice(name="gold")),
    )
    session = tailwise.create_session(TENANT, new)
    rows = [
        NewItem(external_id=str(n), text=f"my {CLASSES[n % 2]} number {n}", gold=(CLASSES[n % 2],))
        for n in range(40)
    ]
    tailwise.add_items(session, rows, on_conflict="error", mode="atomic")
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    session = tailwise.session(TENANT, session.id)
    request = SelectRequest(size=40, strategy=Choice(name="random"), min_distance=0)
    batch = tailwise.select(session, request, request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    return session.id


def _ask(url: str, path: str, token: str, *, seconds: float) -> list[float]:
    """Seconds of each request that ended in time."""
    texts = sentences(np.random.default_rng(1))
    waits: list[float] = []
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        rng = np.random.default_rng(number)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
            while time.monotonic() < until:
                asked = [{"text": texts[n]} for n in rng.integers(len(texts), size=TEXTS)]
                start = time.perf_counter()
                http.post(path, json={"inputs": asked}).raise_for_status()
                if time.monotonic() < until:
                    waits.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def _encoding_rate() -> float:
    """Texts a second of as many processes, one thread each, that do nothing else."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(_encode_for, [SECONDS] * PROCESSES))


def _encode_for(seconds: float) -> float:
    encoder = OnnxEncoder(default_directory(), threads=1)
    texts = sentences(np.random.default_rng(1))
    encoder.encode(texts[:BATCH])
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for first in range(0, len(texts), BATCH):
            encoder.encode(texts[first : first + BATCH])
            done += BATCH
            if time.perf_counter() - start >= seconds:
                break
    return done / (time.perf_counter() - start)
