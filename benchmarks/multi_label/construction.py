"""Multi-label messages out of single-label texts, by hash and without a random generator."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmarks.datasets.rows import Row
from core.records import Labels
from core.texts import text_hash

SALT = "tailwise multi-label 1"
TWO_LABELS_SHARE, LENGTHENED_SHARE, MOST_OF_NONE = 0.5, 0.25, 0.5
POOL_SHARE = 0.8
ENDS = frozenset(".!?…")

RULE = (
    "On each side by itself, texts are put in the order of a salted SHA-256 of their normalised"
    " form. Of the first half of the texts with a label, each waits for the next one of another"
    " class and becomes one message with it, 'A. B', with both labels. Where a class means none of"
    " the labels, the next quarter of the texts with a label are followed by a text of that class,"
    " for at most half of its texts, so that a long message need not have two labels. The others,"
    " and those that waited in vain, stay as they are. Every text is in one message. Only the"
    " reserve, which stands in for a writer, is used again: each text alone, and for every two"
    " classes their texts two by two in that order."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text with its labels, sorted; () = none of them."""

    text: str
    labels: Labels


def combine(rows: Iterable[Row], *, none: str | None) -> list[Message]:
    """Messages of one side, each text in exactly one of them; pairs first, then the rest.

    ``none`` is the class that adds no label. See RULE.
    """
    ordered = _ordered(rows)
    labelled = [row for row in ordered if row.label != none]
    empty = [row for row in ordered if row.label == none]
    half = round(TWO_LABELS_SHARE * len(labelled))
    pairs, alone = _paired(labelled[:half])
    rest = labelled[half:]
    size = min(round(LENGTHENED_SHARE * len(labelled)), int(MOST_OF_NONE * len(empty)))
    pairs += zip(rest[:size], empty[:size], strict=True)
    alone += rest[size:] + empty[size:]
    together = [_message(*pair, none=none) for pair in pairs]
    return together + [_message(row, none=none) for row in alone]


def _paired(rows: Sequence[Row]) -> tuple[list[tuple[Row, Row]], list[Row]]:
    """Each row with the next free one of another class, and the rows that found none."""
    waiting: deque[Row] = deque()
    pairs = []
    for row in rows:
        if waiting and waiting[0].label != row.label:
            pairs.append((waiting.popleft(), row))
        else:
            waiting.append(row)
    return pairs, list(waiting)


def combine_reserve(rows: Iterable[Row], *, none: str | None) -> list[Message]:
    """Every reserve text alone and, for every two classes, their texts two by two; messages
    without a label are left out, because nobody varies them."""
    ordered = _ordered(rows)
    by_class = {c: [r for r in ordered if r.label == c] for c in sorted({r.label for r in ordered})}
    pairs = [
        pair
        for one, other in combinations(by_class, 2)
        for pair in zip(by_class[one], by_class[other], strict=False)
    ]
    made = [_message(row, none=none) for row in ordered]
    made += [_message(one, other, none=none) for one, other in pairs]
    return [message for message in made if message.labels]


def drawn(pool: Sequence[Message], *, seed: int) -> list[Message]:
    """The share of the pool that this seed has: the lowest hashes, salted with the seed."""
    size = round(POOL_SHARE * len(pool))
    return sorted(pool, key=lambda m: _salted(m.text, f"{SALT} seed {seed}"))[:size]


def label_counts(messages: Sequence[Message], classes: Labels) -> dict[str, object]:
    """Messages in all, by number of labels, and by class."""
    sizes = Counter(len(m.labels) for m in messages)
    named = Counter(c for m in messages for c in m.labels)
    return {
        "messages": len(messages),
        "by_number_of_labels": {str(n): sizes[n] for n in (0, 1, 2)},
        "by_class": {c: named[c] for c in classes},
    }


def _message(*rows: Row, none: str | None) -> Message:
    labels = {row.label for row in rows} - {none}
    return Message(text=_joined([row.text for row in rows]), labels=tuple(sorted(labels)))


def _joined(texts: Sequence[str]) -> str:
    """Two texts with a full stop between them, unless the first ends a sentence already."""
    *before, last = (text.strip() for text in texts)
    return "".join(f"{t} " if t[-1:] in ENDS else f"{t}. " for t in before) + last


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (_salted(row.text, SALT), row.text))


def _salted(text: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{text_hash(text)}".encode("ascii")).hexdigest()
