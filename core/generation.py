"""The words of generation: what a generator is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.records import LabelClass, Template

Outcome: TypeAlias = Literal[
    "ok", "shortfall", "refused", "truncated", "invalid", "over_budget", "unavailable"
]
"""ok: as many texts as asked; shortfall: fewer; refused: the provider declined;
truncated: cut off by the token limit; invalid: not of the agreed shape;
over_budget: not attempted; unavailable: the provider failed until the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One call: ``count`` variations of one labelled seed.

    ``label`` is the class the variations are for, ``also`` the seed's further classes,
    which they must keep (multi-label). ``vector`` is the seed's (D,) float32 embedding;
    ``contrast`` the class it must not be read as (the learner's runner-up); ``examples``
    other texts of these classes;
    ``taboo`` openings already used; ``seed`` makes offline generators repeatable.
    """

    seed_item_id: str
    text: str
    label: LabelClass
    contrast: LabelClass | None
    count: int
    template: Template
    attributes: tuple[str, ...]
    examples: tuple[str, ...]
    taboo: tuple[str, ...]
    vector: NDArray[np.float32]
    seed: int
    guidelines: str = ""
    also: tuple[LabelClass, ...] = ()

    @property
    def labels(self) -> tuple[LabelClass, ...]:
        return (self.label, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One written text; ``source_id`` names the reserve row a simulation drew."""

    text: str
    source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """What one call gave. Hashes cover the prompt sent and the raw answer (hex sha256).

    ``category`` is a refusal's category or an upstream error's type. ``dollars`` is the
    bill of all attempts.
    """

    outcome: Outcome
    variations: tuple[Variation, ...] = ()
    category: str | None = None
    attempts: int = 1
    model: str | None = None
    request_id: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = 0.0
    prompt_sha256: str = ""
    response_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a generator is, before one is made.

    ``paid``: its calls cost money. ``batch``: it can hand in work and fetch it later.
    ``structured``: its answers are held to a schema or grammar while they are written.
    ``prompted``: it reads the template; others go by its level alone. ``repeatable``:
    the same request and seed give the same texts. ``max_variations`` of one call.
    """

    paid: bool = False
    batch: bool = False
    structured: bool = False
    prompted: bool = False
    repeatable: bool = False
    max_variations: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The worst case of a call."""

    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = field(default=0.0)
