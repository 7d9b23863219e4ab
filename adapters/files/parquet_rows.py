"""Rows of a Parquet file, parsed in a child process that hostile bytes may kill.

A damaged footer can end the parser's whole process, past every ``except``; so it has
one of its own, without our environment and with a bounded memory.
"""

from __future__ import annotations

import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from adapters.files.limits import Limits
from adapters.files.unpacking import unreadable
from core.errors import FieldError, InvalidInput
from core.requests import ImportRequest

ROOT = str(Path(__file__).parents[2])
START = "import sys; sys.path.insert(0, sys.argv[1]); from adapters.files import parquet_rows as p"
Rows = Iterator[tuple[int, Mapping[str, Any] | InvalidInput]]


def parquet_rows(stream: BinaryIO, request: ImportRequest, *, limits: Limits) -> Rows:
    """(row number from 1, row by field, or why it cannot be read).

    Raises InvalidInput ``unreadable-file``, ``missing-column``, ``wrong-column-type``
    and ``row-group-too-large``.
    """
    with _on_disk(stream) as file, _child(file, request, limits=limits) as answers:
        for line in answers:
            number, row, error = json.loads(line)
            if number is None and error is not None:
                raise _refusal(error)
            if number is None:
                return
            yield number, row if error is None else _refusal(error)
    raise unreadable("the Parquet file is damaged")


def answer() -> None:
    """The child: rows of standard input's file as JSON lines, then ``[null, null, null]``."""
    request, limits = (json.loads(argument) for argument in sys.argv[2:4])
    allowed = Limits(**limits)
    resource.setrlimit(resource.RLIMIT_AS, (allowed.parser_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed.parser_seconds,) * 2)
    from adapters.files.parquet_parsing import parse  # noqa: PLC0415 -- heavy, and only here

    try:
        for number, row in parse(sys.stdin.buffer, ImportRequest(**request), limits=allowed):
            if isinstance(row, InvalidInput):
                _say(number, None, _document(row))
            else:
                _say(number, row, None)
    except InvalidInput as error:
        _say(None, None, _document(error))
    else:
        _say(None, None, None)
    sys.stdout.flush()


def _say(*parts: Any) -> None:
    sys.stdout.write(json.dumps(parts) + "\n")


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """Parquet is read from its end, by another process: it needs a file of its own."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        file.seek(0)
        yield file


@contextmanager
def _child(
    file: IO[bytes], request: ImportRequest, *, limits: Limits
) -> Iterator[io.BufferedReader]:
    arguments = [ROOT, json.dumps(asdict(request)), json.dumps(asdict(limits))]
    command = [sys.executable, "-I", "-c", f"{START}; p.answer()", *arguments]
    child = subprocess.Popen(  # noqa: S603 -- our own interpreter and code, no shell
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
    )
    try:
        yield cast("io.BufferedReader", child.stdout)
    finally:
        child.kill()
        child.communicate()


def _document(error: InvalidInput) -> dict[str, Any]:
    fields = [asdict(found) for found in error.errors]
    return {"code": error.code, "detail": error.detail, "errors": fields, "extras": error.extras}


def _refusal(document: Mapping[str, Any]) -> InvalidInput:
    return InvalidInput(
        document["detail"],
        code=document["code"],
        errors=[FieldError(**found) for found in document["errors"]],
        extras=document["extras"],
    )
