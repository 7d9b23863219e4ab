"""Words and n-grams as the lexical measures count them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

Tokens: TypeAlias = tuple[str, ...]
NGram: TypeAlias = tuple[str, ...]

_TOKEN = re.compile(r"\w+|[^\w\s]")


def tokenise(text: str) -> Tokens:
    """Lower-case words and single punctuation marks, in order.

    A run of characters without spaces (as in Chinese) is one word.
    """
    return tuple(_TOKEN.findall(text.lower()))


def ngrams(tokens: Sequence[str], order: int) -> list[NGram]:
    """Every run of ``order`` tokens; none where the text is shorter."""
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))
