"""Everything that can go wrong with a service, as one tree.

TailwiseError
├── NotConfigured          no address or no key was given
├── ConnectionFailed       no answer came, or it broke off
│   └── TimedOut           ... because it took longer than allowed
├── UnexpectedAnswer       an answer came that is not Tailwise's
├── OperationFailed        the service did the work and it failed; has ``operation``
│   └── OperationCancelled ... because somebody cancelled it
├── InvalidSignature       a webhook that the service did not sign
└── ProblemError           the service refused; has status, code, detail, errors, extras
    ├── BadRequest         400, 405, 406, 411, 415, 416, 428
    │   └── TooLarge       413
    ├── NotAuthenticated   401
    ├── NotAllowed         403
    ├── NotFound           404
    ├── Gone               410
    ├── Conflict           409
    │   ├── BatchOpen, PoolEmpty, NotIndexed       what a select meets
    │   ├── AlreadyLabelled, BatchClosed, LeaseExpired, OverlapReached
    │   ├── InsufficientClasses, NothingNew, NoModel
    │   ├── BudgetExceeded, OperationInProgress
    ├── PreconditionFailed 412
    ├── InvalidInput       422
    ├── RateLimited        429
    └── ServerFault        5xx
        └── Unavailable    502, 503, 504
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from tailwise_client.records.operations import Operation


class TailwiseError(Exception):
    """Root of the tree."""


class NotConfigured(TailwiseError):
    """No address or no key was given, neither as an argument nor by the environment."""


class ConnectionFailed(TailwiseError):
    """The service did not answer, or its answer broke off."""


class TimedOut(ConnectionFailed):
    """It took longer than allowed."""


class UnexpectedAnswer(TailwiseError):
    """The answer is not one that a Tailwise service gives."""


class InvalidSignature(TailwiseError):
    """The webhook was not signed with this secret, or not in the last five minutes."""


class OperationFailed(TailwiseError):
    """An operation ended without success; ``code`` names the reason."""

    def __init__(self, operation: Operation) -> None:
        error = operation.error or {}
        self.operation = operation
        self.code = str(error.get("code", operation.state))
        why = error.get("detail") or self.code
        super().__init__(f"the {operation.kind} operation {operation.state}: {why}")


class OperationCancelled(OperationFailed):
    """Somebody cancelled it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One refused field: a JSON pointer into the request, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a problem document says. ``extras`` are its further members, such as ``limit``."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    request_id: str | None = None
    retryable: bool = False
    extras: Mapping[str, Any]


class ProblemError(TailwiseError):
    """The service refused, and says why in ``problem``."""

    by_code: ClassVar[dict[str, type[ProblemError]]] = {}
    code_of_class: ClassVar[str | None] = None

    def __init_subclass__(cls, *, code: str | None = None) -> None:
        super().__init_subclass__()
        cls.code_of_class = code
        if code is not None:
            ProblemError.by_code[code] = cls

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        where = "".join(f"; {e.pointer}: {e.detail}" for e in problem.errors[:3])
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}{where}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """The stable slug to branch on."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """A sentence for people; holds no texts and no keys."""
        return self.problem.detail

    @property
    def errors(self) -> Sequence[FieldProblem]:
        """The refused fields, each with its pointer; empty where none is to blame."""
        return self.problem.errors

    @property
    def request_id(self) -> str | None:
        """What to quote in a report; None where a proxy answered."""
        return self.problem.request_id

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.problem.retryable

    @property
    def extras(self) -> Mapping[str, Any]:
        """What this code tells besides, such as ``batch_id`` or ``allowed``."""
        return self.problem.extras


class BadRequest(ProblemError):
    """The request could not be understood."""


class TooLarge(BadRequest):
    """The body is larger than allowed."""


class NotAuthenticated(ProblemError):
    """The key is missing, unknown or revoked."""


class NotAllowed(ProblemError):
    """The key may not do this."""


class NotFound(ProblemError):
    """No such thing, as far as this key can know."""


class Gone(ProblemError):
    """It existed and was deleted."""


class Conflict(ProblemError):
    """Well-formed, but the present state forbids it."""


class BatchOpen(Conflict, code="batch-open"):
    """The last batch is not answered yet."""


class PoolEmpty(Conflict, code="pool-empty"):
    """Nothing is left to select."""


class NotIndexed(Conflict, code="not-indexed"):
    """New rows are still being embedded and clustered."""


class AlreadyLabelled(Conflict, code="already-labelled"):
    """You answered this item differently; name that label in ``supersedes``, or undo it."""


class BatchClosed(Conflict, code="batch-closed"):
    """The batch was cancelled, or the item has its answer."""


class LeaseExpired(Conflict, code="lease-expired"):
    """The lease ran out and somebody else took the item."""


class OverlapReached(Conflict, code="overlap-reached"):
    """The item has all the answers it needs."""


class InsufficientClasses(Conflict, code="insufficient-classes"):
    """Too few classes have labels to train on."""


class NothingNew(Conflict, code="nothing-new"):
    """No label came since the last training."""


class NoModel(Conflict, code="no-model"):
    """Nothing was trained yet."""


class BudgetExceeded(Conflict, code="budget-exceeded"):
    """The labels or dollars of the session are spent."""


class OperationInProgress(Conflict, code="operation-in-progress"):
    """Something that excludes this is running; ``extras`` has its id."""


class PreconditionFailed(ProblemError):
    """Somebody else changed it first."""


class InvalidInput(ProblemError):
    """The document breaks a rule; ``errors`` name the fields."""


class RateLimited(ProblemError):
    """Too many requests."""


class ServerFault(ProblemError):
    """The service failed; quote ``request_id`` when you report it."""


class Unavailable(ServerFault):
    """The service, or a part of it, is away for now."""


BY_STATUS: Mapping[int, type[ProblemError]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: TooLarge,
    422: InvalidInput,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
SERVER_FAULTS = 500


def error_for(problem: Problem) -> ProblemError:
    """The class of the problem's code where it has one, else that of its status."""
    usual = ServerFault if problem.status >= SERVER_FAULTS else BadRequest
    found = BY_STATUS.get(problem.status, usual)
    special = ProblemError.by_code.get(problem.code, found)
    return (special if issubclass(special, found) else found)(problem)
