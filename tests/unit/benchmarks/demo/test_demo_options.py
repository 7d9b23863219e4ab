"""How many rounds of how many labels a pool gets, and the command that repeats a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.demo.options import DemoOptions, DemoRefused, Plan, command, plan_rounds


def test_the_bundled_corpus_gets_eight_rounds_of_twenty():
    plan = plan_rounds(DemoOptions(), pool=658, bundled=True)
    assert plan == Plan(rounds=8, batch_size=20)


def test_a_larger_pool_gets_larger_batches():
    assert plan_rounds(DemoOptions(), pool=2_015, bundled=False) == Plan(rounds=6, batch_size=50)


@pytest.mark.parametrize("pool", [2, 5, 20, 100, 700])
def test_a_chosen_plan_leaves_part_of_the_pool_unlabelled(pool):
    plan = plan_rounds(DemoOptions(), pool=pool, bundled=False)
    assert plan.batch_size >= 1
    assert plan.batch_size == 1 or plan.rounds * plan.batch_size <= 0.6 * pool


def test_what_is_asked_for_is_what_happens():
    asked = DemoOptions(rounds=3, batch_size=7)
    assert plan_rounds(asked, pool=10, bundled=False) == Plan(rounds=3, batch_size=7)


def test_a_pool_of_one_row_is_refused():
    with pytest.raises(DemoRefused, match="only 1 rows"):
        plan_rounds(DemoOptions(), pool=1, bundled=False)


def test_the_command_repeats_the_run_with_every_choice_spelled_out():
    options = DemoOptions(data=Path("my rows.csv"), generator="perturb", seed=3)
    assert command(options, Plan(rounds=4, batch_size=9)) == (
        "tailwise demo --data 'my rows.csv' --text-column text --label-column label"
        " --rounds 4 --batch-size 9 --generator perturb --seed 3"
    )
