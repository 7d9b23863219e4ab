"""No library may report its use from our processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
from runtime.settings import load_settings
load_settings({})
import numpy, onnxruntime
onnxruntime.SessionOptions()
"""


def test_onnxruntime_leaves_no_session_file_after_our_settings(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", CODE],
        env={**kept, "TMPDIR": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert list(tmp_path.iterdir()) == []
