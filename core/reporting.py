"""What a session's records add up to: balance, evenness, learning, generation and cost.

Every function is pure and answers JSON-shaped facts; a class always appears with its id
and name, in the order of the schema, zeros included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from core.errors import InvalidInput
from core.metrics import class_counts, normalised_entropy, smallest_class, std
from core.records import Batch, Generation, GenerationState, Labels, Model, Operation, Options, Task

PLOTS = ("balance", "evenness", "curve", "clusters", "entropy", "cost", "funnel")
USABLE = frozenset({"accepted", "edited"})
FATES = ("proposed", "accepted", "edited", "rejected", "dropped")

WrittenCounts: TypeAlias = Mapping[tuple[str, str, GenerationState], int]
"""Generated rows by (class id, template id, state); one with two classes is in both."""
TotalCounts: TypeAlias = Mapping[tuple[str, GenerationState], int]
"""Generated rows by (template id, state), each once."""


def check_plot(name: str, *, known: Sequence[str] = PLOTS) -> None:
    """Raises InvalidInput ``unknown-plot`` unless ``name`` is a known picture."""
    if name not in known:
        raise InvalidInput.at(
            "/plot",
            f"there is no plot of that name; known: {', '.join(known)}",
            code="unknown-plot",
            allowed=list(known),
        )


def balance(
    task: Task,
    *,
    human: Mapping[str, int],
    written: WrittenCounts,
    predicted: Mapping[str, int] | None,
    answers: int | None = None,
    totals: TotalCounts | None = None,
) -> Options:
    """Each class now: labels by people, usable variations, predictions, target share.

    ``predicted`` counts the unlabelled pool by the active model's top class; None
    before the first model. ``human_share`` is 0 while nothing is labelled. An answer
    with several classes counts for each: ``answers`` is then how many answers there are,
    and ``totals`` the variations each once.
    """
    shares = task.target_shares()
    generated = Counter[str]()
    for (class_id, _, state), number in written.items():
        generated[class_id] += number if state in USABLE else 0
    total = sum(human.values())
    rows = [
        {
            "id": c.id,
            "name": c.name,
            "human": human.get(c.id, 0),
            "human_share": human.get(c.id, 0) / total if total else 0.0,
            "generated": generated[c.id],
            "predicted": None if predicted is None else predicted.get(c.id, 0),
            "target_share": shares[c.id],
        }
        for c in task.classes
    ]
    labelled = total if answers is None else answers
    once = _each_once(written) if totals is None else totals
    usable = sum(number for (_, state), number in once.items() if state in USABLE)
    return {"classes": rows, "labelled": labelled, "generated": usable}


def _each_once(written: WrittenCounts) -> TotalCounts:
    """Right where every row has one class."""
    totals: Counter[tuple[str, GenerationState]] = Counter()
    for (_, template, state), number in written.items():
        totals[template, state] += number
    return totals


def evenness(
    task: Task, *, batches: Sequence[Batch], answers: Mapping[str, Labels]
) -> list[dict[str, Any]]:
    """One row per round: the answers of all batches up to it, and how even they are.

    ``answers`` are current labels by item id. Labels given outside of batches are in
    no round.
    """
    rows = []
    so_far: list[Labels] = []
    for batch in batches:
        found = [answers[i.item_id] for i in batch.items if i.item_id in answers]
        so_far.extend(found)
        counts = class_counts(so_far, classes=task.class_ids)
        name, least = smallest_class(counts)
        rows.append(
            {
                "round": batch.round,
                "batch_id": batch.id,
                "strategy": batch.strategy_used,
                "added": len(found),
                "labels": len(so_far),
                "counts": counts,
                "std": std(counts),
                "normalised_entropy": normalised_entropy(counts),
                "smallest_class": name,
                "smallest_count": least,
            }
        )
    return rows


def learning_curve(models: Iterable[Model]) -> list[dict[str, Any]]:
    """One row per model by version; scores are None where nothing could be held out."""
    return [
        {
            "model_id": model.id,
            "version": model.version,
            "round": model.round,
            "state": model.state,
            "labels": model.parameters.get("human_rows", sum(model.human_counts.values())),
            "generated": model.parameters.get(
                "generated_rows", sum(model.generated_counts.values())
            ),
            "evaluated_on": model.evaluated_on,
            "macro_f1": model.metrics.get("macro_f1"),
            "accuracy": model.metrics.get("accuracy", model.metrics.get("subset_accuracy")),
            "recall": {
                class_id: found["recall"]
                for class_id, found in model.metrics.get("per_class", {}).items()
            },
        }
        for model in sorted(models, key=lambda model: model.version)
    ]


def generation(task: Task, *, written: WrittenCounts, totals: TotalCounts | None = None) -> Options:
    """The funnel: rows by what became of them, per class and per template.

    Where rows may have several classes, ``totals`` counts each once.
    """
    once = _each_once(written) if totals is None else totals
    return {
        "by_class": [
            {"class": c.id, "name": c.name, **_fates(_of_class(written, c.id))}
            for c in task.classes
        ],
        "by_template": [
            {"template": name, **_fates(_of_template(once, name))}
            for name in sorted({template for template, _ in once})
        ],
    }


def _of_class(written: WrittenCounts, class_id: str) -> Iterator[tuple[str, int]]:
    return ((state, n) for (name, _, state), n in written.items() if name == class_id)


def _of_template(totals: TotalCounts, template: str) -> Iterator[tuple[str, int]]:
    return ((state, n) for (name, state), n in totals.items() if name == template)


def _fates(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Rows by state."""
    found = Counter[str]()
    for state, number in rows:
        found[state] += number
    return {fate: found[fate] for fate in FATES}


