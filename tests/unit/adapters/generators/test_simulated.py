"""The simulated generator: nearest reserve rows, without repeats, with exact noise."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from adapters.generators.simulated import SimulatedGenerator
from core.errors import InvalidOption

CLASSES = ("emergency", "financial", "legal")


class MemoryReserve:
    """``rows`` texts per class, nearest first by number."""

    def __init__(self, rows=100):
        self.rows = rows

    def nearest(self, vector, *, class_id, limit):
        found = range(min(self.rows, limit))
        return [(f"{class_id}-{n}", f"{class_id} text number {n}") for n in found]


def simulate(request, purse, *, rows=100, **options):
    generator = SimulatedGenerator(reserve=MemoryReserve(rows), class_ids=CLASSES, **options)
    return generator.generate(request, purse=purse)


def ranks(result):
    return sorted(int(v.source_id.rpartition("-")[2]) for v in result.variations)


def classes(result):
    return Counter(v.source_id.rpartition("-")[0] for v in result.variations)


def test_rows_are_of_the_label_and_carry_their_source(make_request, purse):
    result = simulate(make_request(), purse)
    assert (result.outcome, classes(result)) == ("ok", {"financial": 3})
    assert result.variations[0].text.startswith("financial text number ")


def test_no_row_comes_twice(make_request, purse):
    result = simulate(make_request(count=10), purse, rows=10)
    assert ranks(result) == list(range(10))


def test_an_exhausted_reserve_is_a_shortfall(make_request, purse):
    result = simulate(make_request(count=10), purse, rows=4)
    assert (result.outcome, ranks(result)) == ("shortfall", [0, 1, 2, 3])


def test_strict_templates_stay_near_and_free_ones_go_far(make_request, purse):
    def reach(level):
        return max(
            max(ranks(simulate(make_request(level, seed=s), purse, rows=600))) for s in range(30)
        )

    assert reach("strict_slots") == 2
    assert reach("paraphrase") == 4
    assert 5 <= reach("attributes") < 50
    assert 50 <= reach("free_form") < 500


def test_a_given_spread_overrides_the_level(make_request, purse):
    result = simulate(make_request("free_form"), purse, spread=1)
    assert ranks(result) == [0, 1, 2]


def test_the_seeds_own_text_is_never_drawn(make_request, purse):
    result = simulate(make_request("strict_slots", text="Financial  text number 1"), purse)
    assert ranks(result) == [0, 2, 3]


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.5, 1.0])
def test_noise_is_the_share_of_wrong_classes(make_request, purse, noise):
    found = Counter()
    for seed in range(300):
        found += classes(simulate(make_request(seed=seed), purse, noise=noise))
    wrong = 1 - found["financial"] / found.total()
    assert wrong == pytest.approx(noise, abs=0.05)


def test_uniform_confusion_reaches_every_other_class(make_request, purse):
    found = Counter()
    for seed in range(100):
        found += classes(simulate(make_request(seed=seed), purse, noise=1.0))
    assert found["emergency"] == pytest.approx(found["legal"], rel=0.4)


def test_runner_up_confusion_takes_the_contrast(make_request, purse):
    result = simulate(make_request(), purse, noise=1.0, confusion="runner_up")
    assert classes(result) == {"legal": 3}


def test_runner_up_without_a_contrast_is_uniform(make_request, purse):
    request = make_request(contrast=None)
    result = simulate(request, purse, noise=1.0, confusion="runner_up")
    assert "financial" not in classes(result)


def test_a_single_class_has_nothing_to_be_confused_with(make_request, purse):
    generator = SimulatedGenerator(reserve=MemoryReserve(), class_ids=("financial",), noise=1.0)
    assert classes(generator.generate(make_request(), purse=purse)) == {"financial": 3}


def test_the_same_request_draws_the_same_rows(make_request, purse):
    request = make_request(count=5, seed=11)
    assert simulate(request, purse, noise=0.4) == simulate(request, purse, noise=0.4)
    other = dataclasses.replace(request, seed=12)
    assert simulate(other, purse, noise=0.4) != simulate(request, purse, noise=0.4)


def test_the_seeds_vector_decides_what_is_near(make_request, purse):
    asked = []

    class Recording(MemoryReserve):
        def nearest(self, vector, *, class_id, limit):
            asked.append(vector)
            return super().nearest(vector, class_id=class_id, limit=limit)

    request = make_request()
    SimulatedGenerator(reserve=Recording(), class_ids=CLASSES).generate(request, purse=purse)
    assert np.array_equal(asked[0], request.vector)


@pytest.mark.parametrize(
    "options",
    [{"noise": -0.1}, {"noise": 1.1}, {"noise": "x"}, {"confusion": "total"}, {"spread": 0}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOption):
        SimulatedGenerator(reserve=MemoryReserve(), class_ids=CLASSES, **options)
