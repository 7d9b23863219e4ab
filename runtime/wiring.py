"""Makes every object, in order, from the settings; nothing else constructs collaborators."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from adapters.blobs.files import FsspecBlobs
from adapters.charts import render
from adapters.encoders import encoders
from adapters.files.reading import FileReader
from adapters.files.writing import FileWriter
from adapters.generators import LlamaServer, batch_counter, generators, resolve
from adapters.generators.templates import builtin_templates
from adapters.jobs.dbos_jobs import DbosJobs
from adapters.learners import learners
from adapters.store.engine import make_jobs_engine
from adapters.store.store import open_store
from core.clustering import clusterers
from core.errors import Unavailable
from core.fitting import Workbench
from core.judging import AnyClassifier
from core.ports import (
    Blobs,
    Clock,
    Encoder,
    Generator,
    Jobs,
    Reserve,
    Store,
)
from core.records import Choice, Labels, Session, Template
from core.registry import Registry
from core.reserve import PoolReserve
from core.rounds.plan import Press
from core.strategies import strategies
from runtime.answering import chat_service, known_oracles, oracle_for
from runtime.bundle import bundle
from runtime.clock import SystemClock, UlidIds
from runtime.settings import Settings
from runtime.tailwise import Tailwise
from runtime.webhooks import webhook_verbs

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")
Role = Literal["web", "worker", "inline"]

MODELS_IN_MEMORY: Final = 32
TEXT_MODELS_IN_MEMORY: Final = 2
"""Up to half a gigabyte each."""
FRESH_WORKER: Final = timedelta(seconds=60)
FREE_DISK: Final = 0.05


def build(settings: Settings, *, role: Role, jobs: Jobs | None = None) -> Tailwise:
    """The service for one process.

    ``web`` shares encoder batches between requests and only enqueues jobs; ``worker``
    gives the encoder every core; ``inline`` is for tests and benchmarks, which pass
    ``jobs`` of their own.
    """
    clock = SystemClock()
    store = open_store(settings.database_url)
    blobs = FsspecBlobs(settings.blobs_url)
    jobs_engine = _once(partial(make_jobs_engine, settings.jobs_url))
    encoder_for = _encoder_source(settings, role=role)
    templates = builtin_templates()
    llama = _llama(settings)
    return Tailwise(
        settings=settings,
        store=store,
        blobs=blobs,
        jobs=jobs or DbosJobs(jobs_engine()),
        clock=clock,
        ids=UlidIds(),
        encoders=_encoders(settings, threads=1),
        strategies=with_plugins(strategies()),
        clusterers=with_plugins(clusterers()),
        learners=with_plugins(learners(encoder_directory=settings.encoder_dir)),
        generators=_known_generators(settings, llama=llama),
        oracles=known_oracles(settings),
        builtin_templates=templates,
        encoder_for=encoder_for,
        classifier=_classifier_source(blobs),
        press=_press(settings, store=store, blobs=blobs, builtin=templates, llama=llama),
        batch_counter=partial(
            batch_counter,
            anthropic_key=settings.anthropic_api_key or None,
            anthropic_base_url=settings.anthropic_base_url or None,
        ),
        oracle_for=partial(oracle_for, settings=settings, store=store, clock=clock, ids=UlidIds()),
        load_model=partial(_load_model, threads=settings.encoder_threads),
        bench_for=partial(_bench, settings=settings, encoder_for=encoder_for),
        reader=FileReader(),
        writer=FileWriter(),
        bundle=partial(bundle, encoder_for=_encoder_source(settings, role="inline"), blobs=blobs),
        render=render,
        readiness=partial(_readiness, settings=settings, store=store, blobs=blobs, clock=clock),
        jobs_engine=jobs_engine,
        webhooks=webhook_verbs(settings, store=store, clock=clock, ids=UlidIds()),
    )


def with_plugins(registry: Registry[T]) -> Registry[T]:
    """The registry with what installed distributions add."""
    registry.load_plugins()
    return registry


def _once(make: Callable[[], Engine]) -> Callable[[], Engine]:
    """The same engine each time, made when first asked for."""
    return lru_cache(maxsize=1)(make)


def _encoders(settings: Settings, *, threads: int) -> Registry[Encoder]:
    return encoders(minilm_directory=settings.encoder_dir, threads=threads)


def _encoder_source(settings: Settings, *, role: Role) -> Callable[[Choice], Encoder]:
    """Encoders by choice, each loaded once per process when first used."""
    threads = settings.encoder_threads if role == "worker" else 1
    registry = _encoders(settings, threads=threads)

    @lru_cache(maxsize=8)
    def make(name: str, options: tuple[tuple[str, object], ...]) -> Encoder:
        encoder = registry.make(Choice(name=name, options=dict(options)))
        if role != "web":
            return encoder
        from adapters.encoders.batching import BatchingEncoder  # noqa: PLC0415

        return BatchingEncoder(encoder, window_s=settings.batch_window_ms / 1000)

    return lambda choice: make(choice.name, tuple(sorted(choice.options.items())))


def _classifier_source(blobs: Blobs) -> Callable[[str], AnyClassifier]:
    """Models by the sha256 of their bytes, checked when loaded; few that read texts."""

    @lru_cache(maxsize=MODELS_IN_MEMORY)
    def head(digest: str) -> AnyClassifier | None:
        from adapters.learners.loading import load_model, reads_texts  # noqa: PLC0415

        data = blobs.get(digest)
        return None if reads_texts(data) else load_model(data, sha256=digest)

    @lru_cache(maxsize=TEXT_MODELS_IN_MEMORY)
    def text_model(digest: str) -> AnyClassifier:
        return _load_model(blobs.get(digest), sha256=digest)

    return lambda digest: head(digest) or text_model(digest)


def _load_model(data: bytes, *, sha256: str | None = None, threads: int = 1) -> AnyClassifier:
    from adapters.learners.loading import load_model  # noqa: PLC0415

    return load_model(data, sha256=sha256, threads=threads)


def _llama(settings: Settings) -> LlamaServer | None:
    """The process's own model, loaded when it is first asked."""
    if not settings.local_model:
        return None
    return LlamaServer(file=Path(settings.local_model), threads=settings.local_threads)


