"""What several people's answers to one item come to: a label, a conflict, or not yet anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.people import Vote
from core.records import ItemState, LabelEvent, Labels, PeopleSettings

CONSENSUS: Final = "consensus"
"""The annotator id of words that follow from what several people said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that stands of one item.

    ``votes`` and ``declines`` hold one entry per person; ``waiting`` says whether its batch
    waits for answers. ``put_out`` marks an item that was taken out by hand.
    """

    word: LabelEvent | None = None
    votes: tuple[Vote, ...] = ()
    declines: tuple[Vote, ...] = ()
    needed: int = 1
    waiting: bool = False
    put_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where an item is, and which word of ``CONSENSUS`` should stand: None = none."""

    state: ItemState
    labels: Labels | None = None
    word: Labels | None = field(default=None)


def outcome(standing: Standing, *, people: PeopleSettings, multi_label: bool) -> Outcome:
    """The one place where an item's state follows from what was said of it.

    A person's own word (an answer that decides alone, an adjudication, a skip) is final.
    Then come the votes once they are enough, then the declinations. () as a word of
    ``CONSENSUS`` on an excluded item is its skip.
    """
    word = standing.word
    if standing.put_out:
        return Outcome(state="excluded")
    if word is not None and word.annotator_id != CONSENSUS:
        skipped = word.kind == "skipped"
        return Outcome(state="excluded") if skipped else _resolved(word.labels, word=None)
    ballots = [vote.labels for vote in standing.votes if not vote.extra]
    if len(ballots) >= standing.needed:
        agreed = agree(ballots, rule=people.resolution, multi_label=multi_label)
        return Outcome(state="conflict") if agreed is None else _resolved(agreed, word=agreed)
    if len(standing.declines) >= people.skip_limit:
        return Outcome(state="excluded", word=())
    return Outcome(state="selected" if standing.waiting else "pooled")


def agree(answers: Sequence[Labels], *, rule: str, multi_label: bool) -> Labels | None:
    """What the answers say together; None where somebody has to decide.

    ``majority`` takes the answer that most gave, in a multi-label task class by class what
    more than half named; a tie decides nothing. ``unanimous`` wants one answer from all.
    ``adjudicate`` decides nothing as soon as there are two answers.
    """
    if len(answers) > 1 and rule == "adjudicate":
        return None
    if len(set(answers)) == 1:
        return answers[0]
    if rule != "majority":
        return None
    return _class_by_class(answers) if multi_label else _most_given(answers)


def _resolved(labels: Labels, *, word: Labels | None) -> Outcome:
    return Outcome(state="resolved", labels=labels, word=word)


def _most_given(answers: Sequence[Labels]) -> Labels | None:
    [(first, most), (_, next_most)] = Counter(answers).most_common(2)
    return first if most > next_most else None


def _class_by_class(answers: Sequence[Labels]) -> Labels | None:
    named = Counter(class_id for labels in answers for class_id in labels)
    if any(2 * times == len(answers) for times in named.values()):
        return None
    return tuple(sorted(c for c, times in named.items() if 2 * times > len(answers)))
