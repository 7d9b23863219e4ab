"""The verbs with their collaborators bound: what routes, workers and benchmarks call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.access import Caller
from core.blinding import SeenLabel, seen_by
from core.clustering import Clusterer
from core.errors import Conflict
from core.fitting import Workbench
from core.judging import AnyClassifier
from core.overview import overview
from core.people import (
    Assignment,
    Flag,
    FlagReason,
    MintedInvitation,
    MintedSignIn,
    NewInvitation,
    Person,
)
from core.pool import QueryStrategy
from core.ports import (
    BatchCounter,
    Blobs,
    Clock,
    Encoder,
    Generator,
    Ids,
    Jobs,
    Learner,
    Oracle,
    Store,
    TextLearner,
)
from core.records import (
    Batch,
    Choice,
    Generation,
    Item,
    ItemState,
    LabelEvent,
    Labels,
    Model,
    NewItem,
    Operation,
    Options,
    Page,
    Session,
    Template,
    TemplateLevel,
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
from core.rounds import (
    activate,
    adjudicate,
    cancel,
    desk,
    export,
    figures,
    flags,
    holding,
    imports,
    ingest,
    items,
    label,
    lease,
    metrics,
    people,
    plan,
    predict,
    quality,
    retrain,
    review,
    select,
    sessions,
)
from core.session_rules import KnownComponents
from core.templates import add_template, templates
from runtime.settings import Settings
from runtime.webhooks import WebhookVerbs

if TYPE_CHECKING:
    from sqlalchemy import Engine

POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Tailwise:
    """Made by ``runtime.wiring.build``; ``request_key`` makes a POST happen once.

    A verb takes a ``Session`` that its caller loaded for its tenant, so that another
    tenant's ids never reach it.
    """

    settings: Settings
    store: Store
    blobs: Blobs
    jobs: Jobs
    clock: Clock
    ids: Ids
    encoders: Registry[Encoder]
    strategies: Registry[QueryStrategy]
    clusterers: Registry[Clusterer]
    learners: Registry[Learner | TextLearner]
    generators: Registry[Generator]
    oracles: Registry[Oracle]
    builtin_templates: Mapping[str, Template]
    encoder_for: Callable[[Choice], Encoder]
    classifier: Callable[[str], AnyClassifier]
    load_model: Callable[[bytes], AnyClassifier]
    press: plan.Press
    batch_counter: Callable[[str], BatchCounter | None]
    oracle_for: Callable[[Session, float | None], Oracle]
    bench_for: Callable[[Session], Workbench]
    reader: imports.RowReader
    writer: export.RowWriter
    bundle: Callable[[Session, Model], bytes]
    render: Callable[..., bytes]
    readiness: Callable[[], Mapping[str, bool]]
    jobs_engine: Callable[[], Engine]
    webhooks: WebhookVerbs

    # --- sessions -------------------------------------------------------------

    def session(self, tenant_id: str, session_id: str) -> Session:
        with self.store.read() as tx:
            return tx.sessions.get(tenant_id, session_id)

    def create_session(self, tenant_id: str, new: NewSession) -> Session:
        return sessions.create_session(
            tenant_id,
            new,
            known=self._known(tenant_id),
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def update_session(
        self, session: Session, new: NewSession, *, expected_revision: int
    ) -> Session:
        """Replace a session's document; raises PreconditionFailed at another revision."""
        return sessions.update_session(
            session,
            new,
            expected_revision=expected_revision,
            known=self._known(session.tenant_id),
            store=self.store,
            clock=self.clock,
        )

    def transition(self, session: Session, to: sessions.Transition) -> Session:
        """Pause, resume, close or reopen; raises Conflict ``invalid-transition``."""
        return sessions.transition(session, to, store=self.store, clock=self.clock)

    def delete_session(
        self, session: Session, *, expected_revision: int, request_key: str | None
    ) -> Operation:
        """Mark it as deleting and queue the purge, which also stops what still runs."""
        return sessions.delete_session(
            session, expected_revision=expected_revision, request_key=request_key, **self.queue()
        )

    def overview(self, session: Session) -> SessionOverview:
        """Counts, spending in dollars, what runs, and the phase they add up to."""
        return overview(session, store=self.store)

    # --- people -----------------------------------------------------------------

    def invite(self, caller: Caller, new: NewInvitation) -> MintedInvitation:
        return people.invite(caller, new, store=self.store, clock=self.clock, ids=self.ids)

    def accept_invitation(self, token: str) -> MintedSignIn:
        """Sign in with a link's token; raises NotVerified ``invitation-refused``."""
        hours = self.settings.sign_in_hours
        return people.accept(token, hours=hours, store=self.store, clock=self.clock, ids=self.ids)

    def sign_out(self, caller: Caller) -> None:
        """End the caller's sign-in in this browser; their others go on."""
        people.sign_out(caller, store=self.store, clock=self.clock)

    def revoke_invitation(self, caller: Caller, invitation_id: str) -> None:
        people.revoke_invitation(caller, invitation_id, store=self.store, clock=self.clock)

    def revoke_person(self, caller: Caller, person_id: str) -> None:
        people.revoke_person(caller, person_id, store=self.store, clock=self.clock)

    def change_own(
        self, caller: Caller, *, name: str | None, preferences: Mapping[str, Any]
    ) -> Person:
        """Change the caller's name and preferences; a key is NotAllowed ``not-a-person``."""
        return people.change_own(caller, name=name, preferences=preferences, store=self.store)

    # --- the pool ---------------------------------------------------------------

    def add_items(
        self,
        session: Session,
        rows: Sequence[NewItem | Exception],
        *,
        on_conflict: OnConflict,
        mode: Mode,
    ) -> IngestResult:
        return ingest.add_items(session, rows, on_conflict=on_conflict, mode=mode, **self.queue())

    def update_item(
        self, session: Session, item_id: str, changes: Mapping[str, Any], *, expected_revision: int
    ) -> Item:
        return items.update_item(
            session, item_id, changes, expected_revision=expected_revision, **self.queue()
        )

    def delete_item(self, session: Session, item_id: str, *, expected_revision: int) -> None:
        items.delete_item(session, item_id, expected_revision=expected_revision, **self.queue())

    def start_import(
        self,
        session: Session,
        chunks: Iterable[bytes],
        request: ImportRequest,
        *,
        request_key: str | None,
    ) -> Operation:
        """Keep an upload as a blob and queue its import; memory holds one chunk at a time.

        Raises InvalidInput for a file that is wrong from the start, and Conflict
        ``session-not-open`` or ``operation-in-progress``.
        """
        return imports.start_import(
            session,
            chunks,
            request,
            request_key=request_key,
            blobs=self.blobs,
            reader=self.reader,
            max_bytes=self.settings.max_import_bytes,
            **self.queue(),
        )

    def import_errors(self, session: Session, operation_id: str) -> Iterable[bytes]:
        return imports.import_errors(session, operation_id, store=self.store, blobs=self.blobs)

    # --- the round --------------------------------------------------------------

    def select(
        self, session: Session, request: SelectRequest, *, request_key: str | None
    ) -> SelectResult:
        return select.select(
            session,
            request,
            request_key=request_key,
            max_batch=self.settings.max_batch,
            store=self.store,
            blobs=self.blobs,
            strategies=self.strategies,
            clock=self.clock,
            ids=self.ids,
        )

    def cancel_batch(self, session: Session, batch_id: str) -> Batch:
        return cancel.cancel_batch(session, batch_id, store=self.store, clock=self.clock)

    def label(
        self,
        session: Session,
        answers: Sequence[NewLabel],
        *,
        annotator_id: str,
        mode: Mode,
        allow_unsolicited: bool,
        allow_extra: bool = False,
    ) -> LabelResult:
        return label.label(
            session,
            answers,
            annotator_id=annotator_id,
            mode=mode,
            allow_unsolicited=allow_unsolicited,
            allow_extra=allow_extra,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def label_by_oracle(
        self, session: Session, batch_id: str, *, noise: float | None
    ) -> LabelResult:
        """Ask the session's oracle about a batch now; ``noise`` is the share of wrong answers.

        Raises Conflict ``oracle-mismatch`` or ``gold-missing``.
        """
        return label.label_by_oracle(
            session,
            batch_id,
            noise=noise,
            oracle_for=self.oracle_for,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def undo_label(self, session: Session, label_id: str, *, annotator_id: str) -> LabelEvent:
        """Take back one's own standing answer; raises Conflict ``not-your-label``,
        ``label-not-current`` or ``undo-window-closed``."""
        return label.undo_label(
            session,
            label_id,
            annotator_id=annotator_id,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def label_events(
        self, session: Session, page: Page, *, item_id: str | None, viewer: str | None
    ) -> Sequence[SeenLabel]:
        """By seq; ``viewer`` as in ``core.blinding``."""
        with self.store.read() as tx:
            events = tx.labels.list(session.id, page, item_id=item_id)
            return seen_by(tx, session, events, viewer=viewer)

    def latest_labels(
        self, session: Session, *, annotator_id: str, limit: int
    ) -> Sequence[tuple[LabelEvent, bool]]:
        """A person's latest answers and skips, newest first, each with whether it can be undone."""
        return label.latest_labels(
            session, annotator_id=annotator_id, limit=limit, store=self.store
        )

    def claim(
        self, session: Session, request: lease.ClaimRequest, *, annotator_id: str
    ) -> lease.Claimed:
        return lease.claim(session, request, annotator_id=annotator_id, **self._now())

    def heartbeat(
        self, session: Session, holder: holding.Holder, *, ttl_s: int | None
    ) -> Assignment:
        return holding.heartbeat(session, holder, ttl_s=ttl_s, store=self.store, clock=self.clock)

    def release(self, session: Session, holder: holding.Holder) -> None:
        holding.release(session, holder, store=self.store, clock=self.clock)

    def skip(self, session: Session, holder: holding.Holder, *, reason: str | None) -> ItemState:
        return holding.skip(session, holder, reason=reason, **self._now())

    def flag(
        self, session: Session, holder: holding.Holder, *, reason: FlagReason, note: str | None
    ) -> Flag:
        return holding.flag(session, holder, reason=reason, note=note, **self._now())

    def list_flags(
        self, session: Session, page: Page, *, state: str | None = None
    ) -> Sequence[flags.Flagged]:
        """A page of flags by id."""
        return flags.list_flags(session, page, state=state, store=self.store)

    def resolve_flag(
        self,
        session: Session,
        flag_id: str,
        resolution: Literal["returned", "excluded"],
        *,
        note: str | None,
        resolver: str,
    ) -> flags.Flagged:
        return flags.resolve(
            session, flag_id, resolution, note=note, resolver=resolver, **self._now()
        )

    def desks(self, caller: Caller) -> Sequence[desk.DeskRow]:
        return desk.desks(caller, store=self.store, clock=self.clock)

    def own_work(self, session: Session, *, annotator_id: str) -> desk.Mine:
        """What a person did in 24 hours, holds and can take back."""
        return desk.mine(session, annotator_id, store=self.store, clock=self.clock)

    def conflicts(self, session: Session, page: Page) -> Sequence[adjudicate.Contested]:
        return adjudicate.conflicts(session, page, store=self.store)

    def adjudicate(
        self,
        session: Session,
        item_id: str,
        labels: Labels | None,
        *,
        note: str | None,
        adjudicator: str,
    ) -> adjudicate.Decided:
        return adjudicate.adjudicate(
            session,
            item_id,
            labels,
            note=note,
            adjudicator=adjudicator,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def plan_generation(self, session: Session, request: GenerateRequest) -> GenerationPlan:
        return plan.plan_generation(
            session, request, press=self.press, store=self.store, blobs=self.blobs
        )

    def start_generate(
        self, session: Session, request: GenerateRequest, *, request_key: str | None
    ) -> Operation:
        """Queue the writing of variations.

        Raises Conflict ``session-not-open``, ``not-indexed``, ``generator-not-configured`` or
        ``budget-exceeded``; InvalidInput ``source-unlabelled`` or ``unknown-template``.
        """
        return plan.start_generate(
            session, request, request_key=request_key, press=self.press, **self.queue()
        )

    def review(
        self, session: Session, decisions: Sequence[ReviewDecision], *, reviewer: str, mode: Mode
    ) -> ReviewResult:
        return review.review(
            session, decisions, reviewer=reviewer, mode=mode, store=self.store, clock=self.clock
        )

    def generation(self, session: Session, generation_id: str) -> Generation:
        with self.store.read() as tx:
            return tx.generations.get(session.id, generation_id)

    def start_retrain(
        self,
        session: Session,
        request: RetrainRequest,
        *,
        request_key: str | None,
        join: bool = False,
    ) -> Operation:
        """Fix the snapshot of labels and queue the training; ``join`` returns one that runs.

        Raises Conflict ``session-not-open``, ``insufficient-classes``, ``nothing-new``,
        ``not-indexed`` or ``operation-in-progress``.
        """
        return retrain.start_retrain(
            session, request, request_key=request_key, join=join, **self.queue()
        )

    def start_activate(
        self, session: Session, model_id: str, *, expected_revision: int, request_key: str | None
    ) -> Operation:
        """Queue the change of the active model; shares retrain's lane."""
        return activate.start_activate(
            session,
            model_id,
            expected_revision=expected_revision,
            request_key=request_key,
            **self.queue(),
        )

    def delete_model(self, session: Session, model_id: str, *, expected_revision: int) -> None:
        activate.delete_model(
            session,
            model_id,
            expected_revision=expected_revision,
            store=self.store,
            clock=self.clock,
        )

    def model_bundle(self, session: Session, model_id: str) -> bytes:
        """A model's zip, whole in memory: ONNX, model card, example."""
        with self.store.read() as tx:
            model = tx.models.get(session.id, model_id)
        return self.bundle(session, model)

    def predict(
        self, session: Session, texts: Sequence[str], *, model_id: str | None
    ) -> PredictResult:
        return predict.predict(
            session,
            texts,
            model_id=model_id,
            encoder=self.encoder_for(session.settings.encoder),
            load=lambda model: self.classifier(model.onnx),
            store=self.store,
        )

    # --- seeing and taking away ---------------------------------------------------

    def metrics(self, session: Session) -> Options:
        return metrics.metrics(session, store=self.store, blobs=self.blobs)

    def learning_curve(self, session: Session, *, alone: bool = False) -> Options:
        return figures.curve_figures(session, alone=alone, store=self.store)

    def quality_of_models(self, session: Session) -> Options:
        """Each model's confusions, figures by class and calibration."""
        return figures.quality_of_models(session, store=self.store)

    def cost_figures(self, session: Session) -> Options:
        """Dollars and people's minutes by round, and what a point of macro-F1 cost."""
        return figures.cost_figures(session, store=self.store)

    def quality(self, session: Session) -> quality.Quality:
        return quality.quality(session, store=self.store, clock=self.clock)

    def clusters(self, session: Session, *, batch_id: str | None = None) -> Options:
        return metrics.clusters(session, batch_id=batch_id, store=self.store, blobs=self.blobs)

    def plot(self, session: Session, name: str, *, format: Literal["svg", "png"]) -> bytes:
        data = metrics.plot_data(session, name, store=self.store, blobs=self.blobs)
        return self.render(name, data, format=format)

    def start_export(
        self, session: Session, request: ExportRequest, *, request_key: str | None
    ) -> Operation:
        return export.start_export(session, request, request_key=request_key, **self.queue())

    def export_content(self, session: Session, operation_id: str) -> Iterable[bytes]:
        """The file of a finished export, in blocks of 64 KiB.

        Raises NotFound ``unknown-operation``, Conflict ``operation-not-finished``.
        """
        return export.export_content(session, operation_id, store=self.store, blobs=self.blobs)

    def templates(self, tenant_id: str) -> Sequence[Template]:
        return templates(tenant_id, builtin=self.builtin_templates, store=self.store)

    def add_template(
        self, tenant_id: str, *, id: str, level: TemplateLevel, system: str, body: str
    ) -> Template:
        return add_template(
            tenant_id,
            id=id,
            level=level,
            system=system,
            body=body,
            builtin=self.builtin_templates,
            store=self.store,
            clock=self.clock,
        )

    # --- operations ---------------------------------------------------------------

    def wait(self, tenant_id: str, operation_id: str, *, seconds: float) -> Operation:
        """The operation once it is done, or as it is after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            with self.store.read() as tx:
                operation = tx.operations.get(tenant_id, operation_id)
            left = deadline - time.monotonic()
            if operation.done or left <= 0:
                return operation
            threading.Event().wait(min(POLL_SECONDS, left))

    def cancel_operation(self, tenant_id: str, operation_id: str) -> Operation:
        """Ask for a stop at the next step; raises Conflict ``operation-finished``."""
        with self.store.write() as tx:
            operation = tx.operations.get(tenant_id, operation_id)
            if operation.done:
                raise Conflict(
                    f"the operation is {operation.state}",
                    code="operation-finished",
                    extras={"state": operation.state},
                )
            tx.operations.request_cancel(operation_id)
        self.jobs.cancel(operation_id)
        return self.wait(tenant_id, operation_id, seconds=0)

    def ready(self) -> Mapping[str, bool]:
        """Checks by name; all true means ready."""
        return self.readiness()

    # --- inside ---------------------------------------------------------------------

    def queue(self) -> dict[str, Any]:
        """What every verb that may queue an operation takes."""
        return {"store": self.store, "jobs": self.jobs, "clock": self.clock, "ids": self.ids}

    def _now(self) -> dict[str, Any]:
        """What every verb takes that writes at once."""
        return {"store": self.store, "clock": self.clock, "ids": self.ids}

    def files(self) -> dict[str, Any]:
        """What every verb that writes arrays takes."""
        return {"store": self.store, "blobs": self.blobs, "clock": self.clock, "ids": self.ids}

    def _known(self, tenant_id: str) -> KnownComponents:
        return KnownComponents(
            registries={
                "encoder": self.encoders,
                "clusterer": self.clusterers,
                "strategy": self.strategies,
                "learner": self.learners,
                "generator": self.generators,
                "oracle": self.oracles,
            },
            templates={template.id for template in self.templates(tenant_id)},
            gold_allowed=self.settings.allow_gold_oracle,
        )