def _known_generators(settings: Settings, *, llama: LlamaServer | None) -> Registry[Generator]:
    """What a session may name, "auto" included."""
    registry = _generators(settings, reserve=None, class_ids=(), llama=llama)
    name = _resolved("auto", settings=settings)
    registry.register(
        "auto",
        partial(registry.make, Choice(name=name)),
        summary=f"{name}, on this server.",
        facts=registry.get(name).facts,
    )
    return registry


def _generators(
    settings: Settings, *, reserve: Reserve | None, class_ids: Labels, llama: LlamaServer | None
) -> Registry[Generator]:
    return generators(
        anthropic_key=settings.anthropic_api_key or None,
        anthropic_base_url=settings.anthropic_base_url or None,
        reserve=reserve,
        class_ids=class_ids,
        chat=chat_service(settings),
        llama=llama,
    )


def _resolved(name: str, *, settings: Settings) -> str:
    chat = bool(settings.openai_base_url and settings.openai_model)
    return resolve(name, key_present=bool(settings.anthropic_api_key), chat_present=chat)


def _press(
    settings: Settings,
    *,
    store: Store,
    blobs: Blobs,
    builtin: Mapping[str, Template],
    llama: LlamaServer | None,
) -> Press:
    """Generators by choice, made for one session."""

    def choose(choice: Choice) -> Choice:
        name = _resolved(choice.name, settings=settings)
        return choice if name == choice.name else Choice(name=name)

    def make(session: Session, choice: Choice) -> Generator:
        reserve = PoolReserve(session, store=store, blobs=blobs)
        class_ids = session.task.class_ids
        known = _generators(settings, reserve=reserve, class_ids=class_ids, llama=llama)
        return known.make(choice)

    return Press(resolve=choose, make=make, builtin=builtin)


def _bench(
    session: Session, *, settings: Settings, encoder_for: Callable[[Choice], Encoder]
) -> Workbench:
    from adapters.learners.onnx_head import parity  # noqa: PLC0415

    known = with_plugins(learners(encoder_directory=settings.encoder_dir))
    return Workbench(
        learner=known.make(session.settings.learner),
        encoder=encoder_for(session.settings.encoder),
        load=partial(_load_model, threads=settings.encoder_threads),
        parity=parity,
    )


def _readiness(
    *, settings: Settings, store: Store, blobs: Blobs, clock: Clock
) -> Mapping[str, bool]:
    """What must hold before requests are worth sending here."""
    with store.read() as tx:
        beats = tx.heartbeats.latest().values()
        models = tx.models.active_files()
    disk = shutil.disk_usage(settings.data_dir)
    return {
        "database": True,
        "worker": any(clock.now() - beat < FRESH_WORKER for beat in beats),
        "disk": disk.free > FREE_DISK * disk.total,
        "encoder": (settings.encoder_dir / "model.onnx").exists(),
        "models": all(_is_there(blobs, digest) for digest in models),
    }


def _is_there(blobs: Blobs, digest: str) -> bool:
    try:
        return blobs.size(digest) > 0
    except Unavailable:
        return False
