"""Everything in the image has a licence that lets it be passed on with ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PERMISSIVE = re.compile(
    r"(MIT(-0|-CMU)?|BSD|(2|3)-Clause|0BSD|Apache|Python Software Foundation|PSF|Zlib|ISC"
    r"|CC0|MPL.2.0|Unlicense|HPND|CNRI-Python)",
    re.IGNORECASE,
)
KNOWN = {
    # Used through its own interface and replaceable by whoever runs the image.
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    # States no licence in its metadata; its LICENSE file is zlib's.
    "pysqlite3": "UNKNOWN",
}


def locked() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [re.split(r"[\[=]", line)[0] for line in lines if re.match(r"[a-z0-9]", line)]


def licences() -> dict[str, str]:
    program = Path(sys.executable).with_name("pip-licenses")
    command = [program, f"--python={sys.executable}", "--from=mixed", "--format=json"]
    done = subprocess.run(
        [*command, "--packages", *locked()], capture_output=True, text=True, check=True
    )
    return {
        row["Name"].lower().replace("_", "-").replace(".", "-"): row["License"]
        for row in json.loads(done.stdout)
    }


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return licences()


def test_every_locked_package_was_looked_at(found: dict[str, str]) -> None:
    assert set(locked()) - set(found) == set()


def test_every_part_of_a_licence_is_permissive_or_known(found: dict[str, str]) -> None:
    def free(text: str) -> bool:
        return all(PERMISSIVE.search(part) for part in re.split(r"\bAND\b|;", text))

    doubtful = {name: text for name, text in found.items() if not free(text)}
    assert doubtful == KNOWN
