"""What a judging model is asked about texts, and what it answers: opinions, never gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from core.generation import Outcome
from core.records import LabelClass, Labels

Doubt: TypeAlias = Literal["abstained", "refused", "unreadable", "disagreed", "several-answers"]
"""Why an oracle leaves an item to people: it said it does not know, the provider declined,
its answer could not be used, members of a panel differ, or several people have to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``texts`` to be judged against the session's classes and guidelines."""

    classes: tuple[LabelClass, ...]
    multi_label: bool
    guidelines: str = ""
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """``labels`` None = it abstains; ``confidence`` is its own word, in [0, 1]."""

    labels: Labels | None = None
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one call gave: with ``ok`` one opinion per text, in order, else none.

    ``category`` is a refusal's category or an upstream error's type. ``dollars`` is the
    bill of all attempts. Hashes cover the last prompt and the raw answer (hex sha256).
    """

    outcome: Outcome
    opinions: tuple[Opinion, ...] = ()
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
class Consultation:
    """What an oracle that may leave items to people made of those it was asked about.

    ``answers`` and ``doubts`` are by item id; an item in neither was not judged (time or
    money ran out, or the provider failed) and may be asked about again.
    """

    answers: Mapping[str, Labels] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
