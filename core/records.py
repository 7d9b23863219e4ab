"""What travels between layers: frozen records named in the field's terms.

Times are timezone-aware UTC. A *label* is always a set of class ids, held as a
sorted tuple; a single-label task uses tuples of length one, and in a multi-label task
the empty tuple is an answer too: none of the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Labels: TypeAlias = tuple[str, ...]
Options: TypeAlias = Mapping[str, Any]
"""JSON-shaped settings or facts whose keys the reader of the field knows."""


Split: TypeAlias = Literal["pool", "test", "reserve", "check"]
SPLITS: tuple[Split, ...] = ("pool", "test", "reserve", "check")
"""Order is the code stored in a shard's split array: 0 pool, 1 test, 2 reserve, 3 check (items
whose known label measures the people who answer, and which nothing else ever reads)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One registered component by name, with its options."""

    name: str
    options: Options = field(default_factory=dict)


# --- sessions ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """One class of the label schema. ``target_share`` is in (0, 1], None = even. A text of a
    ``benign`` class is nothing to act on."""

    id: str
    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    target_share: float | None = None
    benign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is being labelled: the schema, in the order pages and reports show it.

    single: one class per text; multi: any number of them, none included.
    """

    classes: tuple[LabelClass, ...]
    kind: Literal["single", "multi"] = "single"

    @property
    def multi_label(self) -> bool:
        """Whether an item may have several classes, or none."""
        return self.kind == "multi"

    @property
    def class_ids(self) -> Labels:
        """The classes in the schema's order, which is that of probability columns."""
        return tuple(label.id for label in self.classes)

    def get(self, class_id: str) -> LabelClass:
        return next(label for label in self.classes if label.id == class_id)

    def flags(self, labels: Labels) -> bool:
        """Whether a text with these classes is something to act on."""
        return any(not self.get(class_id).benign for class_id in labels)

    def target_shares(self) -> dict[str, float]:
        """Share per class, summing to 1; classes without one divide what is left evenly."""
        given = {c.id: c.target_share for c in self.classes if c.target_share is not None}
        open_classes = [c.id for c in self.classes if c.target_share is None]
        rest = max(0.0, 1.0 - sum(given.values()))
        shares = {**given, **{c: rest / len(open_classes) for c in open_classes}}
        total = sum(shares.values()) or 1.0
        return {c: shares[c] / total for c in self.class_ids}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of a session; None is unlimited."""

    labels: int | None = None
    dollars: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """How people label a session.

    ``overlap`` answers are asked for each item; ``double_share`` of the items get a second
    one where ``overlap`` is 1. ``resolution`` of differing answers: ``majority`` (a tie goes
    to an adjudicator), ``unanimous`` (any difference does) or ``adjudicate`` (an adjudicator
    decides every item that was answered more than once). ``check_share`` of what a person
    is given are check items. ``skip_limit`` different people skipping an item take it out.
    ``lease_s`` is how long an item is held by default; ``batch_hours`` how long a batch
    waits, None = for ever. A person pauses for ``break_minutes`` after
    ``break_after_minutes`` or ``break_after_items``, and gets at most ``daily_items`` a
    day; None = no limit. ``metadata_shown`` are the metadata keys a person sees.
    """

    overlap: int = 1
    double_share: float = 0.0
    resolution: Literal["majority", "unanimous", "adjudicate"] = "majority"
    check_share: float = 0.0
    skip_limit: int = 1
    lease_s: int = 600
    batch_hours: float | None = None
    break_after_minutes: float | None = None
    break_after_items: int | None = None
    break_minutes: float = 10.0
    daily_items: int | None = None
    hide_text: bool = False
    greyscale: bool = False
    metadata_shown: tuple[str, ...] = ()
    support_text: str = ""
    support_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long texts stay. ``items_days`` after a session was closed it is deleted, None =
    never by itself; ``hold`` (a legal hold) refuses every deletion, by hand or by time."""

    items_days: int | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Every choice of a session, with the documented default.

    ``min_distance`` is the cosine distance below which two texts count as
    near-duplicates within a batch. ``recluster_growth`` is the share of texts that
    arrived since the last clustering at which clusters are fitted again.
    ``generated_weight`` is a generated row's weight where a human one has 1;
    ``generated_cap`` bounds the summed generated weight of a class, as a multiple
    of its human weight.
    """

    encoder: Choice = Choice(name="minilm")
    clusterer: Choice = Choice(name="kmeans")
    recluster_growth: float = 0.2
    strategy: Choice = Choice(name="cluster_need")
    batch_size: int = 20
    min_distance: float = 0.05
    learner: Choice = Choice(name="linear")
    min_per_class: int = 1
    holdout: float = 0.2
    activate: Literal["auto", "if_better", "manual"] = "auto"
    generator: Choice = Choice(name="auto")
    template: str = "attributes"
    variations: int = 3
    review: Literal["manual", "screened"] = "manual"
    review_sample: float = 0.1
    generated_weight: float = 0.3
    generated_cap: float = 0.3
    oracle: Choice = Choice(name="human")
    seed: int = 0
    budget: Budget = Budget()
    people: PeopleSettings = PeopleSettings()
    retention: Retention = Retention()


SessionState: TypeAlias = Literal["draft", "open", "paused", "closed", "deleting", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    id: str
    tenant_id: str
    name: str
    task: Task
    guidelines: str
    guidelines_version: int
    settings: SessionSettings
    state: SessionState
    revision: int
    created_at: datetime
    updated_at: datetime


# --- the pool ---------------------------------------------------------------

ItemState: TypeAlias = Literal["pooled", "selected", "conflict", "resolved", "excluded"]
"""conflict: people answered differently, and somebody has to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """A validated row that wants to enter the pool. ``gold`` None = unknown, () = none of
    the classes (multi-label)."""

    external_id: str
    text: str
    split: Split = "pool"
    gold: Labels | None = None
    lang: str | None = None
    metadata: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text of the session. It carries no gold label: that has its own way out.

    ``position`` is the row number in the session's arrays (0-based, never reused).
    ``labels`` are the current human (or oracle) labels, None while unlabelled.
    """

    id: str
    tenant_id: str
    session_id: str
    external_id: str
    position: int
    text: str
    text_hash: str
    split: Split
    state: ItemState
    labels: Labels | None
    lang: str | None
    metadata: Options
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Consecutive positions ``[number * SHARD_ROWS, ... + rows)`` as array files.

    Each name is a blob digest of a ``.npy`` file: ``vectors`` float16 (rows, D),
    ``splits`` int8 (rows,; -1 marks a deleted row), ``clusters`` int32 (rows,),
    ``probabilities`` float32 (rows, C) or None before the first model.
    """

    number: int
    rows: int
    vectors: str
    splits: str
    clusters: str
    probabilities: str | None = None


