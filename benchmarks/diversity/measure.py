"""Every measure of a set of texts at once, on the same sampled rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.diversity.lexical import compression_ratio, distinct, self_bleu, self_repetition
from benchmarks.diversity.semantic import dispersion, vendi
from benchmarks.diversity.terms import LEAST_TEXTS, LEAST_TOKENS
from benchmarks.diversity.tokens import Tokens, tokenise
from core.errors import InvalidInput
from core.registry import check_option


def diversity(
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    n: int,
    tokens: int,
    rng: np.random.Generator,
) -> Mapping[str, float]:
    """Seven measures of ``n`` sampled texts, each cut to its first ``tokens`` tokens.

    Texts with fewer tokens are no candidates, so that two sets measured with the same ``n``
    and ``tokens`` are equal in number and length. ``vectors`` (len(texts), D) belong to the
    whole texts and need not have unit length.

    Higher is more varied: ``distinct_1``, ``distinct_2``, ``vendi``, ``dispersion``. Higher is
    less varied: ``self_bleu_4``, ``compression_ratio``, ``self_repetition_4``.

    Raises InvalidOption for ``n`` below 2 or ``tokens`` below 4, InvalidInput
    ``unequal-lengths``, ``invalid-vectors`` or ``too-few-texts``.
    """
    check_option("n", n, of=int, least=LEAST_TEXTS)
    check_option("tokens", tokens, of=int, least=LEAST_TOKENS)
    if vectors.ndim != 2 or len(texts) != vectors.shape[0]:
        raise InvalidInput.at(
            "/vectors", "there must be one vector per text", code="unequal-lengths"
        )
    cut = [tokenise(text)[:tokens] for text in texts]
    rows = _sample([len(one) for one in cut], n=n, tokens=tokens, rng=rng)
    return _measures([cut[row] for row in rows], _unit(vectors[rows]))


def _sample(
    lengths: Sequence[int], *, n: int, tokens: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """``n`` rows that are long enough, ascending."""
    candidates = np.flatnonzero(np.asarray(lengths) >= tokens)
    if candidates.size < n:
        raise InvalidInput.at(
            "/texts",
            f"{n} texts of at least {tokens} tokens are needed, there are {candidates.size}",
            code="too-few-texts",
            needed=n,
            found=int(candidates.size),
        )
    return np.sort(rng.choice(candidates, size=n, replace=False))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise InvalidInput.at(
            "/vectors", "vectors must be finite and not zero", code="invalid-vectors"
        )
    unit: NDArray[np.float32] = vectors / lengths
    return unit


def _measures(texts: Sequence[Tokens], vectors: NDArray[np.float32]) -> Mapping[str, float]:
    return {
        "self_bleu_4": self_bleu(texts, 4),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "compression_ratio": compression_ratio(texts),
        "self_repetition_4": self_repetition(texts, 4),
        "vendi": vendi(vectors),
        "dispersion": dispersion(vectors),
    }
