"""The verbs with their collaborators bound: what routes, the worker and benchmarks call.

A verb takes a ``Session`` that its caller loaded for its tenant, so that another
tenant's ids never reach it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from core.pool import QueryStrategy
from core.ports import Blobs, Clock, Encoder, Generator, Ids, Jobs, Learner, Store
from core.records import (
    Batch,
    Generation,
    Item,
    LabelEvent,
    NewItem,
    Operation,
    Options,
    Session,
    Template,
)
from core.registry import Registry
from core.requests import (
    ExportRequest,
    GenerateRequest,
    GenerationPlan,
    ImportRequest,
    IngestResult,
    LabelResult,
    Mode,
    NewLabel,
    NewSession,
    OnConflict,
    PredictResult,
    RetrainRequest,
    ReviewDecision,
    ReviewResult,
    SelectRequest,
    SelectResult,
    SessionOverview,
)
from runtime.settings import Settings


class Services(Protocol):
    """Made by ``runtime.wiring.build``; ``request_key`` makes a POST happen once."""

    settings: Settings
    store: Store
    blobs: Blobs
    jobs: Jobs
    clock: Clock
    ids: Ids
    encoders: Registry[Encoder]
    strategies: Registry[QueryStrategy]
    clusterers: Registry[Any]
    learners: Registry[Learner]
    generators: Registry[Generator]
    oracles: Registry[Any]

    # sessions
    def session(self, tenant_id: str, session_id: str) -> Session: ...
    def create_session(self, tenant_id: str, new: NewSession) -> Session: ...
    def update_session(
        self, session: Session, new: NewSession, *, expected_revision: int
    ) -> Session:
        """``new`` is the whole document after the merge-patch; 409 schema-locked/label-in-use."""

    def transition(
        self, session: Session, to: Literal["pause", "resume", "close", "reopen"]
    ) -> Session: ...
    def delete_session(
        self, session: Session, *, expected_revision: int, request_key: str | None
    ) -> Operation: ...
    def overview(self, session: Session) -> SessionOverview: ...

    # pool
    def add_items(
        self,
        session: Session,
        rows: Sequence[NewItem | Exception],
        *,
        on_conflict: OnConflict,
        mode: Mode,
    ) -> IngestResult:
        """A row may be an InvalidInput that the edge already found; atomic raises InvalidInput
        listing every bad row and stores nothing."""

    def update_item(
        self, session: Session, item_id: str, changes: Mapping[str, Any], *, expected_revision: int
    ) -> Item:
        """``changes``: text, split, lang, metadata, gold, state (pooled|excluded)."""

    def delete_item(self, session: Session, item_id: str, *, expected_revision: int) -> None: ...
    def start_import(
        self,
        session: Session,
        chunks: Iterable[bytes],
        request: ImportRequest,
        *,
        request_key: str | None,
    ) -> Operation: ...
    def import_errors(self, session: Session, operation_id: str) -> Iterable[bytes]:
        """The per-row errors of a finished import as JSON lines."""

    # the round
    def select(
        self, session: Session, request: SelectRequest, *, request_key: str | None
    ) -> SelectResult: ...
    def cancel_batch(self, session: Session, batch_id: str) -> Batch: ...
    def label(
        self,
        session: Session,
        answers: Sequence[NewLabel],
        *,
        annotator_id: str,
        mode: Mode,
        allow_unsolicited: bool,
    ) -> LabelResult:
        """Atomic: raises the first refusal (InvalidInput, NotFound or Conflict), stores nothing."""

    def label_by_oracle(
        self, session: Session, batch_id: str, *, noise: float | None
    ) -> LabelResult: ...
    def undo_label(self, session: Session, label_id: str, *, annotator_id: str) -> LabelEvent: ...
    def plan_generation(self, session: Session, request: GenerateRequest) -> GenerationPlan: ...
    def start_generate(
        self, session: Session, request: GenerateRequest, *, request_key: str | None
    ) -> Operation: ...
    def review(
        self, session: Session, decisions: Sequence[ReviewDecision], *, reviewer: str, mode: Mode
    ) -> ReviewResult: ...
    def start_retrain(
        self, session: Session, request: RetrainRequest, *, request_key: str | None
    ) -> Operation: ...
    def start_activate(
        self, session: Session, model_id: str, *, expected_revision: int, request_key: str | None
    ) -> Operation: ...
    def delete_model(self, session: Session, model_id: str, *, expected_revision: int) -> None: ...
    def model_bundle(self, session: Session, model_id: str) -> bytes:
        """A zip: model.onnx (token ids to probabilities), tokenizer.json, labels.json, README.md."""

    def predict(
        self, session: Session, texts: Sequence[str], *, model_id: str | None
    ) -> PredictResult: ...

    # seeing and taking away
    def metrics(self, session: Session) -> Options: ...
    def learning_curve(self, session: Session) -> Options: ...
    def clusters(self, session: Session) -> Options: ...
    def plot(self, session: Session, name: str, *, format: Literal["svg", "png"]) -> bytes: ...
    def start_export(
        self, session: Session, request: ExportRequest, *, request_key: str | None
    ) -> Operation: ...
    def export_content(self, session: Session, operation_id: str) -> Iterable[bytes]: ...
    def templates(self, tenant_id: str) -> Sequence[Template]: ...
    def add_template(
        self, tenant_id: str, *, id: str, level: str, system: str, body: str
    ) -> Template: ...
    def generation(self, session: Session, generation_id: str) -> Generation: ...
    def wait(self, tenant_id: str, operation_id: str, *, seconds: float) -> Operation:
        """The operation once it is done, or as it is after ``seconds``."""

    def cancel_operation(self, tenant_id: str, operation_id: str) -> Operation: ...
    def ready(self) -> Mapping[str, bool]:
        """Checks by name: database, migrations, disk, worker, encoder."""
