"""What the two arms say about each other, at equal labels, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.demo.loop import Arm, Round

TIE_F1, TIE_STD = 0.01, 0.05
"""Differences below these (absolute F1, share of the spread) are called a draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both arms at the largest number of labels that both have bought."""

    labels: int
    ours: Round
    other: Round


def compare(arm: Arm, baseline: Arm) -> Comparison | None:
    """None where the arms never had equally many labels."""
    by_labels = {row.labels: row for row in baseline.rounds}
    shared = [row for row in arm.rounds if row.labels in by_labels]
    if not shared:
        return None
    ours = max(shared, key=lambda row: row.labels)
    return Comparison(labels=ours.labels, ours=ours, other=by_labels[ours.labels])


def sentences(arm: Arm, baseline: Arm, *, test_rows: int, seed: int) -> list[str]:
    """The outcome for people, whichever arm is ahead, and how far to trust it."""
    found = compare(arm, baseline)
    if found is None:
        return ["The two arms never had equally many labels, so they are not compared."]
    return [
        _evenness(found, arm.name, baseline.name),
        _quality(found, arm.name, baseline.name, test_rows=test_rows),
        f"This is one run with seed {seed}: another seed gives other figures, and small "
        "differences mean nothing.",
    ]


def _evenness(found: Comparison, ours: str, other: str) -> str:
    a, b = found.ours, found.other
    facts = (
        f"standard deviation of class counts {a.std:.1f} with {ours} and {b.std:.1f} with {other}, "
        f"normalised entropy {a.normalised_entropy:.2f} and {b.normalised_entropy:.2f}, "
        f"smallest class {min(a.counts.values())} and {min(b.counts.values())}"
    )
    lead = _lead(b.std - a.std, tie=TIE_STD * max(a.std, b.std), ours=ours, other=other)
    words = f"{lead} bought the evener labels" if lead else "the labels are about equally even"
    return _sentence(f"at {found.labels} labels each, {words}: {facts}.")


def _quality(found: Comparison, ours: str, other: str, *, test_rows: int) -> str:
    a, b = found.ours.macro_f1, found.other.macro_f1
    if a is None or b is None:
        return "Macro-F1 cannot be compared: one arm has no model."
    lead = _lead(a - b, tie=TIE_F1, ours=ours, other=other)
    words = f"{lead} is ahead" if lead else "the two are level"
    return _sentence(
        f"on macro-F1 {words}: {a:.3f} with {ours} and {b:.3f} with {other} "
        f"({a - b:+.3f}, on {test_rows:,} test rows)."
    )


def _lead(difference: float, *, tie: float, ours: str, other: str) -> str | None:
    """Who is ahead where ``difference`` is in favour of ours; None for a draw."""
    if abs(difference) <= tie:
        return None
    return ours if difference > 0 else other


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def warnings(arms: Sequence[Arm]) -> list[str]:
    """The service's own warnings, and what went otherwise than planned, by arm."""
    return [
        *(
            f"{arm.name}: {warning['message']} ({warning['code']})."
            for arm in arms
            for warning in arm.metrics["warnings"]
        ),
        *(f"{arm.name}: {note}." for arm in arms for note in arm.notes),
    ]


def about_variations(generator: str | None) -> str:
    """Who wrote the variations, and what that means for the figures."""
    name = (generator or "").partition(" ")[0]
    return {
        "": "No variations were written.",
        "simulated": (
            "Variations are held-out rows of the file that stand in for a language model "
            "(generator: simulated); a real one does less well."
        ),
        "perturb": (
            "Variations are rule-based edits (generator: perturb); they stay so close to their "
            "seeds that the screens keep few. With ANTHROPIC_API_KEY set, a language model writes."
        ),
    }.get(name, f"Variations were written by {generator}.")
