"""One normal form for texts, and the hash under which two texts count as the same."""

from __future__ import annotations

import hashlib
import unicodedata


def normalise(text: str) -> str:
    """NFKC, case-folded, every run of white space one blank, none at the ends.

    Two rounds, because folding can undo the normal form and the other way round
    (Unicode definition D146); the result is its own normal form.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def text_hash(text: str) -> str:
    """Hex sha256 of the normal form; lone surrogates are hashed, not refused."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()