SHARD_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexVersion:
    """One complete view of the pool's arrays; written once, the latest is current.

    Rows ``[0, rows)`` are indexed. ``clustered_rows`` is how many rows there were
    when the clusters were last fitted; ``centroids`` is the digest of a float32
    (cluster_count, D) array. ``model_id`` is the model behind ``probabilities``.
    """

    id: str
    tenant_id: str
    session_id: str
    sequence: int
    encoder_id: str
    rows: int
    dimension: int
    cluster_count: int
    clustered_rows: int
    clusterer: str
    centroids: str
    model_id: str | None
    shards: tuple[Shard, ...]
    created_at: datetime


# --- batches and labels -----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Why one row was chosen. ``score`` is the strategy's own value (higher = earlier);
    ``entropy`` is in nats, None before the first model."""

    position: int
    cluster: int
    score: float
    rank: int
    strategy: str
    entropy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """``answers_needed`` different people answer it; fixed when the batch is made."""

    item_id: str
    external_id: str
    pick: Pick
    answers_needed: int = 1


BatchState: TypeAlias = Literal["open", "completed", "cancelled", "expired", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The items of one round. ``shortfall`` = requested - selected, with its reason."""

    id: str
    tenant_id: str
    session_id: str
    round: int
    state: BatchState
    strategy: str
    strategy_used: str
    seed: int
    index_id: str
    model_id: str | None
    requested: int
    shortfall: int
    shortfall_reason: str | None
    items: tuple[BatchItem, ...]
    created_at: datetime
    expires_at: datetime | None = None


