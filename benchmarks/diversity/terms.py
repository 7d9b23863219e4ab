"""Equal terms: one number of texts and one length at which several sets can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.diversity.tokens import tokenise
from core.errors import InvalidInput

LEAST_TEXTS, LEAST_TOKENS = 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``n`` texts of exactly ``tokens`` tokens each."""

    n: int
    tokens: int


def common_terms(sets: Sequence[Sequence[str]], *, share: float = 0.8) -> Terms:
    """The longest length that ``share`` of every set has, and how many texts then remain.

    Shorter texts drop out, so one set's brevity costs all of them length and not number.
    Raises InvalidInput ``too-few-texts`` where a set has fewer than two texts of four tokens.
    """
    lengths = [sorted((len(tokenise(text)) for text in texts), reverse=True) for texts in sets]
    kept = [max(LEAST_TEXTS, int(share * len(one))) for one in lengths]
    tokens = min(
        (one[keep - 1] for one, keep in zip(lengths, kept, strict=True) if len(one) >= keep),
        default=0,
    )
    terms = Terms(
        n=min((sum(length >= tokens for length in one) for one in lengths), default=0),
        tokens=tokens,
    )
    if terms.n < LEAST_TEXTS or terms.tokens < LEAST_TOKENS:
        raise InvalidInput.at(
            "/texts",
            f"every set needs {LEAST_TEXTS} texts of at least {LEAST_TOKENS} tokens",
            code="too-few-texts",
        )
    return terms
