"""Experiment files: what they give, and what is refused by the name of its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.evidence.cells import check_arms
from benchmarks.evidence.experiment import experiment_of, load_experiment, with_seeds
from benchmarks.evidence.transfer import check_heads
from core.errors import InvalidInput
from core.records import Choice


def document(**more: Any) -> dict[str, Any]:
    return {"datasets": ["topics"], "arms": [{"strategy": "random"}], **more}


def refusal_of(**more: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        experiment_of(document(**more), name="made")
    assert caught.value.code == "invalid-experiment"
    return caught.value


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"colour": 1}, "/colour"),
        ({"budget": {"labels": 1}}, "/budget/labels"),
        ({"seeds": {"last": 1}}, "/seeds/last"),
        ({"base": {"colour": 1}}, "/base/colour"),
        ({"base": {"name": "x"}}, "/base/name"),
        ({"grid": {"colour": [1]}}, "/grid/colour"),
        ({"arms": [{"strategy": "random", "colour": 1}]}, "/arms/0/colour"),
    ],
)
def test_an_unknown_key_is_refused_in_every_table(more: dict[str, Any], key: str) -> None:
    refusal = refusal_of(**more)
    assert refusal.errors[0].pointer == key
    assert "known:" in refusal.detail


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"datasets": "topics"}, "/datasets"),
        ({"datasets": []}, "/datasets"),
        ({"datasets": [1]}, "/datasets"),
        ({"datasets": ["topics", "topics"]}, "/datasets"),
        ({"transfer": "svm"}, "/transfer"),
        ({"title": 5}, "/title"),
        ({"evaluate": "train"}, "/evaluate"),
        ({"evaluate": 1}, "/evaluate"),
        ({"pool_share": 0}, "/pool_share"),
        ({"pool_share": True}, "/pool_share"),
        ({"pool_share": "half"}, "/pool_share"),
        ({"pool_share": float("nan")}, "/pool_share"),
        ({"reserve_share": 1}, "/reserve_share"),
        ({"reserve_share": 1.2}, "/reserve_share"),
        ({"budget": 60}, "/budget"),
        ({"budget": {"start": 1}}, "/budget/start"),
        ({"budget": {"batch": 0}}, "/budget/batch"),
        ({"budget": {"rounds": 2.5}}, "/budget/rounds"),
        ({"budget": {"rounds": True}}, "/budget/rounds"),
        ({"seeds": [1]}, "/seeds"),
        ({"seeds": {"first": -1}}, "/seeds/first"),
        ({"seeds": {"count": 0}}, "/seeds/count"),
        ({"base": []}, "/base"),
        ({"grid": 1}, "/grid"),
        ({"grid": {"strategy": []}}, "/grid/strategy"),
        ({"grid": {"strategy": "random"}}, "/grid/strategy"),
        ({"arms": 5}, "/arms"),
        ({"arms": {"strategy": "random"}}, "/arms"),
        ({"arms": ["random"]}, "/arms/0"),
        ({"base": {"strategy": 5}}, "/base/strategy"),
        ({"base": {"strategy": "none"}}, "/base/strategy"),
        ({"base": {"encoder": "none"}}, "/base/encoder"),
        ({"base": {"clusterer": {"count": 5}}}, "/base/clusterer"),
        ({"base": {"start": "warm"}}, "/base/start"),
        ({"base": {"treatment": "hope"}}, "/base/treatment"),
        ({"base": {"recluster": "yes"}}, "/base/recluster"),
        ({"base": {"reference": 1}}, "/base/reference"),
        ({"base": {"variations": "3"}}, "/base/variations"),
        ({"base": {"min_distance": "near"}}, "/base/min_distance"),
        ({"base": {"min_distance": -1}}, "/base/min_distance"),
        ({"base": {"template": 3}}, "/base/template"),
        ({"arms": [{"name": 3}]}, "/arms/0/name"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_key(more: dict[str, Any], key: str) -> None:
    assert refusal_of(**more).errors[0].pointer == key


def test_two_arms_of_one_name_are_refused() -> None:
    refusal = refusal_of(arms=[{"strategy": "random"}, {"strategy": "random"}])
    assert "named twice: random" in refusal.detail


def test_an_experiment_without_arms_is_refused() -> None:
    assert refusal_of(arms=[]).errors[0].pointer == "/arms"


@pytest.mark.parametrize("key", ["baseline", "default"])
def test_a_baseline_or_default_must_be_an_arm(key: str) -> None:
    refusal = refusal_of(**{key: "margin"})
    assert refusal.errors[0].pointer == f"/{key}"
    assert "arms: random" in refusal.detail


@pytest.mark.parametrize("data", [b"datasets = [", b"\xff\xfe", None])
def test_a_file_that_is_no_toml_is_refused_by_its_path(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "made.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InvalidInput, match=r"cannot read .*made\.toml"):
        load_experiment(path)


def test_a_file_gives_the_experiment_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(
        'datasets = ["topics"]\n[budget]\nstart = 6\nbatch = 4\nrounds = 2\n'
        "[seeds]\nfirst = 100\ncount = 3\n"
        '[[arms]]\nstrategy = "random"\n[[arms]]\nname = "m"\nstrategy = { name = "margin" }\n'
    )
    made = load_experiment(path)
    assert (made.name, made.title, made.seeds) == ("small", "small", (100, 101, 102))
    assert (made.start, made.batch, made.rounds) == (6, 4, 2)
    assert [arm.name for arm in made.arms] == ["random", "m"]
    assert len(made.sha256) == 64


def test_a_grid_is_the_product_of_its_lists_and_names_what_varies() -> None:
    grid = {
        "strategy": ["random", "margin"],
        "clusterer": [{"name": "kmeans", "count": 5}, {"name": "kmeans", "count": 9}],
        "generator": ["none"],
    }
    made = experiment_of(
        {"datasets": ["topics"], "grid": grid, "baseline": "random / kmeans (count=5)"}, name="made"
    )
    assert [arm.name for arm in made.arms] == [
        "random / kmeans (count=5)",
        "random / kmeans (count=9)",
        "margin / kmeans (count=5)",
        "margin / kmeans (count=9)",
    ]
    assert made.arms[1].clusterer == Choice(name="kmeans", options={"count": 9})


def test_a_value_twice_in_a_grid_is_the_same_arm_twice() -> None:
    assert "named twice" in refusal_of(arms=[], grid={"strategy": ["random", "random"]}).detail


def test_an_arm_overrides_the_base_and_none_writes_nothing() -> None:
    made = experiment_of(
        document(
            base={"generator": {"name": "simulated", "noise": 0.1}, "start": "typical"},
            arms=[{"strategy": "random"}, {"name": "plain", "generator": "none"}],
        ),
        name="made",
    )
    assert made.arms[0].generator == Choice(name="simulated", options={"noise": 0.1})
    assert made.arms[1].generator is None
    assert {arm.start for arm in made.arms} == {"typical"}


def test_fewer_seeds_are_the_first_ones() -> None:
    made = experiment_of(document(seeds={"first": 5, "count": 4}), name="made")
    assert with_seeds(made, 2).seeds == (5, 6)


def test_no_seeds_at_all_are_refused() -> None:
    made = experiment_of(document(), name="made")
    with pytest.raises(InvalidInput, match="/seeds/count"):
        with_seeds(made, 0)


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ({"strategy": "psychic"}, "margin"),
        ({"strategy": {"name": "cluster_entropy", "colour": 1}}, "colour"),
        ({"strategy": {"name": "even_by_oracle", "colour": 1}}, "no options"),
        ({"clusterer": "psychic"}, "kmeans"),
        ({"clusterer": {"name": "kmeans", "count": -1}}, "count"),
        ({"learner": "psychic"}, "linear"),
        ({"learner": "transformer"}, "transfer study"),
        ({"learner": {"name": "linear", "c": "big"}}, "c must be"),
        ({"generator": "psychic"}, "simulated"),
        ({"generator": {"name": "simulated", "noise": 2}}, "noise"),
        ({"generator": {"name": "copy", "noise": 0.1}}, "no options"),
        ({"template": "psychic"}, "paraphrase"),
    ],
)
def test_a_component_that_cannot_be_made_is_refused_by_its_arm(
    setting: dict[str, Any], names: str
) -> None:
    made = experiment_of(
        document(arms=[{"strategy": "random"}, {"name": "odd", "strategy": "margin", **setting}]),
        name="made",
    )
    with pytest.raises(InvalidInput, match="arm 'odd'") as caught:
        check_arms(made)
    assert names in caught.value.detail


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(InvalidInput, match="svm") as caught:
        check_heads(["svm", "psychic"])
    assert caught.value.errors[0].pointer == "/transfer"