LabelKind: TypeAlias = Literal[
    "created", "superseded", "undone", "skipped", "vote", "declined", "check"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """One appended fact. ``seq`` grows by one per session and is the watermark.

    created: an answer that decides its item; superseded: one that replaces ``target_id``;
    undone: ``target_id`` no longer counts; skipped: the item was taken out because people
    declined it. These are words about the item. One person's word where several are asked
    decides nothing: vote, declined, and check, an answer to a check item.
    """

    id: str
    tenant_id: str
    session_id: str
    item_id: str
    seq: int
    kind: LabelKind
    labels: Labels
    oracle: str
    annotator_id: str
    client_label_id: str | None
    batch_id: str | None
    target_id: str | None
    guidelines_version: int
    note: str | None
    duration_ms: int | None
    status: Literal["on_time", "late", "unsolicited"]
    created_at: datetime
    assignment_id: str | None = None


OPINIONS: frozenset[str] = frozenset({"llm", "panel"})
"""Oracles whose answers are a model's opinion and never count as gold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An item's current answer at a watermark, ready for training."""

    item_id: str
    position: int
    labels: Labels
    seq: int
    split: Split
    oracle: str = "human"

    @property
    def opinion(self) -> bool:
        """Whether a model gave it: good to train on, never to measure with."""
        return self.oracle in OPINIONS


# --- generation -------------------------------------------------------------

TemplateLevel: TypeAlias = Literal["strict_slots", "paraphrase", "attributes", "free_form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A versioned prompt: ``system`` and ``body`` with ``{{name}}`` slots only.

    ``sha256`` covers level, system and body, and is stored with every row it wrote.
    """

    id: str
    version: int
    level: TemplateLevel
    system: str
    body: str
    sha256: str
    builtin: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One screening result. ``value`` is a similarity or probability in [0, 1] where
    the check has one; ``match_id`` names what it collided with."""

    check: str
    passed: bool
    value: float | None = None
    match_id: str | None = None


GenerationState: TypeAlias = Literal["proposed", "accepted", "edited", "rejected", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A written variation with its full lineage.

    ``original_text`` and ``original_labels`` keep what was written where a reviewer
    edited it. ``dropped`` rows failed a hard screen (exact copy, test-set leak).
    """

    id: str
    tenant_id: str
    session_id: str
    operation_id: str
    round: int
    seed_item_id: str
    seed_label_id: str
    text: str
    labels: Labels
    original_text: str | None
    original_labels: Labels | None
    state: GenerationState
    screens: tuple[Screen, ...]
    needs_review: bool
    generator: str
    model: str | None
    template_id: str
    template_version: int
    template_sha256: str
    attributes: tuple[str, ...]
    example_ids: tuple[str, ...]
    contrast: str | None
    prompt_sha256: str
    response_sha256: str
    request_id: str | None
    reviewer: str | None
    reason: str | None
    revision: int
    created_at: datetime
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A ledger row: the worst case is reserved before an attempt and settled after it.

    ``dollars`` is what counts against the budget now: the reservation until it is
    settled, the bill afterwards; a row never settled keeps its reservation.
    """

    id: str
    tenant_id: str
    session_id: str
    operation_id: str
    generator: str
    model: str | None
    state: Literal["reserved", "settled", "released"]
    dollars: float
    input_tokens: int = 0
    output_tokens: int = 0
    request_id: str | None = None
    created_at: datetime


# --- models -----------------------------------------------------------------

ModelState: TypeAlias = Literal["candidate", "active", "archived", "rejected", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A trained head, written once; only ``state`` changes.

    ``classes`` is the column order of its probabilities. ``onnx`` is the sha256 of the
    head's bytes (vectors float32 (n, D) -> probabilities float32 (n, C)).
    ``metrics`` holds what ``core.metrics.evaluate`` returned, {} where nothing could
    be held out; ``evaluated_on`` says on which rows. ``thresholds`` by class id: a
    multi-label model names a class whose probability reaches its threshold; None where
    the most probable class is the answer.
    """

    id: str
    tenant_id: str
    session_id: str
    version: int
    round: int
    state: ModelState
    learner: str
    encoder_id: str
    classes: Labels
    onnx: str
    label_watermark: int
    human_counts: Mapping[str, int]
    generated_counts: Mapping[str, int]
    parameters: Options
    metrics: Options
    evaluated_on: Literal["test", "holdout", "nothing"]
    parity: float
    revision: int
    created_at: datetime
    thresholds: Mapping[str, float] | None = None


# --- operations, events, access ----------------------------------------------

OperationState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OperationKind: TypeAlias = Literal[
    "import", "index", "generate", "retrain", "activate", "export", "delete"
]
FINISHED: frozenset[OperationState] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """``done`` of ``total`` units of ``phase``; total 0 = not known yet."""

    phase: str = "queued"
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The public face of a job. ``lane`` is unique among unfinished operations, so that
    the database itself refuses a second retrain of a session."""

    id: str
    tenant_id: str
    session_id: str
    kind: OperationKind
    state: OperationState
    input: Options
    lane: str | None = None
    request_key: str | None = None
    progress: Progress = Progress()
    result: Options | None = None
    error: Options | None = None
    attempt: int = 0
    cancel_requested: bool = False
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether it succeeded, failed or was cancelled; it then stays as it is."""
        return self.state in FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, written in the transaction that made it so.

    ``sequence`` grows by one per session; ``data`` holds ids and counts, never text.
    """

    id: str
    tenant_id: str
    session_id: str
    sequence: int
    type: str
    data: Options
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An access key; only the SHA-256 of its secret is kept."""

    id: str
    tenant_id: str
    name: str
    secret_sha256: str
    scopes: frozenset[str]
    session_id: str | None
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A slice of a listing: rows after ``after`` (exclusive), at most ``limit``."""

    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedReply:
    """What an idempotent request answered the first time; status 0 while it runs."""

    fingerprint: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime
