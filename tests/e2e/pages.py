"""Pages of the documentation as tests read them: fenced blocks, and the commands they name."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "clients" / "python" / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)(```+)([^\n`]*)\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
NOT_RUN = "no-run"
BIN = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block; ``marks`` are the words after its language."""

    language: str
    marks: frozenset[str]
    code: str


def name_of(page: Path) -> str:
    """``quickstart.md`` for a page of docs/, the path from the root for others."""
    return str(page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT))


def blocks(page: Path) -> list[Block]:
    """Every fenced block of the page, in order."""
    made = []
    for _, _, info, code in FENCE.findall(page.read_text("utf-8")):
        language, *marks = info.split() or [""]
        made.append(Block(language=language, marks=frozenset(marks), code=code))
    return made


def program(page: Path, language: str) -> str:
    """The page's blocks of one language one after the other, without what is marked."""
    return "\n".join(b.code for b in blocks(page) if b.language == language and not b.marks)


def commands(page: Path) -> Iterator[str]:
    """What the page says to type in a shell session: lines after ``$``, or in bare blocks."""
    for block in blocks(page):
        code = re.sub(r"\\\n\s*", " ", block.code)
        if block.language == "console":
            yield from re.findall(r"^\$ (.+)", code, re.MULTILINE)
        elif not block.language:
            yield from re.findall(r"^(?:\$ )?((?:tailwise|make|pip) .+)", code, re.MULTILINE)


def words(command: str) -> list[list[str]]:
    """The words of each simple command, without variables set in front and comments."""
    tokens = shlex.shlex(command, posix=True, punctuation_chars=";&|")
    tokens.whitespace_split = True
    tokens.commenters = "#"
    parts: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= set(";&|"):
            parts.append([])
        elif parts[-1] or not re.match(r"[A-Z_]+=", token):
            parts[-1].append(token)
    return [part for part in parts if part]
