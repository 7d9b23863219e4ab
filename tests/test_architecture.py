"""The size and naming rules that a linter does not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "core", "oracle", "adapters", "runtime", "benchmarks")
FILE_LINES = 300
FUNCTION_LINES = 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "manager", "base", "misc"}
CONTRACTS = {"core/ports.py", "core/records.py", "core/requests.py", "runtime/tailwise.py"}
"""Lists of what exists, one entry after the other; longer, but read by looking up."""
CLIENT = ROOT / "clients" / "python" / "src" / "tailwise_client"


def sources() -> list[Path]:
    folders = [*(ROOT / name for name in PACKAGES), CLIENT]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    return [path for path in files if "versions" not in path.parts]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, lines of code without the docstring) of every function in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        yield node.name, lines


def test_files_stay_short() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources()}
    long = {name: n for name, n in lengths.items() if n > FILE_LINES and name not in CONTRACTS}
    assert long == {}


def test_functions_stay_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in sources()
        for name, lines in functions(path)
        if lines > FUNCTION_LINES
    }
    assert long == {}


def test_every_module_opens_with_a_sentence() -> None:
    missing = [str(p) for p in sources() if not ast.get_docstring(ast.parse(p.read_text()))]
    assert missing == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in sources() if path.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_folders_of_the_map_exist(package: str) -> None:
    assert (ROOT / package / "__init__.py").exists()
