"""The llm oracle: a language model's opinion where it is sure, people's work where it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.errors import Conflict, Unavailable
from core.opinions import Consultation, Doubt, Judgement, Opinion, Question
from core.ports import Judge, Purse
from core.records import Labels
from core.registry import check_option

DOUBT_OF: Final[Mapping[str, Doubt]] = {
    "refused": "refused",
    "truncated": "unreadable",
    "invalid": "unreadable",
}
"""What a call without opinions makes of its texts. They are not asked about again."""

BROKEN_OFF: Final = frozenset({"over_budget", "unavailable"})
"""Outcomes after which no further call is made; their texts may be asked about again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the oracle works with in one session.

    ``texts`` reads items by id, ``question`` is the session's, without texts; ``purse``
    takes a judge and the most dollars the oracle may spend in the session (None = what
    the session's own budget allows).
    """

    texts: Callable[[Sequence[str]], Mapping[str, str]]
    question: Question
    purse: Callable[[Judge, float | None], Purse]


@dataclass(kw_only=True)
class LlmOracle:
    """Asks in chunks, one after the other; its answers are opinions, and never gold.

    Args:
        judge: makes the model that is asked, when it is first asked.
        bench: the session's texts, question and money.
        min_confidence: an answer less sure than this, in [0, 1], is an abstention.
        chunk: texts in one call; with 1 no text can influence what is said of another.
        max_dollars: the most this oracle may spend in the session, all batches together.
        deadline_s: seconds after which no further call is begun.
        clock: monotonic seconds.
    """

    judge: Callable[[], Judge]
    bench: Bench
    min_confidence: float = 0.7
    chunk: int = 10
    max_dollars: float | None = None
    deadline_s: float = 120.0
    clock: Callable[[], float] = time.monotonic
    name: str = field(default="llm", init=False)

    def __post_init__(self) -> None:
        check_option("min_confidence", self.min_confidence, of=(int, float), least=0.0, most=1.0)
        check_option("chunk", self.chunk, of=int, least=1, most=25)
        check_option("deadline_s", self.deadline_s, of=(int, float), least=1.0, most=600.0)
        if self.max_dollars is not None:
            check_option("max_dollars", self.max_dollars, of=(int, float), least=0.0, most=1e6)

    def ask(self, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """The answers it is sure enough of."""
        return self.consult(item_ids).answers

    def consult(self, item_ids: Sequence[str]) -> Consultation:
        """See ``core.ports.Consultant``."""
        if not item_ids:
            return Consultation()
        answers: dict[str, Labels] = {}
        doubts: dict[str, Doubt] = {}
        for part, judgement in self._calls(item_ids):
            if judgement.outcome in BROKEN_OFF:
                if not answers and not doubts:
                    raise _refusal(judgement)
                break
            opinions = judgement.opinions or [None] * len(part)
            for item_id, opinion in zip(part, opinions, strict=True):
                if opinion is None:
                    doubts[item_id] = DOUBT_OF[judgement.outcome]
                elif (labels := self._sure(opinion)) is None:
                    doubts[item_id] = "abstained"
                else:
                    answers[item_id] = labels
        return Consultation(answers=answers, doubts=doubts)

    def _calls(self, item_ids: Sequence[str]) -> Iterator[tuple[Sequence[str], Judgement]]:
        texts = self.bench.texts(item_ids)
        judge = self.judge()
        purse = self.bench.purse(judge, self.max_dollars)
        until = self.clock() + self.deadline_s
        for start in range(0, len(item_ids), self.chunk):
            if start and self.clock() >= until:
                return
            part = item_ids[start : start + self.chunk]
            asked = tuple(texts[item_id] for item_id in part)
            yield part, judge.judge(replace(self.bench.question, texts=asked), purse=purse)

    def _sure(self, opinion: Opinion) -> Labels | None:
        return opinion.labels if opinion.confidence >= self.min_confidence else None


def _refusal(judgement: Judgement) -> Conflict | Unavailable:
    if judgement.outcome == "over_budget":
        return Conflict(
            "the next call could cost more than the session's budget has left",
            code="budget-exceeded",
        )
    return Unavailable(
        "the model could not be reached; ask again later",
        code="oracle-unavailable",
        extras={"category": judgement.category},
    )
