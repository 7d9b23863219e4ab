"""The simulated generator: real held-out texts near the seed, wrong as often as asked.

It is an upper bound, because no language model writes texts as real as real ones; what it
is for is to measure the loop around a generator without one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core.generation import Estimate, GenerationRequest, GenerationResult, Variation
from core.ingest_rules import SEPARATOR
from core.ports import Purse, Reserve
from core.registry import check_option
from core.texts import normalise

SPREAD_BY_LEVEL: Final = {"strict_slots": 3, "paraphrase": 5, "attributes": 50, "free_form": 500}
CONFUSIONS: Final = ("uniform", "runner_up")


@dataclass(frozen=True, kw_only=True)
class SimulatedGenerator:
    """Draws reserve rows without replacement from those nearest to the seed.

    The rows have exactly the seed's classes; where several are rare together, that may be
    a shortfall.

    Args:
        reserve: where the rows come from.
        class_ids: every class of the task.
        noise: probability that a row is of another class, in [0, 1].
        confusion: which other class: ``uniform`` draws one evenly, ``runner_up`` takes the
            request's contrast (evenly where there is none).
        spread: how many of the nearest rows are drawn from, at least; None takes more the
            freer the template: 3 strict_slots, 5 paraphrase, 50 attributes, 500 free_form.

    Raises:
        InvalidOption: an option is out of range.
    """

    reserve: Reserve
    class_ids: tuple[str, ...]
    noise: float = 0.0
    confusion: str = "uniform"
    spread: int | None = None
    name: str = field(default="simulated", init=False)
    model: None = field(default=None, init=False)
    paid: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        check_option("noise", self.noise, of=(int, float), least=0.0, most=1.0)
        check_option("confusion", self.confusion, of=str, among=CONFUSIONS)
        if self.spread is not None:
            check_option("spread", self.spread, of=int, least=1, most=10_000)

    def estimate(self, request: GenerationRequest) -> Estimate:  # noqa: ARG002 -- the port
        """Nothing: the texts exist already."""
        return Estimate()

    def generate(
        self,
        request: GenerationRequest,
        *,
        purse: Purse,  # noqa: ARG002 -- the port
    ) -> GenerationResult:
        """``count`` different rows, or fewer where the reserve has no more."""
        found = tuple(self._rows(request))
        return GenerationResult(
            outcome="ok" if len(found) == request.count else "shortfall",
            variations=found,
            prompt_sha256=_sha256([self.name, request.text, request.count, request.seed]),
            response_sha256=_sha256([row.source_id for row in found]),
        )

    def _rows(self, request: GenerationRequest) -> Iterator[Variation]:
        rng = np.random.default_rng([abs(request.seed), _number(request.text)])
        wanted = [self._class(request, rng) for _ in range(request.count)]
        for class_id in sorted(set(wanted)):
            count = wanted.count(class_id)
            yield from self._nearest(request, rng, class_id=class_id, count=count)

    def _class(self, request: GenerationRequest, rng: np.random.Generator) -> str:
        """The seed's class (or classes, as one name), or a wrong one alone."""
        is_right, choice = rng.random() >= self.noise, rng.random()
        own = sorted(label.id for label in request.labels)
        others = [c for c in self.class_ids if c not in own]
        if is_right or not others:
            return SEPARATOR.join(own)
        if self.confusion == "runner_up" and request.contrast is not None:
            return request.contrast.id
        return others[int(choice * len(others))]

    def _nearest(
        self, request: GenerationRequest, rng: np.random.Generator, *, class_id: str, count: int
    ) -> Iterator[Variation]:
        window = max(count, self.spread or SPREAD_BY_LEVEL[request.template.level])
        rows = self.reserve.nearest(request.vector, class_id=class_id, limit=window + 1)
        seed_text = normalise(request.text)
        # A reserve may hold the seed's own text; the row after the window stands in for it.
        usable = [row for row in rows if normalise(row[1]) != seed_text][:window]
        for at in rng.permutation(len(usable))[:count]:
            source_id, text = usable[at]
            yield Variation(text=text, source_id=source_id)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
