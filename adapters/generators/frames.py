"""Frames: a seed with a few words cut out, and the sentences assembled from new fillings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_SLOTS: Final = 4
WORDS_PER_SLOT: Final = 4
MAX_FILLING_CHARS: Final = 80
MIN_CONTENT_CHARS: Final = 4

_TOKEN = re.compile(r"\w+(?:['’]\w+)*")
_FUNCTION_WORDS: Final = """
about after again against also always because been before being could couldn't did didn't does
doesn't doing don't down during each else even ever every from have haven't having here into
just like more most much must never nobody none nothing only other over please really same
should shouldn't some such than that that's their them then there these they they're this
those through under until very want wants was wasn't were what when where which while will
with without won't would since wouldn't your yours
"""
_KEPT: Final = frozenset(_FUNCTION_WORDS.split())
"""Words that carry the sentence (or its denial) and are never cut out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """``parts`` are the fixed stretches around ``words``: one more of them than of words."""

    parts: tuple[str, ...]
    words: tuple[str, ...]

    def shown(self) -> str:
        """The frame as a model sees it, slots numbered from 1 as ``[1]``."""
        filled = [f"{part}[{n}]" for n, part in enumerate(self.parts[:-1], 1)]
        return "".join(filled) + self.parts[-1]

    def assemble(self, fillings: Sequence[object]) -> str | None:
        """The sentence with these fillings; None where they do not fit the slots.

        A filling is one line of at most ``MAX_FILLING_CHARS`` characters, and it is put in
        as it is: brackets inside it are text.
        """
        clean = [f.strip() for f in fillings if isinstance(f, str)]
        fits = len(clean) == len(fillings) == len(self.words)
        if not fits or not all(_is_filling(f) for f in clean):
            return None
        pairs = zip(self.parts, clean, strict=False)
        return "".join(part + filling for part, filling in pairs) + self.parts[-1]


def frame_of(text: str) -> Frame:
    """Cut up to ``MAX_SLOTS`` content words out of a text, spread evenly over it.

    A text without content words is one slot as a whole.
    """
    words = [m for m in _TOKEN.finditer(text) if _is_content(m[0])]
    if not words:
        return Frame(parts=("", ""), words=(text,))
    wanted = min(MAX_SLOTS, len(words), 1 + len(_TOKEN.findall(text)) // WORDS_PER_SLOT)
    chosen = [words[i * len(words) // wanted] for i in range(wanted)]
    edges = [0, *(edge for m in chosen for edge in m.span()), len(text)]
    parts = tuple(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))
    return Frame(parts=parts, words=tuple(m[0] for m in chosen))


def _is_content(word: str) -> bool:
    return len(word) >= MIN_CONTENT_CHARS and word.casefold().replace("’", "'") not in _KEPT


def _is_filling(text: str) -> bool:
    return 0 < len(text) <= MAX_FILLING_CHARS and text.isprintable()
