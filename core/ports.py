"""What the core asks of the world, as narrow protocols.

Repositories are one per noun and live inside a transaction: ``Store.read()`` and
``Store.write()`` yield them. Everything that touches disk, network or weights is
behind one of these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.generation import Estimate, GenerationRequest, GenerationResult
from core.opinions import Consultation, Judgement, Question
from core.people import (
    Assignment,
    AssignmentState,
    Claimable,
    Exposure,
    Flag,
    Invitation,
    Person,
    SignIn,
    Vote,
)
from core.provider_batches import BatchView, Fetched, HandedIn, Parcel, Patience
from core.records import (
    ApiKey,
    Batch,
    BatchState,
    Cost,
    Event,
    Generation,
    GenerationState,
    IndexVersion,
    Item,
    ItemState,
    LabelEvent,
    Labelled,
    Labels,
    Model,
    ModelState,
    NewItem,
    Operation,
    OperationKind,
    OperationState,
    Options,
    Page,
    Progress,
    SavedReply,
    Session,
    Split,
    Template,
)
from core.webhooks import Delivery, Outcome, Secret, Ticket, WebhookEndpoint

T = TypeVar("T")
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Ints = NDArray[np.int32]
Targets = NDArray[np.int32] | NDArray[np.bool_]
"""int32 (n,) column numbers, or in a multi-label task bool (n, C)."""


# --- time and chance ----------------------------------------------------------


class Clock(Protocol):
    def now(self) -> datetime:
        """The present time, timezone-aware UTC."""


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """A fresh, time-ordered id such as ``ses_01J...``."""


# --- models of language ---------------------------------------------------------


class Encoder(Protocol):
    """Texts to unit vectors. ``id`` changes whenever the vectors would."""

    @property
    def id(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> Floats:
        """(n, D) float32, rows in the order of ``texts``; n may be 0."""

    def truncated(self, texts: Sequence[str]) -> Sequence[bool]:
        """Which texts are longer than the encoder reads."""


class Classifier(Protocol):
    """A loaded ONNX head."""

    def predict(self, vectors: Floats) -> Floats:
        """(n, C) float32 probabilities for (n, D) vectors."""


@runtime_checkable
class TextClassifier(Protocol):
    """A loaded ONNX model that reads texts."""

    def predict_texts(self, texts: Sequence[str]) -> Floats:
        """(n, C) float32 probabilities in the order of ``texts``; n may be 0."""

    def truncated(self, texts: Sequence[str]) -> Sequence[bool]:
        """Which texts are longer than the model reads."""


class Learner(Protocol):
    """Fits a head and leaves it as ONNX."""

    def fit(
        self, vectors: Floats, targets: Targets, *, classes: int, weights: Floats, seed: int
    ) -> FittedHead:
        """``targets`` are column numbers in [0, classes); every class occurs. Or they are bool
        (n, classes), and the head gives independent probabilities (sigmoid); every class
        then has rows with and without it."""


class FittedHead(Protocol):
    @property
    def onnx(self) -> bytes: ...
    @property
    def parameters(self) -> Options: ...
    def predict(self, vectors: Floats) -> Floats:
        """Probabilities by the training library: the reference for parity."""


@runtime_checkable
class TextLearner(Protocol):
    """Fits a whole model on texts and leaves it as ONNX."""

    def fit_texts(
        self,
        texts: Sequence[str],
        targets: Targets,
        *,
        classes: int,
        weights: Floats,
        watched: NDArray[np.bool_],
        seed: int,
        job: Job,
    ) -> FittedText:
        """As ``Learner.fit``, from texts. Rows where ``watched`` bool (n,) is true are never
        trained on: they say when to stop. Progress and cancelling go through ``job``."""


class FittedText(Protocol):
    """``parity`` is the largest difference in probability between library and file."""

    @property
    def onnx(self) -> bytes: ...
    @property
    def parity(self) -> float: ...
    @property
    def parameters(self) -> Options: ...


class Generator(Protocol):
    """Writes variations of a seed. ``paid`` generators reserve money before each attempt."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def paid(self) -> bool: ...
    def estimate(self, request: GenerationRequest) -> Estimate:
        """The worst case of one call, without making it."""

    def generate(self, request: GenerationRequest, *, purse: Purse) -> GenerationResult:
        """One call; refusals, truncation and upstream trouble are outcomes, not errors."""


