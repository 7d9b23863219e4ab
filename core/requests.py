"""What a caller asks of a verb and what the verb answers, where no stored record fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from core.errors import FieldError
from core.opinions import Doubt
from core.records import (
    Batch,
    Choice,
    GenerationState,
    ItemState,
    Labels,
    Operation,
    Options,
    Session,
    SessionSettings,
    Split,
    Task,
)

# --- sessions ---------------------------------------------------------------

Phase: TypeAlias = Literal[
    "needs_items",
    "indexing",
    "ready_to_select",
    "labelling",
    "reviewing",
    "ready_to_retrain",
    "training",
    "budget_exhausted",
    "paused",
    "closed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    name: str
    task: Task
    guidelines: str = ""
    settings: SessionSettings = field(default_factory=SessionSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOverview:
    """A session with what is computed: ``phase`` and the verbs it allows now.

    ``counts`` has pool, test, reserve, unlabelled, labelled, selected, conflict, excluded,
    generations_proposed, generations_usable, unindexed; ``spent`` labels and dollars.
    """

    session: Session
    phase: Phase
    allowed: tuple[str, ...]
    counts: Mapping[str, int]
    spent: Mapping[str, float]
    round: int
    active_model_id: str | None
    open_batch_id: str | None
    running: tuple[Operation, ...]


# --- the pool ---------------------------------------------------------------

RowFormat: TypeAlias = Literal["jsonl", "csv", "parquet"]
OnConflict: TypeAlias = Literal["error", "skip", "update"]
Mode: TypeAlias = Literal["atomic", "partial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one submitted row. ``index`` is its place in the request (0-based)."""

    index: int
    status: Literal["created", "updated", "unchanged", "skipped", "rejected", "replayed"]
    id: str | None = None
    external_id: str | None = None
    error: FieldError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResult:
    created: int
    updated: int
    unchanged: int
    skipped: int
    rejected: int
    results: tuple[RowResult, ...]
    operation: Operation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """How to read a file. Columns name where each field is; None = absent.

    ``test_share`` and ``reserve_share`` split rows by the hash of their text,
    stratified by gold, when there is no split column. ``split_values`` maps a file's
    own split names (e.g. train) to ours. ``several_gold`` follows from the session's task.
    """

    format: Literal["csv", "jsonl", "parquet"]
    gzip: bool = False
    text_column: str = "text"
    id_column: str | None = "external_id"
    gold_column: str | None = "gold"
    split_column: str | None = "split"
    lang_column: str | None = "lang"
    test_share: float = 0.0
    reserve_share: float = 0.0
    split_values: Mapping[str, Split] = field(default_factory=dict)
    several_gold: bool = False
    on_conflict: OnConflict = "error"
    dry_run: bool = False


# --- select, label ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectRequest:
    """None = the session's setting. ``seed`` None = derived from session seed and round.

    ``ttl_s`` is how long the batch waits for answers. ``supersede`` closes the batches that
    are open, instead of refusing; what has no answer yet returns to the pool.
    """

    size: int | None = None
    strategy: Choice | None = None
    min_distance: float | None = None
    seed: int | None = None
    allow_parallel: bool = False
    allow_unindexed: bool = False
    ttl_s: int | None = None
    supersede: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterShare:
    """One cluster's part in a batch; ``mean_entropy`` over its eligible rows, in nats."""

    id: int
    size: int
    taken: int
    mean_entropy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectResult:
    batch: Batch
    clusters: tuple[ClusterShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabel:
    """One answer; ``item_id`` or ``external_id`` names the item; ``skip`` declines it.

    ``labels`` None = not given; () = none of the classes, an answer where the task is
    multi-label. ``supersedes`` names the label event this one replaces. ``assignment_id``
    and ``lease_token``, both or neither, name the lease it was given under.
    """

    item_id: str | None = None
    external_id: str | None = None
    labels: Labels | None = None
    skip: bool = False
    client_label_id: str | None = None
    batch_id: str | None = None
    supersedes: str | None = None
    note: str | None = None
    duration_ms: int | None = None
    assignment_id: str | None = None
    lease_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """What became of one answer; ``http`` hint lives in the error's code only."""

    index: int
    status: Literal["created", "superseded", "skipped", "replayed", "rejected"]
    label_id: str | None = None
    item_id: str | None = None
    item_state: ItemState | None = None
    error: FieldError | None = None
    extras: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """An item that an oracle left to people, and why."""

    item_id: str
    reason: Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelResult:
    """``escalated`` and ``remaining`` are of oracles that may leave items to people:
    ``remaining`` items of the batch were not judged yet."""

    accepted: int
    rejected: int
    replayed: int
    results: tuple[LabelRow, ...]
    label_watermark: int
    escalated: tuple[Escalation, ...] = ()
    remaining: int = 0


# --- generate, review ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """Which seeds to vary (by default the latest round's) and how; None = as the session."""

    batch_id: str | None = None
    item_ids: tuple[str, ...] = ()
    template: str | None = None
    variations: int | None = None
    generator: Choice | None = None
    max_dollars: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationPlan:
    """A dry run: what would be asked and the worst it could cost."""

    generator: str
    model: str | None
    template: str
    template_version: int
    seeds: int
    calls: int
    variations: int
    by_class: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    dollars: float
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """accept keeps it, edit replaces the text, relabel its label, reject drops it."""

    generation_id: str
    decision: Literal["accept", "edit", "relabel", "reject"]
    text: str | None = None
    labels: Labels | None = None
    reason: str | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    index: int
    generation_id: str
    state: GenerationState | None = None
    revision: int | None = None
    error: FieldError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewResult:
    accepted: int
    edited: int
    rejected: int
    failed: int
    results: tuple[ReviewRow, ...]


# --- retrain, predict, export ---------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRequest:
    """None = the session's setting. ``force`` retrains although nothing is new."""

    include_generated: bool = True
    generated_weight: float | None = None
    activate: Literal["auto", "if_better", "manual"] | None = None
    min_per_class: int | None = None
    seed: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """``scores`` over every class of the schema (0 for classes the model never saw).

    ``labels`` are the classes the model names: the most probable one, ``label``, or in a
    multi-label task those that reach their threshold, and ``label`` is None.
    """

    label: str | None
    labels: Labels
    scores: Mapping[str, float]
    entropy: float
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    model_id: str
    version: int
    unseen_classes: Labels
    results: tuple[Prediction, ...]
    thresholds: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """``labels``: label events; ``training``: current human answers and usable generations.

    ``hf`` is a zipped folder with a data card and splits; ``licence`` is written into it.
    """

    what: Literal["labels", "training"]
    format: RowFormat | Literal["hf"]
    include_text: bool = True
    licence: str | None = None
