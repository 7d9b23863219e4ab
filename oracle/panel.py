"""The panel: several oracles, and people where they do not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.opinions import Consultation, Doubt
from core.ports import Consultant, Oracle
from core.records import Labels


@dataclass(slots=True)
class _Hearing:
    """What the members have said of one item so far."""

    given: Counter[Labels] = field(default_factory=Counter)
    doubts: list[Doubt] = field(default_factory=list)
    unheard: bool = False

    def may_pass(self, quorum: int, *, members_left: int) -> bool:
        """Whether the members left could still make it a label."""
        most = max(self.given.values(), default=0) + members_left
        return len(self.given) <= 1 and most >= quorum and not self.unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOracle:
    """An item gets a label when at least ``quorum`` members give the same one and no member
    gives another. A member that knows nothing, or abstains, contradicts nobody.

    Members are asked in order, each about the items that can still get a label. The
    others are left to people: ``disagreed`` where two members differ, otherwise the
    first reason that a member had. Where a member broke off (money, time, its provider)
    an item stays open, to be asked about again.
    """

    members: tuple[Oracle, ...]
    quorum: int
    name: str = field(default="panel", init=False)

    def ask(self, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """The answers the members agree on."""
        return self.consult(item_ids).answers

    def consult(self, item_ids: Sequence[str]) -> Consultation:
        """See ``core.ports.Consultant``."""
        hearings = {item_id: _Hearing() for item_id in item_ids}
        for heard, member in enumerate(self.members):
            left = len(self.members) - heard
            _hear(
                member,
                {i: h for i, h in hearings.items() if h.may_pass(self.quorum, members_left=left)},
            )
        passed = {i: h for i, h in hearings.items() if h.may_pass(self.quorum, members_left=0)}
        return Consultation(
            answers={item_id: next(iter(h.given)) for item_id, h in passed.items()},
            doubts={
                item_id: _doubt(h)
                for item_id, h in hearings.items()
                if item_id not in passed and not h.unheard
            },
        )


def _hear(member: Oracle, hearings: Mapping[str, _Hearing]) -> None:
    said = _consulted(member, list(hearings))
    for item_id, hearing in hearings.items():
        if item_id in said.answers:
            hearing.given[said.answers[item_id]] += 1
        elif item_id in said.doubts:
            hearing.doubts.append(said.doubts[item_id])
        else:
            hearing.unheard = True


def _consulted(member: Oracle, item_ids: Sequence[str]) -> Consultation:
    """One that has no reasons to give abstains where it knows nothing."""
    if isinstance(member, Consultant):
        return member.consult(item_ids)
    known = member.ask(item_ids) if item_ids else {}
    unknown = [item_id for item_id in item_ids if item_id not in known]
    return Consultation(answers=known, doubts=dict.fromkeys(unknown, "abstained"))


def _doubt(hearing: _Hearing) -> Doubt:
    return "disagreed" if len(hearing.given) > 1 else next(iter(hearing.doubts), "abstained")
