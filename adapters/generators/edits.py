"""Small edits of a message, each a pure function of its words and of chance."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias, TypeVar

import numpy as np

T = TypeVar("T")
Words: TypeAlias = tuple[str, ...]
Edit: TypeAlias = Callable[[Words, np.random.Generator], Words]
"""Returns its input where it has nothing to do."""

KEPT: Final = frozenset(["no", "not", "never", "none", "nobody", "nothing", "without", "cannot"])
"""Words that turn a meaning round: never dropped, moved or misspelt."""
FILLERS: Final = ("honestly", "well", "I mean", "you know", "to be fair", "so", "anyway", "look")
OPENERS: Final = ("Hi,", "Hello,", "Hey,", "Excuse me,", "Sorry to bother you,", "Quick one:")
CLOSERS: Final = ("Thanks.", "Thank you.", "Any ideas?", "Please.", "Thanks in advance.")
CONTRACTIONS: Final = (
    ("I am", "I'm"),
    ("I have", "I've"),
    ("I will", "I'll"),
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("did not", "didn't"),
    ("cannot", "can't"),
    ("can not", "can't"),
    ("will not", "won't"),
    ("is not", "isn't"),
    ("are not", "aren't"),
    ("was not", "wasn't"),
    ("it is", "it's"),
    ("that is", "that's"),
    ("they are", "they're"),
    ("we are", "we're"),
    ("you are", "you're"),
    ("what is", "what's"),
)

_MIN_DROP_WORDS: Final = 5
_MIN_TYPO_CHARS: Final = 4


def swap_neighbours(words: Words, rng: np.random.Generator) -> Words:
    """Exchange two adjacent words."""
    free = [i for i in range(len(words) - 1) if _is_free(words[i]) and _is_free(words[i + 1])]
    if not free:
        return words
    at = _pick(free, rng)
    return (*words[:at], words[at + 1], words[at], *words[at + 2 :])


def move_clause(words: Words, rng: np.random.Generator) -> Words:
    """Put what follows a comma first: ``when it rains, I stay`` -> ``I stay when it rains,``."""
    commas = [i for i, word in enumerate(words[:-1]) if word.endswith(",")]
    if not commas:
        return words
    at = _pick(commas, rng) + 1
    return (*words[at:], *words[:at])


def drop_word(words: Words, rng: np.random.Generator) -> Words:
    """Leave one word out of a long enough text."""
    free = [i for i, word in enumerate(words) if _is_free(word)]
    if len(words) < _MIN_DROP_WORDS or not free:
        return words
    at = _pick(free, rng)
    return (*words[:at], *words[at + 1 :])


def misspell(words: Words, rng: np.random.Generator) -> Words:
    """Swap, double or lose one letter inside a word; short texts double their last one."""
    free = [i for i, word in enumerate(words) if len(word) >= _MIN_TYPO_CHARS and _is_free(word)]
    if not free:
        return (*words[:-1], words[-1] + words[-1][-1]) if words else words
    at = _pick(free, rng)
    word, cut = words[at], int(rng.integers(1, len(words[at]) - 2))
    slips = (
        word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :],
        word[:cut] + word[cut] + word[cut:],
        word[:cut] + word[cut + 1 :],
    )
    return (*words[:at], _pick(slips, rng), *words[at + 1 :])


def change_case(words: Words, rng: np.random.Generator) -> Words:
    """Everything in lower case, or one word shouted."""
    if rng.random() < 1 / 2 or not words:
        return tuple(word.lower() for word in words)
    at = int(rng.integers(len(words)))
    return (*words[:at], words[at].upper(), *words[at + 1 :])


def contract(words: Words, rng: np.random.Generator) -> Words:
    """Contract a phrase, or write a contraction out."""
    text = " ".join(words)
    pairs = [pair for long, short in CONTRACTIONS for pair in ((long, short), (short, long))]
    found = [pair for pair in pairs if re.search(rf"\b{re.escape(pair[0])}\b", text)]
    if not found:
        return words
    old, new = _pick(found, rng)
    return tuple(re.sub(rf"\b{re.escape(old)}\b", new, text, count=1).split())


def add_filler(words: Words, rng: np.random.Generator) -> Words:
    """Put in a word that people say without meaning much."""
    at = int(rng.integers(len(words) + 1))
    return (*words[:at], *_pick(FILLERS, rng).split(), *words[at:])


def repunctuate(words: Words, rng: np.random.Generator) -> Words:
    """End otherwise."""
    if not words:
        return words
    bare = words[-1].rstrip(".!?… ")
    return (*words[:-1], bare + _pick(("", ".", "!", "...", "!!", " :("), rng))


def be_polite(words: Words, rng: np.random.Generator) -> Words:
    """Greet first or thank last."""
    if rng.random() < 1 / 2:
        return (*_pick(OPENERS, rng).split(), *words)
    return (*words, *_pick(CLOSERS, rng).split())


def use_synonym(words: Words, rng: np.random.Generator) -> Words:
    """Exchange one word for a synonym, in the same case and between the same marks."""
    known = [i for i, word in enumerate(words) if _bare(word) in synonyms()]
    if not known:
        return words
    at = _pick(known, rng)
    old, bare = words[at], _bare(words[at])
    new = _pick(synonyms()[bare], rng)
    start = old.lower().index(bare)
    new = new.capitalize() if old[start].isupper() else new
    new = old[:start] + new + old[start + len(bare) :]
    return (*words[:at], *new.split(), *words[at + 1 :])


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """Word to its stand-ins, from the table beside this module."""
    text = files(__package__).joinpath("synonyms.toml").read_text(encoding="utf-8")
    return {word: tuple(others) for word, others in tomllib.loads(text).items()}


ANY_LANGUAGE: Final[tuple[Edit, ...]] = (
    swap_neighbours,
    move_clause,
    drop_word,
    misspell,
    change_case,
    repunctuate,
)
ENGLISH: Final[tuple[Edit, ...]] = (contract, add_filler, be_polite, use_synonym, use_synonym)
"""Synonyms stand twice because they change most while changing the meaning least."""


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()").lower()


def _is_free(word: str) -> bool:
    bare = _bare(word).replace("’", "'")
    return bare not in KEPT and not bare.endswith("n't")


def _pick(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]