class BatchCounter(Protocol):
    """Where batches lie at a provider; every method may raise ProviderTrouble."""

    def look(self, batch_id: str) -> BatchView: ...
    def recent(self, *, since: datetime) -> Iterable[BatchView]:
        """What was created since then, newest first; anybody's who shares the key."""

    def mark(self, batch_id: str) -> str | None:
        """A custom id of an ended batch, which tells whose it is; None where it has none."""

    def stop(self, batch_id: str) -> None:
        """Ask for its end; what is finished by then is kept."""

    def erase(self, batch_id: str) -> None:
        """Delete an ended batch with its answers."""


@runtime_checkable
class BatchWriter(Protocol):
    """A generator whose calls are handed in together and fetched later, within a day."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def paid(self) -> bool: ...
    @property
    def counter(self) -> BatchCounter: ...
    @property
    def patience(self) -> Patience: ...
    def estimate(self, request: GenerationRequest) -> Estimate: ...
    def generate(self, request: GenerationRequest, *, purse: Purse) -> GenerationResult: ...
    def pack(self, calls: Mapping[str, GenerationRequest]) -> Parcel:
        """Calls by custom id; raises JobFailed ``batch-too-large``."""

    def hand_in(self, parcel: Parcel) -> BatchView:
        """Send it. ProviderTrouble that is not ``unsure`` means that nothing was taken."""

    def fetch(
        self, batch_id: str, *, calls: Mapping[str, GenerationRequest]
    ) -> Mapping[str, Fetched]:
        """What became of every call, by custom id, once the batch has ended. An answer that
        is missing is billed at its worst case."""


class Purse(Protocol):
    """The budget as a generator sees it."""

    def reserve(self, dollars: float) -> str:
        """Set money aside for one attempt; raises Conflict ``budget-exceeded``."""

    def settle(
        self,
        reservation: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        """Replace the reservation by the bill (0 where the attempt was not billed)."""


class Reserve(Protocol):
    """Held-out texts that only the simulated generator draws from."""

    def nearest(self, vector: Floats, *, class_id: str, limit: int) -> Sequence[tuple[str, str]]:
        """(item id, text) of reserve rows with that gold class and no other, nearest first;
        in a multi-label task also several, their ids sorted with ``|`` between them."""


class Oracle(Protocol):
    """Answers picks. ``name`` is stored with each label it gives."""

    @property
    def name(self) -> str: ...
    def ask(self, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """The labels already known; a human oracle knows none yet."""


@runtime_checkable
class Consultant(Protocol):
    """An oracle that may leave items to people, and says why."""

    @property
    def name(self) -> str: ...
    def consult(self, item_ids: Sequence[str]) -> Consultation:
        """Raises Conflict ``budget-exceeded`` or ``generator-not-configured``, or Unavailable
        ``oracle-unavailable``, where not one item could be judged."""


class Judge(Protocol):
    """A model that says which classes a text has. Its texts are data, never instructions."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    def judge(self, question: Question, *, purse: Purse) -> Judgement:
        """One call; refusals, truncation and upstream trouble are outcomes, not errors."""


# --- callbacks ----------------------------------------------------------------------


class AddressGuard(Protocol):
    def check(self, url: str, *, own: str | None = None) -> None:
        """Raises InvalidInput ``url-not-allowed``; ``own`` is our own host[:port]."""


class Courier(Protocol):
    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Outcome:
        """One attempt, which ends in bounded time and never raises for the receiver's sake."""


class Signer(Protocol):
    """Standard Webhooks: HMAC-SHA256 over id, time and body."""

    def sign(
        self, message_id: str, *, at: datetime, body: bytes, secrets: Sequence[str]
    ) -> Mapping[str, str]:
        """The three headers, with one signature per secret."""

    def verify(
        self, headers: Mapping[str, str], *, body: bytes, secrets: Sequence[str], now: datetime
    ) -> str:
        """The message id; raises NotVerified. Header names are in lower case."""


class SecretBox(Protocol):
    """Secrets as they are stored: sealed."""

    def seal(self, secrets: Sequence[Secret]) -> str: ...
    def open(self, sealed: str) -> Sequence[Secret]:
        """Raises Unavailable ``secrets-sealed`` where another key sealed them."""


