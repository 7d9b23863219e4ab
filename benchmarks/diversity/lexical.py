"""Diversity of the words: self-BLEU, distinct-n, compression ratio, self-repetition.

All take token sequences; lengths and numbers must be equal where two sets are compared,
because every one of these measures moves with them (Shaib et al. 2024, arXiv 2403.00553).
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.diversity.tokens import NGram, Tokens, ngrams

NO_MATCH = 0.1
"""Matches counted for an order that has none (Chen and Cherry 2014, method 1)."""


def distinct(texts: Sequence[Tokens], order: int) -> float:
    """Different n-grams / all n-grams of the set, in (0, 1]; higher = more varied.

    Li et al. 2016, arXiv 1510.03055. 0 where no text is long enough.
    """
    found = [gram for tokens in texts for gram in ngrams(tokens, order)]
    return len(set(found)) / len(found) if found else 0.0


def compression_ratio(texts: Sequence[Tokens]) -> float:
    """Bytes / compressed bytes of the set as one document; higher = more repetitive.

    Shaib et al. 2024. DEFLATE at its best level, texts joined by line breaks.
    """
    document = "\n".join(" ".join(tokens) for tokens in texts).encode()
    return len(document) / len(zlib.compress(document, 9))


def self_repetition(texts: Sequence[Tokens], order: int) -> float:
    """Mean over texts of ln(1 + sum over its n-grams of the other texts that have it).

    Salkar et al. 2022 (2022.aacl-short.42), at least 0; higher = more repetitive.
    """
    grams = [set(ngrams(tokens, order)) for tokens in texts]
    having = Counter(gram for one in grams for gram in one)
    return sum(math.log1p(sum(having[gram] - 1 for gram in one)) for one in grams) / len(texts)


def self_bleu(texts: Sequence[Tokens], order: int) -> float:
    """Mean BLEU of each text against all others, in [0, 1]; higher = more alike.

    Zhu et al. 2018 (arXiv 1802.01886), with equal weights for n-grams up to ``order`` and
    method 1 smoothing. The texts must have one length of at least ``order`` tokens, so there
    is no brevity penalty.
    """
    orders = [Repeats.among(texts, size) for size in range(1, order + 1)]
    return sum(_bleu(index, orders) for index in range(len(texts))) / len(texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How often each text has each n-gram, and how often the other texts have it at most.

    ``most`` holds (highest count, its text, highest count of any other text), so that one
    pass over the set answers for every text what the rest would allow.
    """

    counts: Sequence[Mapping[NGram, int]]
    most: Mapping[NGram, tuple[int, int, int]]

    @classmethod
    def among(cls, texts: Sequence[Tokens], order: int) -> Repeats:
        """Count the n-grams of ``order`` tokens in a set of texts; one pass over them."""
        counts = [Counter(ngrams(tokens, order)) for tokens in texts]
        most: dict[NGram, tuple[int, int, int]] = {}
        for owner, counter in enumerate(counts):
            for gram, count in counter.items():
                first, holder, second = most.get(gram, (0, owner, 0))
                if count > first:
                    most[gram] = (count, owner, first)
                else:
                    most[gram] = (first, holder, max(second, count))
        return cls(counts=counts, most=most)

    def precision(self, index: int) -> tuple[int, int]:
        """(n-grams of the text that another text allows, all its n-grams)."""
        matches = 0
        for gram, count in self.counts[index].items():
            first, holder, second = self.most[gram]
            matches += min(count, second if holder == index else first)
        return matches, sum(self.counts[index].values())


def _bleu(index: int, orders: Sequence[Repeats]) -> float:
    precisions = [repeats.precision(index) for repeats in orders]
    if precisions[0][0] == 0:
        return 0.0
    logs = [math.log((matches or NO_MATCH) / total) for matches, total in precisions]
    return math.exp(sum(logs) / len(logs))
