"""When a criterion would have stopped a run, and what was still to come."""

from __future__ import annotations

import pytest

from benchmarks.statistics.stopping import stopping_facts

ROUNDS = [
    *(
        {"labels": n, "macro_f1": 0.4, "stops_kappa_average": 0.0, "stops_overall_uncertainty": 0.0}
        for n in (10, 20, 30, 40)
    ),
    {"labels": 60, "macro_f1": 0.5, "stops_kappa_average": 0.0, "stops_overall_uncertainty": 0.0},
    {"labels": 120, "macro_f1": 0.6, "stops_kappa_average": 1.0, "stops_overall_uncertainty": 0.0},
    {"labels": 180, "macro_f1": 0.7, "stops_kappa_average": 0.0, "stops_overall_uncertainty": 0.0},
]


def test_the_first_stop_counts_and_the_rest_was_still_to_come() -> None:
    facts = stopping_facts(ROUNDS)
    assert facts["stop_kappa_average_stopped"] == 1
    assert facts["stop_kappa_average_labels"] == 120
    assert facts["stop_kappa_average_f1_to_come"] == pytest.approx(0.1)


def test_a_criterion_that_never_stops_has_no_stopping_point() -> None:
    facts = stopping_facts(ROUNDS)
    assert facts["stop_overall_uncertainty_stopped"] == 0
    assert "stop_overall_uncertainty_labels" not in facts


def test_a_short_run_is_not_judged() -> None:
    assert stopping_facts(ROUNDS[:6]) == {}