class Tickets(Protocol):
    """Callback tokens, which cannot be made up."""

    def write(self, ticket: Ticket) -> str: ...
    def read(self, token: str) -> Ticket:
        """Raises NotVerified ``callback-refused``; expiry is the caller's to check."""


# --- files and jobs ---------------------------------------------------------------


class Blobs(Protocol):
    """Content-addressed artefacts; a digest is the sha256 of the bytes, in hex."""

    def put(self, data: bytes) -> str: ...
    def put_stream(self, chunks: Iterable[bytes], *, limit: int | None = None) -> tuple[str, int]:
        """(digest, size); raises InvalidInput ``payload-too-large`` past ``limit`` bytes."""

    def get(self, digest: str) -> bytes:
        """Checked against the digest; raises Unavailable ``blob-missing``/``blob-corrupt``."""

    def open(self, digest: str) -> BinaryIO: ...
    def size(self, digest: str) -> int: ...
    def put_array(self, array: NDArray[Any]) -> str: ...
    def array(self, digest: str) -> NDArray[Any]:
        """Read-only, memory-mapped where the store is a local directory."""

    def delete(self, digest: str) -> None:
        """Idempotent."""


class Job(Protocol):
    """What a verb that runs as an operation may ask of its runner."""

    @property
    def operation_id(self) -> str: ...
    def step(self, name: str, work: Callable[[], T]) -> T:
        """Run ``work`` once; after a crash its stored JSON-shaped answer is returned instead."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """Publish progress (throttled)."""

    def check(self) -> None:
        """Raise Cancelled when the operation was asked to stop."""


class Jobs(Protocol):
    def enqueue(self, operation: Operation) -> None:
        """Hand a committed operation to the workers; the same id again is a no-op."""

    def cancel(self, operation_id: str) -> None: ...
    def forget(self, operation_ids: Sequence[str]) -> int:
        """Delete what the engine keeps of these jobs, whatever their state; how many."""


# --- the store ----------------------------------------------------------------------


class Store(Protocol):
    """``write`` serialises writers; both are short: no model, network or file work inside."""

    def read(self) -> AbstractContextManager[Repositories]: ...
    def write(self) -> AbstractContextManager[Repositories]: ...


class Repositories(Protocol):
    @property
    def access(self) -> Access: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def items(self) -> Items: ...
    @property
    def vectors(self) -> VectorCache: ...
    @property
    def indexes(self) -> Indexes: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def labels(self) -> LabelEvents: ...
    @property
    def assignments(self) -> Assignments: ...
    @property
    def flags(self) -> Flags: ...
    @property
    def people(self) -> People: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def templates(self) -> Templates: ...
    @property
    def generations(self) -> Generations: ...
    @property
    def costs(self) -> Costs: ...
    @property
    def provider_batches(self) -> ProviderBatches: ...
    @property
    def models(self) -> Models: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def events(self) -> Events: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def heartbeats(self) -> Heartbeats: ...


class Access(Protocol):
    """Tenants and their keys."""

    def ensure_tenant(self, tenant_id: str, *, name: str, now: datetime) -> None: ...
    def add_key(self, key: ApiKey) -> None: ...
    def get_key(self, key_id: str) -> ApiKey | None: ...
    def list_keys(self, tenant_id: str, page: Page) -> Sequence[ApiKey]: ...
    def revoke_key(self, tenant_id: str, key_id: str, *, now: datetime) -> bool: ...
    def any_key(self) -> bool: ...


class Sessions(Protocol):
    def add(self, session: Session) -> None: ...
    def get(self, tenant_id: str, session_id: str, *, lock: bool = False) -> Session:
        """Raises NotFound ``unknown-session`` or Gone ``session-deleted``. ``lock`` makes
        concurrent writers of this session wait (SELECT ... FOR UPDATE)."""

    def list(
        self, tenant_id: str, page: Page, *, state: str | None = None
    ) -> Sequence[Session]: ...
    def save(self, session: Session, *, expected_revision: int) -> None:
        """Store a changed session whose ``revision`` the caller already raised by one;
        raises PreconditionFailed when the stored revision is not ``expected_revision``."""

    def closed(self, *, before: datetime) -> Sequence[Session]:
        """Over all tenants, closed before then, the longest first."""

    def purge(self, session_id: str) -> Sequence[str]:
        """Delete every row of the session but its tombstone and what announces its end;
        returns blob digests that no other session refers to."""


class Items(Protocol):
    def add_many(
        self,
        session: Session,
        items: Sequence[tuple[str, NewItem]],
        *,
        text_hashes: Sequence[str],
        now: datetime,
    ) -> Sequence[Item]:
        """Insert (id, item) pairs at the next positions, in order."""

    def get(self, session_id: str, item_id: str) -> Item:
        """Raises NotFound ``unknown-item``."""

    def by_external_ids(
        self, session_id: str, external_ids: Sequence[str]
    ) -> Mapping[str, Item]: ...
    def by_ids(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Item]: ...
    def by_positions(self, session_id: str, positions: Sequence[int]) -> Mapping[int, Item]: ...
    def list(
        self,
        session_id: str,
        page: Page,
        *,
        state: str | None = None,
        split: str | None = None,
        label: str | None = None,
        batch_id: str | None = None,
        query: str | None = None,
    ) -> Sequence[Item]:
        """By position; ``after`` is a position as decimal text; ``query`` is a substring of the
        text, matched case-insensitively."""

    def rewrite(self, session_id: str, item_id: str, new: NewItem, *, text_hash: str) -> None:
        """Replace content, split and gold; raises the revision; marks it unindexed when the
        text or split changed."""

    def set_state(self, session_id: str, item_ids: Sequence[str], state: ItemState) -> None: ...
    def set_labels(
        self, session_id: str, answers: Mapping[str, tuple[Labels | None, ItemState]]
    ) -> None:
        """The derived current answer and state of items."""

    def delete(self, session_id: str, item_id: str) -> None:
        """Blanks text, gold and metadata and hides the row; its position stays taken."""

    def counts(self, session_id: str) -> Mapping[str, int]:
        """Rows by "split/state", e.g. {"pool/pooled": 900, "test/pooled": 150}."""

    def next_position(self, session_id: str) -> int: ...
    def unindexed(self, session_id: str) -> int: ...
    def unindexed_shards(self, session_id: str) -> Sequence[int]:
        """Shard numbers (position // SHARD_ROWS) that hold unindexed rows, ascending."""

    def texts(
        self, session_id: str, *, start: int, stop: int
    ) -> Iterator[tuple[int, str, str, str]]:
        """(position, text_hash, text, split) of live rows in [start, stop), by position."""

    def mark_indexed(
        self, session_id: str, *, start: int, stop: int, rows: Mapping[int, tuple[str, str]]
    ) -> None:
        """Rows whose (text hash, split) still are the given ones; the rest stay unindexed."""

    def busy_positions(self, session_id: str) -> NDArray[np.int64]:
        """Positions of pool rows that are not ``pooled``: selected, conflict, resolved, excluded,
        deleted."""

    def gold(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """For the gold oracle only."""

    def gold_classes(self, session_id: str) -> Sequence[str]:
        """The distinct class ids that gold labels use."""

    def gold_split(self, session_id: str, split: Split) -> Sequence[tuple[int, str, Labels]]:
        """(position, item id, gold) of indexed rows with gold, by position: test and reserve
        rows for evaluation and simulation."""

    def hash_matches(
        self, session_id: str, text_hashes: Sequence[str]
    ) -> Mapping[str, tuple[str, Split]]:
        """Text hash -> (item id, split) where a row has exactly that normalised text; a test
        row wins over others."""


class VectorCache(Protocol):
    """Vectors by text hash and encoder; where embedding resumes after a crash."""

    def known(self, tenant_id: str, encoder_id: str, text_hashes: Sequence[str]) -> Set[str]:
        """Which of the hashes have a vector."""

    def get(
        self, tenant_id: str, encoder_id: str, text_hashes: Sequence[str]
    ) -> Mapping[str, Halves]: ...
    def put(self, tenant_id: str, encoder_id: str, vectors: Mapping[str, Halves]) -> None:
        """Idempotent; existing rows win."""


class Indexes(Protocol):
    def add(self, version: IndexVersion) -> None: ...
    def latest(self, session_id: str) -> IndexVersion | None: ...
    def get(self, session_id: str, index_id: str) -> IndexVersion: ...
    def with_model(self, session_id: str, model_id: str) -> IndexVersion | None:
        """The newest version scored by that model."""


class Batches(Protocol):
    def add(self, batch: Batch) -> None: ...
    def get(self, session_id: str, batch_id: str) -> Batch:
        """Raises NotFound ``unknown-batch``."""

    def by_request(self, session_id: str, request_key: str) -> Batch | None: ...
    def remember_request(self, batch_id: str, request_key: str) -> None: ...
    def list(self, session_id: str, page: Page, *, state: str | None = None) -> Sequence[Batch]: ...
    def all(self, session_id: str) -> Sequence[Batch]:
        """Every batch by round, for metrics."""

    def open(self, session_id: str) -> Sequence[Batch]: ...
    def overdue(
        self, *, now: datetime, limit: int, session_id: str | None = None
    ) -> Sequence[Batch]:
        """Open batches that have waited long enough, oldest first; None = over all tenants."""

    def set_state(self, batch_id: str, state: BatchState) -> None: ...
    def waits(self, batch_id: str) -> bool:
        """Whether an item of it is selected or in conflict."""

    def count(self, session_id: str) -> int: ...
    def containing(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Batch]:
        """The newest batch that holds each item; of its items, only those asked for."""


class LabelEvents(Protocol):
    def add_many(self, events: Sequence[LabelEvent]) -> None: ...
    def watermark(self, session_id: str) -> int:
        """The highest seq, 0 when there is none."""

    def get(self, session_id: str, label_id: str) -> LabelEvent:
        """Raises NotFound ``unknown-label``."""

    def by_client_ids(
        self, session_id: str, annotator_id: str, client_ids: Sequence[str]
    ) -> Mapping[str, LabelEvent]: ...
    def current(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, LabelEvent]:
        """The answer that counts for each item now (created or superseded, not undone)."""

    def of_items(
        self, session_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, Sequence[LabelEvent]]:
        """Every event of each item, by seq; see ``core.history`` for what stands of them."""

    def list(
        self, session_id: str, page: Page, *, item_id: str | None = None
    ) -> Sequence[LabelEvent]:
        """By seq; ``after`` is a seq as decimal text."""

    def labelled(self, session_id: str, *, watermark: int | None = None) -> Sequence[Labelled]:
        """Current answers of pool rows as of ``watermark``, by position."""

    def counts_now(self, session_id: str, label_id: str) -> bool:
        """Whether this event (an answer or a skip) is the last standing one of its item; one
        person's vote, declination or check answer: of that person and item."""

    def bought(self, session_id: str) -> int:
        """How many items have ever been answered: what the label budget counts."""

    def pledged(self, session_id: str) -> int:
        """How many items wait in a batch and were never answered: the budget counts them too."""

    def given_since(
        self, session_id: str, *, since: datetime
    ) -> Sequence[tuple[datetime, int | None]]:
        """When people answered since then, and the milliseconds they say it took."""

    def time_spent(self, session_id: str) -> Mapping[str | None, int]:
        """Milliseconds that answers say they took, by batch id; None = outside of batches."""

    def votes(self, session_id: str, item_ids: Sequence[str] | None = None) -> Sequence[Vote]:
        """Each person's standing answer to items that ask several, by seq; None = all items.
        An undone vote is gone, a person's later one replaces the earlier."""

    def declines(self, session_id: str) -> Sequence[Vote]:
        """Each person's standing refusal to answer an item, by seq."""

    def by_annotator(
        self, session_id: str, annotator_id: str, *, limit: int
    ) -> Sequence[LabelEvent]:
        """A person's latest answers and skips that nobody undid or replaced, newest first."""

    def checks(self, session_id: str) -> Sequence[Vote]:
        """Every standing answer to a check item, by seq."""


class Assignments(Protocol):
    """The queue: who holds which item, and what became of it. Callers lock the session."""

    def claimable(
        self,
        session_id: str,
        annotator_id: str,
        *,
        limit: int,
        now: datetime,
        batch_id: str | None = None,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> Sequence[Claimable]:
        """Items of open batches that still need an answer from somebody else than holds or
        gave one: first what the person took an answer back from, then by round and rank,
        what the person let go last. Leases of others count until they expire."""

    def claimable_checks(
        self,
        session_id: str,
        annotator_id: str,
        *,
        limit: int,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> Sequence[Claimable]:
        """Check items the person has not answered, taken back ones first, then by position."""

    def can_take(self, assignment: Assignment, *, now: datetime) -> bool:
        """Whether the item of an ended lease still waits, and nobody took the place."""

    def hold(self, assignment: Assignment) -> None:
        """Insert, or renew the row of the same session, item and annotator (its id stays)."""

    def get(self, session_id: str, assignment_id: str) -> Assignment:
        """Raises NotFound ``unknown-assignment``."""

    def of_item(self, session_id: str, item_id: str) -> Sequence[Assignment]: ...
    def of_person(
        self, session_id: str, annotator_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, Assignment]:
        """A person's rows by item id."""

    def held(self, session_id: str, annotator_id: str, *, now: datetime) -> Sequence[Assignment]:
        """A person's leases that have not expired, oldest first."""

    def given(self, session_id: str, annotator_id: str) -> int:
        """How many items a person ever held."""

    def extend(self, assignment_id: str, *, expires_at: datetime) -> None: ...
    def end(
        self,
        assignment_ids: Sequence[str],
        state: AssignmentState,
        *,
        now: datetime,
        reason: str | None = None,
    ) -> None: ...
    def all_leased(
        self,
        session_id: str,
        annotator_id: str,
        *,
        now: datetime,
        batch_id: str | None = None,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> bool:
        """Why a claim came back empty: whether the person could be given some item but for
        other people's leases."""

    def first_end(self, session_id: str, annotator_id: str, *, now: datetime) -> datetime | None:
        """When the first lease of somebody else ends whose item still waits."""

    def skips(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, int]:
        """How many different people skipped each item."""

    def counts(self, session_id: str) -> Mapping[AssignmentState, int]:
        """Rows by state; leases that expired are still ``leased`` here."""

    def exposure(
        self, session_id: str, annotator_id: str, *, since: datetime, break_seconds: float
    ) -> Exposure: ...

    def leased_count(self, *, now: datetime) -> int:
        """Leases that have not expired, over all tenants, for the gauge."""


class Flags(Protocol):
    def add(self, flag: Flag) -> None: ...
    def get(self, session_id: str, flag_id: str) -> Flag:
        """Raises NotFound ``unknown-flag``."""

    def list(self, session_id: str, page: Page, *, state: str | None = None) -> Sequence[Flag]: ...
    def save(self, flag: Flag) -> None: ...
    def open_items(self, session_id: str, item_ids: Sequence[str]) -> Set[str]:
        """Which of the items have an open flag."""

    def counts(self, session_id: str) -> Mapping[tuple[str, str], int]:
        """Flags by (state, reason)."""


class People(Protocol):
    """Persons, their invitations and their browsers."""

    def add_person(self, person: Person) -> None: ...
    def get_person(self, person_id: str) -> Person | None: ...
    def list_persons(
        self, tenant_id: str, page: Page, *, session_id: str | None = None
    ) -> Sequence[Person]:
        """``session_id``: only who is bound to that session."""

    def save_person(self, person: Person) -> None:
        """Name and preferences; nothing else of a person changes."""

    def add_invitation(self, invitation: Invitation) -> None: ...
    def invitation_by_token(self, token_sha256: str) -> Invitation | None: ...
    def get_invitation(self, tenant_id: str, invitation_id: str) -> Invitation | None: ...
    def list_invitations(
        self, tenant_id: str, page: Page, *, session_id: str | None = None
    ) -> Sequence[Invitation]: ...
    def use_invitation(self, invitation_id: str, *, person_id: str, now: datetime) -> bool:
        """False where it was used or revoked first."""

    def revoke_invitation(self, invitation_id: str, *, now: datetime) -> None: ...
    def add_sign_in(self, sign_in: SignIn) -> None: ...
    def sign_in_by_token(self, token_sha256: str) -> SignIn | None: ...
    def revoke_sign_ins(self, person_id: str, *, now: datetime, only: str | None = None) -> None:
        """``only`` names one sign-in; None = all of the person's."""

    def prune(self, *, now: datetime, before: datetime) -> int:
        """Delete sign-ins that ended, and invitations used, revoked or expired before then."""

    def revoke_person(self, person_id: str, *, now: datetime) -> None:
        """With every sign-in, every unused invitation the person sent or may use, and every
        lease."""


class Webhooks(Protocol):
    """Endpoints and the outbox. Delivery rows are added by ``Events.add`` itself."""

    def add(self, endpoint: WebhookEndpoint) -> None: ...
    def get(self, tenant_id: str, endpoint_id: str) -> WebhookEndpoint:
        """Raises NotFound ``unknown-endpoint``."""

    def find(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Whatever the tenant: for the sender and the callback route."""

    def list(self, tenant_id: str, page: Page) -> Sequence[WebhookEndpoint]: ...
    def count(self, tenant_id: str) -> int: ...
    def save(self, endpoint: WebhookEndpoint, *, expected_revision: int) -> None: ...
    def delete(self, tenant_id: str, endpoint_id: str) -> None:
        """With its deliveries."""

    def disable(self, endpoint_id: str, *, reason: str) -> bool:
        """Raises the revision; False where it is not enabled."""

    def waiting(self, *, now: datetime, per_endpoint: int) -> bool:
        """Whether ``due`` might find something; a read."""

    def due(
        self, *, now: datetime, lock_until: datetime, limit: int, per_endpoint: int
    ) -> Sequence[tuple[Delivery, WebhookEndpoint, Event]]:
        """Take pending deliveries whose time has come and lock them, oldest first, at most
        ``per_endpoint`` locked at once for one endpoint. A test message comes with an event
        made for it."""

    def add_delivery(self, delivery: Delivery) -> None: ...
    def delivery(self, tenant_id: str, delivery_id: str) -> Delivery:
        """Raises NotFound ``unknown-delivery``."""

    def deliveries(
        self, tenant_id: str, endpoint_id: str, page: Page, *, state: str | None = None
    ) -> Sequence[Delivery]: ...
    def save_delivery(self, delivery: Delivery) -> None: ...
    def note_result(self, endpoint_id: str, *, succeeded: bool, now: datetime) -> None:
        """Sets or clears ``failing_since`` without raising the revision."""

    def prune(self, *, before: datetime) -> int:
        """Delete deliveries that succeeded before then; how many."""

    def requeue(self, endpoint_id: str, *, since: datetime, now: datetime) -> int:
        """Dead and discarded deliveries made since then go back to pending; how many."""

    def counts(self) -> Mapping[str, int]:
        """Deliveries by state over all tenants, for the gauges."""


class Templates(Protocol):
    def add(self, tenant_id: str, template: Template, *, now: datetime) -> None: ...
    def latest(self, tenant_id: str, template_id: str) -> Template | None: ...
    def list(self, tenant_id: str) -> Sequence[Template]: ...


class Generations(Protocol):
    def add_many(self, rows: Sequence[Generation]) -> None:
        """Idempotent by id."""

    def get(self, session_id: str, generation_id: str) -> Generation:
        """Raises NotFound ``unknown-generation``."""

    def by_ids(self, session_id: str, ids: Sequence[str]) -> Mapping[str, Generation]: ...
    def list(
        self,
        session_id: str,
        page: Page,
        *,
        state: str | None = None,
        operation_id: str | None = None,
        label: str | None = None,
    ) -> Sequence[Generation]: ...
    def save(self, row: Generation, *, expected_revision: int) -> None: ...
    def of_operation(self, session_id: str, operation_id: str) -> Sequence[Generation]:
        """Every row an operation wrote, by id."""

    def usable(self, session_id: str) -> Sequence[Generation]:
        """Accepted and edited rows, by id: what may train."""

    def counts(self, session_id: str) -> Mapping[tuple[str, str, GenerationState], int]:
        """Rows by (class id, template id, state); a row counts for each of its classes."""

    def totals(self, session_id: str) -> Mapping[tuple[str, GenerationState], int]:
        """Rows by (template id, state), each once."""

    def count_reviewed(self, session_id: str) -> int: ...


class Costs(Protocol):
    def add(self, cost: Cost) -> None: ...
    def settle(
        self,
        cost_id: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None: ...
    def total(self, session_id: str, *, operation_id: str | None = None) -> float: ...
    def by_operation(self, session_id: str) -> Mapping[str, float]: ...
    def list(self, session_id: str, page: Page) -> Sequence[Cost]: ...


class ProviderBatches(Protocol):
    """Batches handed in at providers; one whose session is deleted stays until it is gone
    there too."""

    def add(self, batch: HandedIn) -> None: ...
    def get(self, batch_id: str) -> HandedIn | None: ...
    def save(self, batch: HandedIn) -> None: ...
    def remove(self, batch_id: str) -> None: ...
    def taken(self, provider_ids: Sequence[str]) -> Set[str]:
        """Which of these ids of a provider's are known to be ours."""

    def leaving(self, session_id: str) -> Sequence[HandedIn]:
        """Of a deleted session, by id."""

    def due(self, *, now: datetime, limit: int = 100) -> Sequence[HandedIn]:
        """Leaving ones of any session that are to be tried (again) by now, longest due first."""


class Models(Protocol):
    def add(self, model: Model) -> None: ...
    def get(self, session_id: str, model_id: str) -> Model:
        """Raises NotFound ``unknown-model``."""

    def active(self, session_id: str) -> Model | None: ...
    def list(self, session_id: str, page: Page) -> Sequence[Model]: ...
    def all(self, session_id: str) -> Sequence[Model]: ...
    def set_state(self, session_id: str, model_id: str, state: ModelState) -> None:
        """Raises the revision. Activating archives the model that was active."""

    def active_files(self) -> Sequence[str]:
        """Digests of every active model's file, over all tenants, for readiness."""

    def next_version(self, session_id: str) -> int: ...
    def delete(self, session_id: str, model_id: str) -> None:
        """Later reads raise Gone ``model-deleted``; the version number stays taken."""


class Operations(Protocol):
    def add(self, operation: Operation) -> None:
        """Raises Conflict ``operation-in-progress`` with the holder of a taken lane."""

    def get(self, tenant_id: str, operation_id: str) -> Operation:
        """Raises NotFound ``unknown-operation``."""

    def by_request(self, tenant_id: str, request_key: str) -> Operation | None: ...
    def start(self, operation_id: str, *, now: datetime) -> Operation:
        """To running, attempt + 1; returns it unchanged when already finished."""

    def progress(self, operation_id: str, progress: Progress) -> None: ...
    def finish(
        self,
        operation_id: str,
        state: OperationState,
        *,
        result: Options | None,
        error: Options | None,
        now: datetime,
    ) -> None:
        """Frees the lane; a finished operation stays as it is."""

    def request_cancel(self, operation_id: str) -> None: ...
    def cancel_requested(self, operation_id: str) -> bool: ...
    def unfinished(
        self, session_id: str, kinds: Sequence[OperationKind] = ()
    ) -> Sequence[Operation]: ...
    def queued(self, *, limit: int = 100) -> Sequence[Operation]:
        """Oldest first, over all tenants: the sweep enqueues them again."""

    def list(
        self,
        tenant_id: str,
        page: Page,
        *,
        session_id: str | None = None,
        kind: str | None = None,
        state: str | None = None,
    ) -> Sequence[Operation]: ...
    def count(self, session_id: str, kind: OperationKind) -> int:
        """How many of a kind there have ever been in a session."""

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Operations by (kind, state) over all tenants, for the gauges."""


class Events(Protocol):
    def add(
        self, *, tenant_id: str, session_id: str, type: str, data: Options, now: datetime
    ) -> Event:
        """Appends with the session's next sequence number."""

    def list(
        self, session_id: str, *, after: int, limit: int, types: Sequence[str] = ()
    ) -> Sequence[Event]: ...


class Replies(Protocol):
    """Idempotency keys and what they answered."""

    def begin(
        self,
        scope: str,
        *,
        fingerprint: str,
        now: datetime,
        stale: datetime,
        session_id: str | None = None,
    ) -> SavedReply | None:
        """None when this caller holds the key now; the saved reply otherwise (status 0 while
        another request holds it since after ``stale``). A reply with a session is purged
        with it, because its body may quote texts."""

    def finish(
        self,
        scope: str,
        *,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        session_id: str | None = None,
    ) -> None:
        """``session_id``: whose it is, where only the answer tells."""

    def forget(self, scope: str) -> None: ...
    def expire(self, *, before: datetime) -> int: ...


class Heartbeats(Protocol):
    """Workers say they live, so that ``/readyz`` can tell."""

    def beat(self, worker_id: str, *, now: datetime) -> None: ...
    def latest(self) -> Mapping[str, datetime]: ...


class LocalFile(Protocol):
    """A blob store may hand out a path where it has one."""

    def path(self, digest: str) -> Path | None: ...
