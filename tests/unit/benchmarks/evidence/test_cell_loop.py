"""One cell: what its strategies see, what is written, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence.loop import Finished
from benchmarks.evidence.records import Arm
from benchmarks.evidence.references import even_rows
from benchmarks.evidence.stage import Stage
from benchmarks.evidence.writing import WrittenRow, label_noise, treated
from core.records import Choice, SessionSettings
from tests.unit.benchmarks.evidence.made_study import arm, loop, stage

STRATEGIES = ("random", "entropy", "margin", "cluster_entropy", "cluster_need", "k_center", "badge")


def run(asked: Arm, on: Stage | None = None) -> Finished:
    return loop(asked, on or stage()).run()


def simulated(noise: float = 0.0, **more: object) -> Arm:
    return arm(generator=Choice(name="simulated", options={"noise": noise}), **more)


def mislabelled(made: Stage, places: np.ndarray) -> Stage:
    """The stage with other true classes at ``places``."""
    targets = made.pool.targets.copy()
    targets[places] = (targets[places] + 1) % len(made.classes)
    return replace(made, pool=replace(made.pool, targets=targets), memory={})


# --- selection -----------------------------------------------------------------------


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_sees_the_label_of_a_row_it_has_not_picked(name: str) -> None:
    made = stage()
    plain = run(arm(name), made)
    others = np.setdiff1d(np.arange(len(made.pool.targets)), plain.labelled)
    assert np.array_equal(run(arm(name), mislabelled(made, others)).labelled, plain.labelled)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_cell_labels_its_budget_and_no_row_twice(name: str) -> None:
    done = run(arm(name))
    assert [facts["labels"] for facts in done.rounds] == [12, 20, 28]
    assert len(set(done.labelled.tolist())) == 28


def test_the_answers_are_the_gold_ones() -> None:
    made = stage()
    done = run(arm("margin"), made)
    counts = np.bincount(made.pool.targets[done.labelled], minlength=3).tolist()
    assert list(done.rounds[-1]["counts"].values()) == counts


def test_the_same_cell_gives_the_same_cell() -> None:
    one, other = run(arm("cluster_need")), run(arm("cluster_need"))
    assert one.rounds == other.rounds
    assert np.array_equal(one.predictions, other.predictions)


def test_every_arm_starts_from_the_same_model() -> None:
    made = stage()
    first = [run(arm(name), made).rounds[0] for name in ("random", "margin", "even_by_oracle")]
    assert first[0] == first[1] == first[2]


def test_clusters_stay_as_they_are_unless_the_arm_fits_them_again() -> None:
    made = stage()
    fixed = loop(arm("cluster_entropy"), made)
    fixed.run()
    again = loop(arm("cluster_entropy", recluster=True), made)
    again.run()
    name = repr(arm().clusterer)
    assert fixed._clusters is made.memory[name][0]
    assert again._clusters is not made.memory[name][0]
    assert len(again._clusters) == len(made.pool.targets)


# --- references ----------------------------------------------------------------------


def test_even_by_oracle_fills_up_the_smallest_class() -> None:
    targets = np.array([0] * 10 + [1] * 6 + [2] * 2)
    eligible = np.ones(18, dtype=np.bool_)
    eligible[[0, 1, 10]] = False
    chosen = even_rows(
        targets, eligible=eligible, held=[0, 1, 10], count=6, rng=np.random.default_rng(0)
    )
    assert np.bincount(targets[[0, 1, 10, *chosen]]).tolist() == [4, 3, 2]
    assert len(set(chosen)) == 6


def test_even_by_oracle_ends_with_the_rows() -> None:
    targets = np.array([0, 1, 1])
    chosen = even_rows(
        targets,
        eligible=np.array([False, True, True]),
        held=[0],
        count=9,
        rng=np.random.default_rng(0),
    )
    assert sorted(chosen) == [1, 2]


def test_even_by_oracle_is_the_evenest_arm() -> None:
    made = stage()
    stds = {name: run(arm(name), made).rounds[-1]["std"] for name in ("even_by_oracle", "random")}
    assert stds["even_by_oracle"] < stds["random"]


def test_the_whole_pool_is_one_model_at_every_round() -> None:
    made = stage()
    done = loop(arm("whole_pool"), made).run_whole()
    assert len(done.labelled) == len(made.pool.targets)
    assert [facts["labels"] for facts in done.rounds] == [12, 20, 28]
    assert len({facts["macro_f1"] for facts in done.rounds}) == 1


# --- generation ----------------------------------------------------------------------


def test_the_copy_control_repeats_labelled_rows_and_nothing_else() -> None:
    made = stage()
    done = run(arm("margin", generator=Choice(name="copy")), made)
    assert done.written
    for row in done.written:
        assert row.seed in set(done.labelled.tolist())
        assert row.text == made.text(int(made.pool.numbers[row.seed]))
        assert np.array_equal(row.vector, made.pool.vectors[row.seed])
        assert row.target == row.truth == made.pool.targets[row.seed]


def test_the_copy_control_is_as_many_rows_as_were_planned_in_every_round() -> None:
    made = stage()
    done = run(arm(generator=Choice(name="copy")), made)
    planned = 0
    for upto, new in (
        (12, done.labelled[:12]),
        (20, done.labelled[12:20]),
        (28, done.labelled[20:]),
    ):
        counts = np.bincount(made.pool.targets[done.labelled[:upto]], minlength=3)
        need = np.array([1 / 3 * upto / count if count else 0 for count in counts.tolist()])
        per_seed = np.where(need < 1 - 1e-9, 0, np.minimum(10, np.floor(3 * need + 0.5)))
        planned += int(per_seed[made.pool.targets[new]].sum())
    assert done.rounds[-1]["generated"] == planned > 0


def test_written_rows_come_from_the_reserve_and_never_twice() -> None:
    made = stage()
    done = run(simulated(), made)
    texts = [row.text for row in done.written]
    assert set(texts) <= {made.text(int(number)) for number in made.reserve.numbers}
    assert len(set(texts)) == len(texts) > 0


def test_no_noise_writes_the_right_class_only() -> None:
    done = run(simulated())
    assert all(row.truth == row.target for row in done.written)
    assert done.rounds[-1]["generated_noise"] == 0


def test_noise_is_the_share_of_wrong_classes() -> None:
    rows = [
        row
        for seed in range(6)
        for row in run(simulated(0.4, treatment="none"), stage(seed=seed)).written
    ]
    assert len(rows) > 100
    assert label_noise(rows) == pytest.approx(0.4, abs=0.13)


def test_perturbed_rows_are_new_texts_whose_class_nobody_knows() -> None:
    made = stage()
    done = run(arm(generator=Choice(name="perturb")), made)
    known = {made.text(int(number)) for number in made.pool.numbers}
    assert done.written
    assert not {row.text for row in done.written} & known
    assert {row.truth for row in done.written} == {-1}


def test_a_written_row_is_for_the_class_of_its_seed() -> None:
    made = stage()
    done = run(simulated(0.4), made)
    assert all(row.target == made.pool.targets[row.seed] for row in done.written)


def row(*, target: int, truth: int) -> WrittenRow:
    return WrittenRow(
        text="t", vector=np.zeros(2, dtype=np.float32), target=target, truth=truth, seed=0
    )


ROWS = [row(target=0, truth=0), row(target=0, truth=1), row(target=1, truth=1)]
SURE_OF_ONE = np.tile(np.float32([0.05, 0.95]), (3, 1))


@pytest.mark.parametrize("treatment", ["none", "weight"])
def test_plain_treatments_keep_every_row(treatment: str) -> None:
    rng = np.random.default_rng(0)
    kept = treated(ROWS, treatment=treatment, probabilities=SURE_OF_ONE, rng=rng)
    assert kept == ROWS


def test_the_filter_drops_what_the_model_reads_otherwise() -> None:
    rng = np.random.default_rng(0)
    kept = treated(ROWS, treatment="filter", probabilities=SURE_OF_ONE, rng=rng)
    assert kept == [ROWS[2]]


def test_a_review_drops_the_wrong_rows_among_the_doubted() -> None:
    rng = np.random.default_rng(0)
    kept = treated(ROWS, treatment="weight_and_review", probabilities=SURE_OF_ONE, rng=rng)
    assert kept == [ROWS[0], ROWS[2]]


def test_a_review_looks_at_a_tenth_of_the_rest() -> None:
    wrong = [row(target=1, truth=0)] * 1000
    agreed = np.tile(np.float32([0.05, 0.95]), (1000, 1))
    rng = np.random.default_rng(0)
    kept = treated(wrong, treatment="weight_and_review", probabilities=agreed, rng=rng)
    assert len(kept) == pytest.approx(900, abs=40)


def test_before_the_first_model_nothing_is_dropped() -> None:
    rng = np.random.default_rng(0)
    assert treated(ROWS, treatment="filter", probabilities=None, rng=rng) == ROWS


def test_label_noise_counts_rows_of_known_class_only() -> None:
    assert label_noise([*ROWS, row(target=0, truth=-1)]) == pytest.approx(1 / 3)
    assert label_noise([row(target=0, truth=-1)]) == 0


def test_written_rows_weigh_what_the_services_training_gives_them() -> None:
    made = stage()
    done = run(simulated(), made)
    human = np.bincount(made.pool.targets[done.labelled], minlength=3)
    written = np.array([row.target for row in done.written])
    settings = SessionSettings()
    for target, weight in zip(written.tolist(), done.weights.tolist(), strict=True):
        cap = settings.generated_cap * human[target] / (written == target).sum()
        assert weight == pytest.approx(min(settings.generated_weight, cap))


def test_untreated_rows_weigh_as_much_as_labels() -> None:
    done = run(simulated(0.2, treatment="none"))
    assert set(done.weights.tolist()) == {1.0}


# --- measures ------------------------------------------------------------------------


def test_a_rounds_measures_are_those_of_its_labels_and_predictions() -> None:
    made = stage()
    done = run(arm("margin"), made)
    last = done.rounds[-1]
    counts = np.bincount(made.pool.targets[done.labelled], minlength=3)
    right = done.predictions[made.sample] == made.test.targets[made.sample]
    assert last["std"] == pytest.approx(counts.std())
    assert last["smallest_class"] == counts.min()
    assert last["accuracy"] == pytest.approx(right.mean())
    assert 0 <= last["space_covered"] <= 1
    assert 0 < last["clusters_covered"] <= 1


def test_a_class_without_labels_is_never_found() -> None:
    made = stage()
    six_each = [np.flatnonzero(made.pool.targets == column)[:6] for column in (0, 1)]
    first = loop(arm(), replace(made, start=np.concatenate(six_each))).run().rounds[0]
    assert first["counts"]["harbour"] == 0
    assert first["recall"]["harbour"] == 0


def test_every_row_of_the_test_has_a_prediction() -> None:
    made = stage()
    assert len(run(arm(), made).predictions) == len(made.test.targets)
