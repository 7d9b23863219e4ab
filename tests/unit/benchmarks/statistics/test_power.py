"""The number of seeds from a pilot."""

import numpy as np
import pytest

from benchmarks.statistics.power import power_of, seeds_needed


def pilot(sd: float, *, n: int = 10) -> np.ndarray:
    values = np.linspace(-1, 1, n)
    return values / values.std(ddof=1) * sd


def test_never_fewer_than_forty() -> None:
    assert seeds_needed(pilot(0.001), half_width=0.01, effect=0.01).seeds == 40


def test_both_aims_are_met_and_one_seed_fewer_misses_one() -> None:
    found = seeds_needed(pilot(0.04), half_width=0.01, effect=0.015, least=2)
    assert found.seeds == max(found.for_half_width, found.for_effect)
    assert power_of(effect=0.015, sd=0.04, seeds=found.for_effect) >= 0.8
    assert power_of(effect=0.015, sd=0.04, seeds=found.for_effect - 1) < 0.8
    assert found.for_half_width == pytest.approx((1.96 * 0.04 / 0.01) ** 2, rel=0.06)


def test_the_power_of_the_textbook_case() -> None:
    """Cohen's d of .5 with 34 pairs has a power of .81 (G*Power)."""
    assert power_of(effect=0.5, sd=1.0, seeds=34) == pytest.approx(0.808, abs=2e-3)


def test_a_huge_effect_is_found_for_sure() -> None:
    assert power_of(effect=5.0, sd=0.01, seeds=40) == pytest.approx(1.0)
    assert power_of(effect=0.1, sd=0.0, seeds=2) == 1.0


@pytest.mark.parametrize("wrong", [{"half_width": 0.0}, {"effect": -1.0}, {"pilot": np.ones(1)}])
def test_impossible_aims_are_refused(wrong: dict[str, object]) -> None:
    options = {"pilot": pilot(0.1), "half_width": 0.01, "effect": 0.01} | wrong
    with pytest.raises(ValueError, match="pilot"):
        seeds_needed(options.pop("pilot"), **options)