def cost(
    *,
    operations: Sequence[Operation],
    batches: Sequence[Batch],
    dollars: Mapping[str, float],
    task: Task,
) -> Options:
    """Money by generate operation and by round, and refusals by class.

    ``operations`` are the session's generate operations; ``dollars`` the ledger's sums
    by operation id, unsettled reservations included.
    """
    spent = [
        {
            "operation_id": op.id,
            "round": round_of(op, batches),
            "state": op.state,
            "dollars": dollars.get(op.id, 0.0),
            "calls": (op.result or {}).get("calls", 0),
            "outcomes": dict((op.result or {}).get("outcomes", {})),
        }
        for op in sorted(operations, key=lambda op: (op.created_at, op.id))
    ]
    refused: Counter[str] = Counter()
    for op in operations:
        refused.update((op.result or {}).get("refused_by_class", {}))
    return {
        "total_dollars": sum(dollars.values()),
        "operations": spent,
        "rounds": _by_round(spent),
        "refused_by_class": {c: refused[c] for c in task.class_ids},
    }


def _by_round(spent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    sums: dict[int, float] = defaultdict(float)
    for row in spent:
        sums[row["round"]] += row["dollars"]
    rows, total = [], 0.0
    for number in sorted(sums):
        total += sums[number]
        rows.append({"round": number, "dollars": sums[number], "cumulative_dollars": total})
    return rows


def round_of(operation: Operation, batches: Sequence[Batch]) -> int:
    """The round an operation belongs to: as it says, or the last one begun before it."""
    told = (operation.result or {}).get("round")
    if isinstance(told, int):
        return told
    return max((b.round for b in batches if b.created_at <= operation.created_at), default=0)


def lost_label_counts(rows: Iterable[Generation]) -> tuple[int, int]:
    """(checked, lost): variations whose label a reviewer or the learner has judged.

    Lost: a reviewer gave it another label, or the learner read another class in it and
    no reviewer has overruled that.
    """
    checked = lost = 0
    for row in rows:
        verdict = _kept_label(row)
        checked += verdict is not None
        lost += verdict is False
    return checked, lost


def _kept_label(row: Generation) -> bool | None:
    """Whether a variation kept its seed's label; None where nobody has looked."""
    agreed = next((s.passed for s in row.screens if s.check == "learner_agreement"), None)
    by_people = row.reviewer not in {None, "screens"}
    if row.state == "dropped":
        return None
    if by_people and row.state in USABLE:
        return row.original_labels is None or row.original_labels == row.labels
    if by_people and agreed is None:
        return True
    return agreed
