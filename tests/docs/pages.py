"""Pages of the documentation as tests read them: fenced blocks, and the steps that they tell."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CLIENT_README = ROOT / "clients" / "python" / "README.md"
PAGES = [ROOT / "README.md", CLIENT_README, *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)(```+)([^\n`]*)\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
BIN = Path(sys.executable).parent
PROGRAMS = ("bash", "python", "console")
ANSWERS = ("text", "json")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block; ``marks`` are the words after its language.

    ``follows`` says that nothing but white space lies between it and the block before.
    """

    language: str
    marks: frozenset[str]
    code: str
    follows: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something to type, and what the page shows as its answer ("" where it shows nothing).

    ``language`` is bash or python for a whole block, console for one command after ``$``.
    """

    language: str
    code: str
    answer: str = ""
    answered_as: str = "text"


def name_of(page: Path) -> str:
    """``quickstart.md`` for a page of docs/, the path from the root for others."""
    return str(page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT))


def page_of(name: str) -> Path:
    """The page with that name."""
    return next(page for page in PAGES if name_of(page) == name)


def blocks(page: Path) -> list[Block]:
    """Every fenced block of the page, in order."""
    made: list[Block] = []
    text, end = page.read_text("utf-8"), 0
    for found in FENCE.finditer(text):
        language, *marks = found[3].split() or [""]
        follows = bool(made) and not text[end : found.start()].strip()
        made.append(
            Block(language=language, marks=frozenset(marks), code=found[4], follows=follows)
        )
        end = found.end()
    return made


def program(page: Path, language: str) -> str:
    """The page's blocks of one language one after the other, without what is marked."""
    return "\n".join(b.code for b in blocks(page) if b.language == language and not b.marks)


def steps(page: Path) -> list[Step]:
    """What a reader types from top to bottom."""
    made: list[Step] = []
    for block in blocks(page):
        if block.language == "console":
            made += _commands(block.code)
        elif not block.language:
            typed = re.findall(r"^(?:tailwise|make|pip) .+", block.code, re.MULTILINE)
            made += [Step(language="console", code=line) for line in typed]
        elif block.language in PROGRAMS and not block.marks:
            made.append(Step(language=block.language, code=block.code))
        elif block.language in ANSWERS and block.follows and made and not made[-1].answer:
            last = made.pop()
            made.append(
                Step(
                    language=last.language,
                    code=last.code,
                    answer=block.code,
                    answered_as=block.language,
                )
            )
    return made


def _commands(code: str) -> Iterator[Step]:
    """The commands of a shell session, each with the lines that follow it."""
    for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, _, answer = re.sub(r"\\\n\s*", " ", part).partition("\n")
        yield Step(language="console", code=command.strip(), answer=answer)


def bare(command: str) -> str:
    """The command without its comment and with single blanks."""
    return " ".join(re.sub(r"\s#\s.*", "", command).split())


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
