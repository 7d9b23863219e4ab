"""What a paid generator needs: a key that nothing prints or stores, and a purse for each cell."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.evidence.records import Experiment
from core.budget import Spend
from core.errors import Conflict, Unavailable
from core.generation import GenerationResult
from core.ports import Purse


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who is asked for texts, by settings; it travels to worker processes and nowhere else."""

    key: str | None = field(default=None, repr=False)
    url: str | None = None


NOBODY = Provider()
PLACEHOLDER = Provider(key="for checks and estimates, which send nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a cell writes with: the provider, and the purse that its calls are paid from."""

    provider: Provider
    purse: Purse


class CellPurse:
    """A cell's share of ``[budget] dollars``; what was never settled counts as spent."""

    def __init__(self, *, dollars: float) -> None:
        self._limit = dollars
        self._billed = 0.0
        self._open: dict[str, float] = {}
        self._made = 0

    @property
    def dollars(self) -> float:
        """Bills, and reservations that are still open."""
        return self._billed + sum(self._open.values())

    def reserve(self, dollars: float) -> str:
        """Raises Conflict ``budget-exceeded`` where the share does not allow that much more."""
        Spend(limit=self._limit, spent=self.dollars).check(dollars)
        self._made += 1
        self._open[str(self._made)] = dollars
        return str(self._made)

    def settle(
        self,
        reservation: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        del input_tokens, output_tokens, request_id
        del self._open[reservation]
        self._billed += dollars


def check_answer(answer: GenerationResult) -> None:
    """Stop a cell that lacks answers, since it would be stored as if texts were of no use.

    Raises Conflict ``budget-exceeded``, Unavailable ``provider-unavailable``. What the model
    itself does (a refusal, too few texts) is a result and passes.
    """
    if answer.outcome == "over_budget":
        raise Conflict(
            "a cell has spent its share of [budget] dollars before it was done; it is not stored",
            code="budget-exceeded",
        )
    if answer.outcome == "unavailable":
        why = answer.category or "no answer"
        raise Unavailable(
            f"the provider of texts failed ({why}) after {answer.attempts} attempts; "
            "finished cells are kept, run the same command to go on",
            code="provider-unavailable",
        )


def check_provider(experiment: Experiment, provider: Provider, *, elsewhere: bool = False) -> None:
    """Refuse paid arms without a key, or where cells run ``elsewhere`` (the key stays here).

    Raises Conflict ``generator-not-configured``.
    """
    paid = [arm.name for arm in experiment.arms if arm.paid]
    if not paid:
        return
    why = ""
    if elsewhere:
        why = "is paid for with a key, which is not sent to a cluster; leave out --dask"
    elif not provider.key:
        why = "needs an API key: set TAILWISE_ANTHROPIC_API_KEY, or see --estimate"
    if why:
        detail = f"arm {paid[0]!r} of {experiment.name} {why}"
        raise Conflict(detail, code="generator-not-configured")
