"""The floor: rule-based edits that need no model, no key and no network.

It shows how much of a gain comes from any noise at all, and keeps the loop running where
nothing better is configured.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from adapters.generators.edits import ANY_LANGUAGE, ENGLISH, Edit
from core.generation import Estimate, GenerationRequest, GenerationResult, Variation
from core.ports import Purse
from core.registry import check_option
from core.texts import normalise

EDITS_BY_LEVEL: Final = {"strict_slots": 1, "paraphrase": 2, "attributes": 3, "free_form": 5}
TRIES: Final = 12

_ENGLISH = re.compile(
    r"\b(?:a|an|and|for|have|i|i'm|in|is|it|me|my|of|the|to|was|what|with|you)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class PerturbGenerator:
    """Edits the seed's words; the same request gives the same texts.

    Args:
        edits: edits per variation, 1 to 10; None takes more the freer the template:
            1 strict_slots, 2 paraphrase, 3 attributes, 5 free_form.
    """

    edits: int | None = None
    name: str = field(default="perturb", init=False)
    model: None = field(default=None, init=False)
    paid: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.edits is not None:
            check_option("edits", self.edits, of=int, least=1, most=10)

    def estimate(self, request: GenerationRequest) -> Estimate:  # noqa: ARG002 -- the port
        """Nothing: edits are free."""
        return Estimate()

    def generate(
        self,
        request: GenerationRequest,
        *,
        purse: Purse,  # noqa: ARG002 -- the port
    ) -> GenerationResult:
        """Texts unlike the seed and one another after normalising, or a shortfall."""
        rng = np.random.default_rng([abs(request.seed), _number(request.text)])
        seen = {normalise(request.text), ""}
        texts: list[str] = []
        for _ in range(request.count * TRIES):
            if len(texts) == request.count:
                break
            text = self._edited(request, rng)
            if normalise(text) not in seen:
                seen.add(normalise(text))
                texts.append(text)
        return GenerationResult(
            outcome="ok" if len(texts) == request.count else "shortfall",
            variations=tuple(Variation(text=text) for text in texts),
            prompt_sha256=_sha256([self.name, request.text, request.count, request.seed]),
            response_sha256=_sha256(texts),
        )

    def _edited(self, request: GenerationRequest, rng: np.random.Generator) -> str:
        wanted = self.edits or EDITS_BY_LEVEL[request.template.level]
        choice: tuple[Edit, ...] = ANY_LANGUAGE
        if _ENGLISH.search(request.text):
            choice += ENGLISH
        words = tuple(request.text.split())
        for at in rng.permutation(len(choice)):
            edited = choice[at](words, rng)
            wanted -= edited != words
            words = edited
            if wanted <= 0:
                break
        return " ".join(words).strip()


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
