"""Arms that a paid generator writes for: a key that stays hidden, a limit, and an estimate."""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.datasets.opening import open_dataset
from benchmarks.evidence.cells import Folders, check_arms
from benchmarks.evidence.command import RunOptions, run
from benchmarks.evidence.estimating import arm_costs, check_spending
from benchmarks.evidence.experiment import experiment_of, load_experiment, with_seeds
from benchmarks.evidence.paying import NOBODY, CellPurse, Provider
from benchmarks.evidence.storage import run_key
from core.errors import Conflict, InvalidInput
from tests import messages_server as server
from tests.messages_server import KEY, Handler, messages_server
from tests.unit.benchmarks.evidence.made_study import NO_ENCODER, dataset, write_csv

ROOT = Path(__file__).parents[4]
PAID_FILE = ROOT / "benchmarks" / "experiments" / "paid" / "templates_anthropic.toml"
PRICE_OF_ONE = (700 * 0.10 + 300 * 0.50) / 1e6
WRITES = {"name": "anthropic", "model": "claude-haiku-5-5"}
FILE = """
datasets = ["topics.csv"]
baseline = "copy"
[budget]
start = 12
batch = 8
rounds = 1
dollars = {dollars}
[seeds]
count = 1
[base]
encoder = "hashing"
[[arms]]
name = "copy"
generator = "copy"
[[arms]]
name = "written"
generator = {{ name = "anthropic", model = "claude-haiku-5-5" }}
"""


def fresh(handler: Handler) -> None:
    """Three texts that no other answer has."""
    number = len(handler.fake.requests)
    texts = [f"a {word} note number {number}" for word in ("first", "second", "third")]
    handler.json(200, server.message(server.variations(texts)))


def dear(handler: Handler) -> None:
    """An answer whose bill is ten dollars."""
    usage = {"input_tokens": 20_000_000, "output_tokens": 0}
    handler.json(200, server.message(server.variations(["one note"]), usage=usage))


def asked(tmp_path: Path, *, url: str = "", dollars: float = 1.0, **more: Any) -> tuple[int, str]:
    """(exit code, what was printed)."""
    write_csv(tmp_path / "topics.csv")
    path = tmp_path / "made.toml"
    path.write_text(FILE.format(dollars=dollars))
    options = RunOptions(
        experiments=[path],
        folders=Folders(datasets=None, cache=tmp_path / "cache", encoder=NO_ENCODER),
        results=tmp_path / "results",
        workers=1,
        **{"provider": Provider(key=KEY, url=url), **more},
    )
    printed = io.StringIO()
    code = run(options, console=Console(file=printed, highlight=False, soft_wrap=True))
    return code, printed.getvalue()


def stored(tmp_path: Path) -> dict[str, dict[str, Any]]:
    runs = [
        json.loads(p.read_bytes())["run"]
        for p in (tmp_path / "cache" / "runs").rglob("*")
        if p.is_file()
    ]
    return {run["arm"]: run for run in runs}


def document(**more: Any) -> dict[str, Any]:
    return {
        "datasets": ["topics"],
        "baseline": "written",
        "budget": {"dollars": 3},
        "seeds": {"count": 3},
        "arms": [{"name": "written", "generator": WRITES}],
        **more,
    }


def test_a_paid_run_writes_pays_and_leaves_no_trace_of_the_key(tmp_path: Path) -> None:
    with messages_server(fresh) as fake:
        code, printed = asked(tmp_path, url=fake.url)
        calls = len(fake.requests)
    assert code == 0, printed
    written = stored(tmp_path)["written"]
    assert calls > 5
    assert written["facts"]["dollars"] == pytest.approx(calls * PRICE_OF_ONE)
    assert written["rounds"][-1]["generated"] == 3 * calls
    assert "dollars" not in stored(tmp_path)["copy"]["facts"]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in (*files, printed.encode()))


def test_a_finished_cell_is_not_paid_twice(tmp_path: Path) -> None:
    with messages_server(fresh) as fake:
        asked(tmp_path, url=fake.url)
        calls = len(fake.requests)
        code, _ = asked(tmp_path, url=fake.url)
        assert (code, len(fake.requests)) == (0, calls)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"provider": NOBODY}, "needs an API key"),
        ({"dask": "tcp://127.0.0.1:1"}, "leave out --dask"),
        ({"dollars": 0.01}, "/budget/dollars: 0.01 leaves $0.0100 for a cell"),
    ],
)
def test_a_paid_run_that_may_not_start_is_refused_before_any_cell(
    tmp_path: Path, more: dict[str, Any], why: str
) -> None:
    with messages_server(fresh) as fake:
        code, printed = asked(tmp_path, url=fake.url, **more)
        assert fake.requests == []
    assert code == 2
    assert why in printed.splitlines()[-1]
    assert not (tmp_path / "cache" / "runs").exists()


