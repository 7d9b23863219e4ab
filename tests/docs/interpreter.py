"""Runs blocks of Python in one namespace: the other end of ``tests.docs.terminal.Interpreter``.

Blocks come as JSON lines on one descriptor, and for each a line goes back on another, so that
the standard streams are the program's own.
"""

from __future__ import annotations

import json
import os
import sys

names: dict[str, object] = {"__name__": "__main__"}
asked, told = (int(word) for word in sys.argv[1:3])
with os.fdopen(asked) as questions, os.fdopen(told, "w", buffering=1) as replies:
    for question in questions:
        exec(compile(json.loads(question), "page", "exec"), names)
        sys.stdout.flush()
        print("done", file=replies)
