"""How people's answers are doing, for leads."""

from __future__ import annotations

from typing import Any

from marshmallow import pre_dump

from api.schemas.documents import Answer
from api.schemas.fields import Items, Nested, Object, Real, Text, Whole, shape
from core.agreement import Agreement
from core.rounds.quality import CheckScore, Quality

NUMBER_OR_NULL = {"type": ["number", "null"]}


class AgreementSchema(Answer):
    """Agreement between people on the items that at least two answered."""

    items = Whole("Items with answers of at least two people.")
    raters = Whole("People who gave them.")
    agreed = Whole("Items that all answered alike.")
    alpha = Real("Krippendorff's alpha; null where it is undefined.", allow_none=True)
    kappa = Real("Cohen's kappa, averaged over pairs of people.", allow_none=True)
    reason = Text("Why a figure is null.", allow_none=True)
    per_label = Object(
        "The same for each class: whether it applies.",
        metadata=shape(
            type="object", properties={"alpha": NUMBER_OR_NULL, "kappa": NUMBER_OR_NULL}
        ),
    )


class DisagreementSchema(Answer):
    """Two answers that people gave to the same items."""

    labels = Items(Text("An answer; several classes with + between."), "The two.", dump_only=True)
    items = Whole("How many items.")


class PersonChecksSchema(Answer):
    """One person's answers to check items."""

    annotator_id = Text("Who.")
    name = Text("The person's name.", allow_none=True)
    answered = Whole("Check items answered.")
    right = Whole("Those with the known label.")


class ChecksSchema(Answer):
    """Answers to items whose label is known."""

    answered = Whole("Check items answered.")
    right = Whole("Those with the known label.")
    by_label = Object("By the known label.", metadata=shape(type="object"))
    by_person = Items(Nested(PersonChecksSchema), "By person.", dump_only=True)


class QualitySchema(Answer):
    """Agreement, checks, skips, flags and pace."""

    agreement = Nested(AgreementSchema)
    disagreements = Items(Nested(DisagreementSchema), "Most frequent first.", dump_only=True)
    checks = Nested(ChecksSchema)
    skips = Object("Skips in total.", metadata=shape(type="integer"))
    flags = Object("Flags: open, and all by reason.")
    throughput = Object("Answers of the last hour and day, and how long they took.")

    @pre_dump
    def _flatten(self, found: Quality, **_kwargs: Any) -> dict[str, Any]:
        return {
            "agreement": {
                **_agreement(found.agreement),
                "per_label": {label: _agreement(one) for label, one in found.by_label.items()},
            },
            "disagreements": [
                {"labels": [one, other], "items": number}
                for one, other, number in found.disagreements
            ],
            "checks": {
                **_score(found.checks),
                "by_label": {n: _score(one) for n, one in found.checks_by_label.items()},
                "by_person": [
                    {"annotator_id": p.annotator_id, "name": p.name, **_score(p.score)}
                    for p in found.checks_by_person
                ],
            },
            "skips": {"total": found.skipped},
            "flags": {"open": found.flags_open, "by_reason": dict(found.flags_by_reason)},
            "throughput": {
                "answered_1h": found.answered_hour,
                "answered_24h": found.answered_day,
                "median_ms": found.median_ms,
            },
        }


def _agreement(found: Agreement) -> dict[str, Any]:
    names = ("items", "raters", "agreed", "alpha", "kappa", "reason")
    return {name: getattr(found, name) for name in names}


def _score(score: CheckScore) -> dict[str, int]:
    return {"answered": score.answered, "right": score.right}
