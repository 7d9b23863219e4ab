"""Screens for written variations: they tag every row, and drop next to nothing.

Only exact copies and texts too close to a test row are dropped (they would teach
nothing, or leak the answers); text that cannot be stored goes with them. All other
failures send the row to a reviewer, because filters that drop whatever the learner
dislikes also drop what it most needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.records import LabelClass, Screen
from core.texts import normalise

Corpus: TypeAlias = Literal["training", "pool", "test"]
CORPORA: Final[tuple[Corpus, ...]] = ("training", "pool", "test")
NEAR_JACCARD: Final = 0.7
"""Character 3-grams in common, from which two texts count as near-duplicates."""
SEMANTIC_COSINE: Final = 0.92
CONFIDENT: Final = 0.6
"""Probability above which the learner's other opinion is worth a reviewer's look."""
MAX_CHARS: Final = 20_000
SHORT_SLACK: Final = 40
"""Characters of leeway on the length screen, so that short seeds may grow."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_META = re.compile(
    r"\bas an? (?:ai|artificial|language|large language)\b"
    r"|\bi(?:'m| am) (?:sorry|unable|not able)\b[^.!?]{0,40}\b(?:help with|assist|comply)\b"
    r"|\bi (?:can ?not|can't|won't|will not) (?:help with|help you|assist|comply|provide)\b"
    r"|\b(?:variation|version|rewrite|paraphrase|example|message|option) ?#?\d+ ?[:.)-]"
    r"|\bhere (?:are|is) (?:\w+ ){0,4}(?:variation|version|rewrite|paraphrase|message)s?\b"
    r"|</?data\b|^ ?```|^ ?(?:[-*+] |\d{1,2}[.)] |#{1,6} )|\*\*[^*]{1,80}\*\*",
    re.IGNORECASE | re.MULTILINE,
)
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A row near a candidate; ``cosine`` is between their vectors."""

    id: str
    text: str
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The labelled text that was varied; ``vector`` is its (D,) float32 unit embedding.

    ``also`` are its further classes in a multi-label task.
    """

    id: str
    text: str
    label: LabelClass
    vector: NDArray[np.float32]
    also: tuple[LabelClass, ...] = ()
    multi_label: bool = False

    @property
    def labels(self) -> tuple[LabelClass, ...]:
        return (self.label, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variation with what the caller found out about it.

    ``neighbours`` holds the nearest rows per corpus, in any order. ``exact`` names a row
    per corpus whose normalised text is the same, for rows that have no vector yet.
    ``probabilities`` are the learner's by class id, None before the first model.
    """

    id: str
    text: str
    vector: NDArray[np.float32]
    neighbours: Mapping[Corpus, Sequence[Neighbour]] = field(default_factory=dict)
    exact: Mapping[Corpus, str] = field(default_factory=dict)
    probabilities: Mapping[str, float] | None = None


def screen(candidates: Sequence[Candidate], *, seed: Seed) -> list[tuple[Screen, ...]]:
    """Every screen's result for every candidate, in order; a sibling is an earlier candidate.

    Checks: ``schema``, ``length``, ``meta_text``, ``label_leak``; for each of seed,
    sibling, training, pool and test ``<corpus>_duplicate_exact``, ``..._near`` and
    ``..._semantic``, with the highest similarity as value; ``learner_agreement`` with
    p(label) where there is a model, the lowest of them where there are several labels.
    """
    siblings: list[Candidate] = []
    results = []
    for candidate in candidates:
        results.append(tuple(_screens(candidate, seed=seed, siblings=siblings)))
        siblings.append(candidate)
    return results


def verdict(screens: Sequence[Screen]) -> Literal["keep", "drop"]:
    """Drop exact copies, anything too close to a test row, and text that is no text."""
    failed = {s.check for s in screens if not s.passed}
    hard = {c for c in failed if c.endswith("_exact") or c.startswith("test_") or c == "schema"}
    return "drop" if hard else "keep"


def needs_review(screens: Sequence[Screen]) -> bool:
    """Whether any screen failed."""
    return any(not s.passed for s in screens)


def jaccard(left: str, right: str) -> float:
    """Share of character 3-grams two normalised texts have in common, in [0, 1]."""
    a, b = _trigrams(left), _trigrams(right)
    return len(a & b) / len(a | b)


def _screens(
    candidate: Candidate, *, seed: Seed, siblings: Sequence[Candidate]
) -> Iterator[Screen]:
    text = candidate.text
    yield Screen(check="schema", passed=_is_text(text))
    yield Screen(check="length", passed=_fits(text, seed=seed.text))
    yield Screen(check="meta_text", passed=not _META.search(text) or bool(_META.search(seed.text)))
    yield Screen(check="label_leak", passed=not _leaks(text, seed=seed))
    origin = Neighbour(id=seed.id, text=seed.text, cosine=_cosine(candidate.vector, seed.vector))
    yield from _duplicates("seed", [origin], text=text)
    earlier = [
        Neighbour(id=s.id, text=s.text, cosine=_cosine(candidate.vector, s.vector))
        for s in siblings
    ]
    yield from _duplicates("sibling", earlier, text=text)
    for corpus in CORPORA:
        near = candidate.neighbours.get(corpus, ())
        yield from _duplicates(corpus, near, text=text, exact=candidate.exact.get(corpus))
    if candidate.probabilities is not None and seed.multi_label:
        yield _agreement_of_all(candidate.probabilities, labels={c.id for c in seed.labels})
    elif candidate.probabilities is not None:
        yield _agreement(candidate.probabilities, label=seed.label.id)


def _duplicates(
    corpus: str, rows: Sequence[Neighbour], *, text: str, exact: str | None = None
) -> Iterator[Screen]:
    own = normalise(text)
    theirs = [normalise(row.text) for row in rows]
    copies = [row.id for row, other in zip(rows, theirs, strict=True) if other == own]
    copy = exact or next(iter(copies), None)
    yield Screen(check=f"{corpus}_duplicate_exact", passed=copy is None, match_id=copy)
    shared = [jaccard(own, other) for other in theirs]
    yield _nearest(f"{corpus}_duplicate_near", rows, values=shared, limit=NEAR_JACCARD)
    cosines = [row.cosine for row in rows]
    yield _nearest(f"{corpus}_duplicate_semantic", rows, values=cosines, limit=SEMANTIC_COSINE)


def _nearest(
    check: str, rows: Sequence[Neighbour], *, values: Sequence[float], limit: float
) -> Screen:
    if not rows:
        return Screen(check=check, passed=True)
    at = max(range(len(rows)), key=values.__getitem__)
    failed = values[at] >= limit
    value = round(min(1.0, max(0.0, values[at])), 4)
    return Screen(
        check=check, passed=not failed, value=value, match_id=rows[at].id if failed else None
    )


def _agreement(probabilities: Mapping[str, float], *, label: str) -> Screen:
    top = max(probabilities, key=lambda name: probabilities[name])
    objects = top != label and probabilities[top] > CONFIDENT
    value = round(float(probabilities.get(label, 0.0)), 4)
    return Screen(check="learner_agreement", passed=not objects, value=value)


def _agreement_of_all(probabilities: Mapping[str, float], *, labels: Set[str]) -> Screen:
    """The learner objects where it is confident that a label is gone, or another one there."""
    kept = [p for name, p in probabilities.items() if name in labels]
    added = [p for name, p in probabilities.items() if name not in labels]
    objects = min(kept, default=1.0) < 1 - CONFIDENT or max(added, default=0.0) > CONFIDENT
    value = round(min(probabilities.get(name, 0.0) for name in labels), 4)
    return Screen(check="learner_agreement", passed=not objects, value=value)


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_CHARS and not _FORBIDDEN.search(text)


def _fits(text: str, *, seed: str) -> bool:
    return len(seed) / 2 - SHORT_SLACK / 2 <= len(text) <= 2 * len(seed) + SHORT_SLACK


def _leaks(text: str, *, seed: Seed) -> bool:
    names = {_words(name) for label in seed.labels for name in (label.id, label.name)} - {"  "}
    return any(name in _words(text) and name not in _words(seed.text) for name in names)


def _words(text: str) -> str:
    """Lower-case words with one space around each: ``self-harm`` -> `` self harm ``."""
    return f" {_NOT_WORD.sub(' ', text.casefold()).strip()} "


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def _cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    return float(left @ right)
