"""Screens of a seed with several classes: each of them must be kept, and no other come in."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import LabelClass
from core.screening import Candidate, Seed, screen

HERE = np.array([1.0, 0.0], np.float32)
SEED = Seed(
    id="s",
    text="the rent is due and the landlord shouts at me every day",
    label=LabelClass(id="money", name="Money"),
    also=(LabelClass(id="abuse", name="Abuse"),),
    vector=HERE,
    multi_label=True,
)


def checks(text, **probabilities):
    candidate = Candidate(id="0", text=text, vector=-HERE, probabilities=probabilities or None)
    return {found.check: found for found in screen([candidate], seed=SEED)[0]}


@pytest.mark.parametrize(
    ("probabilities", "passed", "value"),
    [
        ({"money": 0.9, "abuse": 0.7, "law": 0.2}, True, 0.7),
        ({"money": 0.9, "abuse": 0.3, "law": 0.2}, False, 0.3),
        ({"money": 0.9, "abuse": 0.7, "law": 0.8}, False, 0.7),
        ({"money": 0.5, "abuse": 0.5, "law": 0.5}, True, 0.5),
        ({"money": 0.9, "law": 0.2}, True, 0.0),
    ],
)
def test_the_learner_objects_to_a_lost_label_and_to_a_new_one(probabilities, passed, value):
    found = checks("my landlord wants money and screams", **probabilities)["learner_agreement"]
    assert (found.passed, found.value) == (passed, value)


def test_naming_any_of_the_classes_in_the_text_is_a_leak():
    assert not checks("this is abuse and I owe him a lot")["label_leak"].passed
    assert checks("he screams and I owe him a lot")["label_leak"].passed
