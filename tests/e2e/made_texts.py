"""As many distinct short texts as a test wants, in long-tailed classes; no real words of anyone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product
from typing import Any

import numpy as np

SUBJECTS = {
    "garden": ("roses", "soil", "seedlings", "compost", "bulbs", "hedges", "moss", "lawns"),
    "kitchen": ("bread", "flour", "yeast", "dough", "crusts", "ovens", "pastry", "honey"),
    "harbour": ("boats", "anchors", "sails", "tides", "rigging", "hulls", "buoys", "nets"),
    "railway": ("trains", "signals", "sleepers", "platforms", "engines", "bridges", "fares"),
    "music": ("violins", "scales", "drums", "choirs", "flutes", "rhythms", "tuning", "bows"),
    "weather": ("storms", "frost", "clouds", "gusts", "drizzle", "thunder", "fog", "hail"),
}
SHARES = (0.34, 0.26, 0.17, 0.11, 0.07, 0.05)
FRAMES = (
    "what do you make of {0} and {1}?",
    "my uncle swears by {0}, never by {1}",
    "somebody here knows about {0} or {1}",
    "{0} again, and after that {1}",
    "do {0} last longer than {1} in winter?",
    "a word on {0}, with a thought for {1}",
    "how much are {0} beside good {1}?",
    "I gave up on {0} when the {1} came",
    "tell me why {0} go with {1}",
    "we sold our {0} and bought {1}",
)


def task() -> dict[str, Any]:
    """The label schema of these texts."""
    return {"labels": [{"id": name, "name": name.title()} for name in SUBJECTS]}


def rows(count: int, *, split: str, seed: int) -> list[dict[str, Any]]:
    """``count`` rows for POST /items, shuffled; another seed gives other texts."""
    rng = np.random.default_rng(seed)
    found = []
    for name, share in zip(SUBJECTS, SHARES, strict=True):
        texts = _texts(SUBJECTS[name], seed=seed)
        found += [(name, text) for text in islice(texts, max(1, round(share * count)))]
    return [
        {
            "external_id": f"{split}-{seed}-{number}",
            "text": found[at][1],
            "split": split,
            "gold": found[at][0],
        }
        for number, at in enumerate(rng.permutation(len(found)))
    ]


def _texts(words: Sequence[str], *, seed: int) -> Any:
    """Frames filled with pairs of words; the seed is part of each text, as a place."""
    pairs = [(a, b) for a, b in product(words, words) if a != b]
    for frame, (first, second) in product(FRAMES, pairs):
        yield f"{frame.format(first, second)} (row {seed})"
