"""A study that was run again beside its stored summary."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.report.rerun import compare
from benchmarks.statistics import summarise, to_json
from core.errors import InvalidInput
from runtime.cli import tailwise
from tests.synthetic_study import experiment, study


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    asked = experiment(seeds=3, datasets=("edos5", "sms_spam"))
    runs, truths, facts = study(asked)
    return summarise(asked, runs, truths=truths, datasets=facts)


def written(path: Path, summary: dict[str, Any]) -> Path:
    path.write_text(to_json(summary))
    return path


def test_a_rerun_to_the_byte_is_one_line(tmp_path: Path, summary: dict[str, Any]) -> None:
    both = [written(tmp_path / name, summary) for name in ("mine.json", "theirs.json")]
    assert compare(both) == ["strategies: the same bytes"]


def test_what_differs_is_counted_and_measured(tmp_path: Path, summary: dict[str, Any]) -> None:
    own, other = copy.deepcopy(summary), copy.deepcopy(summary)
    final = other["cells"]["edos5"]["tail"]["final"]
    final["macro_f1"][1] += 0.002
    final["std"][0] = None
    final["facts"]["transfer.svm"] = [0.25, 0.5, 0.5]
    own["cells"]["edos5"]["tail"]["final"]["facts"]["transfer.svm"] = [0.5, 0.5, 0.5]
    mine = written(tmp_path / "mine.json", own)
    theirs = written(tmp_path / "theirs.json", other)
    answer = CliRunner().invoke(tailwise, ["benchmark", "compare", str(mine), str(theirs)])
    assert answer.exit_code == 0
    lines = answer.output.splitlines()
    assert lines[0] == "strategies: other bytes"
    assert "macro_f1: 1 of 60 runs differ, by at most 0.002000" in lines
    assert any(line.startswith("std: 1 of 60 runs differ") for line in lines)
    assert lines[-1] == "transfer.svm: 1 of 3 runs differ, by at most 0.250000"
    assert "weighted_f1: all 60 runs alike" in lines


def test_a_fact_that_only_one_side_has_is_counted(tmp_path: Path, summary: dict[str, Any]) -> None:
    other = copy.deepcopy(summary)
    facts = other["cells"]["edos5"]["margin"]["final"]["facts"]
    facts["dollars"] = [0.1, 0.2, 0.3]
    paths = [written(tmp_path / "a.json", summary), written(tmp_path / "b.json", other)]
    line = "dollars: 3 of 3 runs differ, on one side only"
    assert compare(paths)[-1] == compare(paths[::-1])[-1] == line


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: s.update(seeds=2), "seeds"),
        (lambda s: s.update(experiment_sha256="1" * 64), "experiment_sha256"),
        (lambda s: s["cells"].pop("edos5"), "edos5"),
        (lambda s: s["cells"]["edos5"].pop("margin"), "margin"),
    ],
)
def test_summaries_of_different_experiments_are_refused(
    tmp_path: Path, summary: dict[str, Any], change: Any, word: str
) -> None:
    other = json.loads(to_json(summary))
    change(other)
    both = [written(tmp_path / "a.json", summary), written(tmp_path / "b.json", other)]
    with pytest.raises(InvalidInput, match=word) as caught:
        compare(both)
    assert caught.value.code == "other-experiment"