def test_an_estimate_needs_no_key_and_runs_nothing(tmp_path: Path) -> None:
    code, printed = asked(tmp_path, provider=NOBODY, estimate=True)
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()[1:]}
    assert code == 0
    assert rows["copy"] == ["0", "0", "0", "0.00"]
    assert rows["written"] == rows["total"]
    assert rows["written"][:1] + rows["written"][2:] == ["20", "40,960", "0.02"]
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "cache" / "runs").exists()


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (server.status(401, "authentication_error"), "authentication_error"),
        (dear, "share of [budget] dollars"),
    ],
)
def test_a_cell_that_lacks_answers_is_not_stored(tmp_path: Path, step: Any, why: str) -> None:
    with messages_server(step) as fake:
        code, printed = asked(tmp_path, url=fake.url)
        assert len(fake.requests) == 1
    assert code == 2
    assert why in printed.splitlines()[-1]
    assert "written" not in stored(tmp_path)


def test_a_purse_counts_bills_and_what_was_never_settled() -> None:
    purse = CellPurse(dollars=1.0)
    bill = {"input_tokens": 1, "output_tokens": 1, "request_id": None}
    purse.settle(purse.reserve(0.6), dollars=0.1, **bill)  # type: ignore[arg-type]
    purse.reserve(0.5)
    assert purse.dollars == pytest.approx(0.6)
    with pytest.raises(Conflict) as caught:
        purse.reserve(0.5)
    assert caught.value.code == "budget-exceeded"


def test_a_provider_travels_to_workers_and_never_shows_its_key() -> None:
    provider = Provider(key=KEY, url="http://127.0.0.1:1")
    assert KEY not in repr(provider)
    assert pickle.loads(pickle.dumps(provider)) == provider


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"budget": {}}, "/budget/dollars: must be set"),
        ({"budget": {"dollars": True}}, "/budget/dollars: must be a number"),
        ({"budget": {"dollars": 0}}, "/budget/dollars: must be a number"),
        ({"arms": [{"name": "written"}]}, "no arm is paid for"),
        ({"arms": [{"name": "written", "generator": "anthropic"}]}, "must name its model"),
    ],
)
def test_a_limit_and_paid_arms_come_together(more: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        experiment_of(document(**more), name="made")
    assert why in caught.value.detail


@pytest.mark.parametrize("options", [{"model": "psychic"}, {**WRITES, "max_tokens": 1}])
def test_options_of_a_paid_generator_are_checked_without_a_key(options: dict[str, Any]) -> None:
    arm = {"name": "written", "generator": {**options, "name": "anthropic"}}
    with pytest.raises(InvalidInput, match="arm 'written'"):
        check_arms(experiment_of(document(arms=[arm]), name="made"))


def test_the_first_seeds_get_no_larger_share() -> None:
    made = experiment_of(document(), name="made")
    assert made.cell_dollars == 1.0
    assert with_seeds(made, 1).cell_dollars == 1.0


def test_another_model_is_another_cell() -> None:
    made = experiment_of(document(), name="made")
    other = replace(made.arms[0], generator=replace(made.arms[0].generator, options={"model": "x"}))
    one = run_key(dataset(), made.arms[0], seed=0, experiment=made)
    assert run_key(dataset(), other, seed=0, experiment=made) != one


def test_the_limit_of_the_paid_file_covers_its_estimate() -> None:
    made = load_experiment(PAID_FILE)
    check_arms(made)
    corpus = open_dataset(
        str((PAID_FILE.parent / made.datasets[0]).resolve()), folder=None, fetcher=None
    )
    check_spending(made, {"messages.csv": corpus})
    costs = arm_costs(made, {"messages.csv": corpus})
    assert sum(cost.dollars for cost in costs.values()) < (made.dollars or 0)
    assert {arm.template for arm in made.arms if arm.paid} == {
        "strict_slots",
        "paraphrase",
        "attributes",
        "free_form",
    }
