"""The commands of the queue's page, typed as they are written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running import running

PAGE = Path(__file__).parent.parent.parent / "docs" / "queue.md"


@pytest.mark.slow
def test_the_queue_runs_as_it_is_written(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with running(tmp_path / "data") as server:
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "\n".join(blocks)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "TAILWISE_URL": server.url,
                "TAILWISE_API_KEY": server.token,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    *said, back, waiting = done.stdout.split()
    assert said == ["5", "en", "1", "asg_", "None", "all_leased", "excluded"]
    assert back in {"selected", "pooled"}  # pooled where chance made it the check item
    assert waiting == "0"
