"""Gold answers with exact noise, humans who answer later, and both by name."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from adapters.generators.judges import judges
from core.errors import InvalidInput, InvalidOption
from core.opinions import Question
from core.records import Choice
from oracle import Bench, GoldOracle, HumanOracle, oracles

CLASSES = ("a", "b", "c")
IDS = [f"itm_{n}" for n in range(2_000)]


def known():
    """The registry, with no model behind it."""

    def no_purse(judge, max_dollars):
        raise NotImplementedError

    bench = Bench(texts=own_ids, question=Question(classes=(), multi_label=False), purse=no_purse)
    return oracles(
        gold=gold,
        keys=own_ids,
        class_ids=CLASSES,
        judges=judges(anthropic_key=None, anthropic_base_url=None),
        bench=bench,
    )


def own_ids(item_ids: Sequence[str]) -> Mapping[str, str]:
    """Each id is its own key."""
    return {item_id: item_id for item_id in item_ids}


def gold(item_ids):
    return {item_id: ("a",) for item_id in item_ids if item_id != "itm_without"}


def ask(item_ids=IDS, **options):
    return GoldOracle(gold=gold, keys=own_ids, class_ids=CLASSES, **options).ask(item_ids)


def wrong(answers):
    return {item_id for item_id, labels in answers.items() if labels != ("a",)}


def test_without_noise_gold_is_gold():
    assert ask() == gold(IDS)


def test_items_without_gold_are_left_out():
    assert ask(["itm_1", "itm_without"]) == {"itm_1": ("a",)}


@pytest.mark.parametrize("noise", [0.1, 0.4, 1.0])
def test_noise_is_the_share_of_wrong_answers(noise):
    assert len(wrong(ask(noise=noise))) / len(IDS) == pytest.approx(noise, abs=0.04)


def test_wrong_answers_are_spread_over_the_other_classes():
    found = list(ask(noise=1.0).values())
    assert set(found) == {("b",), ("c",)}
    assert found.count(("b",)) / len(found) == pytest.approx(0.5, abs=0.05)


def test_order_and_company_do_not_change_an_answer():
    mixed = random.Random(3).sample(IDS, k=len(IDS))
    together = ask(noise=0.3)
    assert ask(mixed, noise=0.3) == together
    assert {i: ask([i], noise=0.3)[i] for i in IDS[:50]} == {i: together[i] for i in IDS[:50]}


def test_another_seed_errs_on_other_items():
    assert wrong(ask(noise=0.3, seed=1)) != wrong(ask(noise=0.3, seed=2))


def test_more_noise_errs_on_the_same_items_and_more():
    assert wrong(ask(noise=0.1)) < wrong(ask(noise=0.4))


def test_with_one_class_nothing_can_be_wrong():
    assert GoldOracle(gold=gold, keys=own_ids, class_ids=("a",), noise=1.0).ask(["x"]) == {
        "x": ("a",)
    }


@pytest.mark.parametrize("options", [{"noise": 1.5}, {"noise": float("nan")}, {"seed": -1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOption):
        ask(**options)


def test_a_human_knows_nothing_yet():
    assert HumanOracle().ask(IDS) == {}


def test_oracles_are_found_by_name_and_carry_it():
    registry = known()
    made = [registry.make(Choice(name=name)) for name in ("gold", "human")]
    assert [oracle.name for oracle in made] == ["gold", "human"]


def test_options_reach_the_gold_oracle():
    registry = known()
    oracle = registry.make(Choice(name="gold", options={"noise": 1.0, "seed": 5}))
    assert wrong(oracle.ask(["x", "y"])) == {"x", "y"}


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (Choice(name="delphi"), "unknown-oracle"),
        (Choice(name="gold", options={"gold": None}), "unknown-option"),
        (Choice(name="human", options={"noise": 0.1}), "unknown-option"),
    ],
)
def test_unknown_oracles_and_options_are_refused(choice, code):
    with pytest.raises(InvalidInput) as refusal:
        known().make(choice)
    assert refusal.value.code == code
