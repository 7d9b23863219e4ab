"""One arm of the demo: a session driven over HTTP, round by round, with gold as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.demo.client import DemoClient, Document, ServiceRefusal
from benchmarks.demo.dataset import MEDIA_TYPES, Dataset
from benchmarks.demo.options import DemoOptions, DemoRefused, Plan

MOST_DECISIONS = 500
MOST_DOLLARS = 1.0
"""What one arm may spend where a paid generator is configured."""
NOTHING_LEFT = frozenset({"pool-empty", "budget-exceeded"})
TOO_EARLY = frozenset({"insufficient-classes", "nothing-new"})
WITHOUT_VARIATIONS = frozenset(
    {"source-unlabelled", "nothing-to-generate", "budget-exceeded", "generator-not-configured"}
)

Follow = Callable[[str, Document | None], None]
"""Hears what is being done, and of each answer about an operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round left. ``macro_f1`` is None where no model could be trained;
    ``written`` and ``kept`` count this round's variations; dollars are the round's."""

    number: int
    labels: int
    counts: Mapping[str, int]
    std: float
    normalised_entropy: float
    macro_f1: float | None
    written: int
    kept: int
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A finished session with what the service says of it."""

    name: str
    session_id: str
    settings: Mapping[str, Any]
    generator: str | None
    imported: Mapping[str, Any]
    rounds: tuple[Round, ...]
    metrics: Document
    clusters: Document
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One round's variations."""

    proposed: int = 0
    kept: int = 0
    dollars: float = 0.0
    generator: str | None = None
    note: str | None = None


def run_arm(
    client: DemoClient,
    data: Dataset,
    options: DemoOptions,
    plan: Plan,
    *,
    strategy: str | None,
    follow: Follow,
    show: Callable[[Round], None],
) -> Arm:
    """Create a session, fill it and run its rounds; ``strategy`` None = the default.

    Raises DemoRefused where the service refuses what the loop cannot do without.
    """
    session = client.post("/v1/sessions", _session(data, options, plan, strategy=strategy))
    base = f"/v1/sessions/{session['id']}"
    imported = _upload(client, base, data, follow=follow)
    rounds: list[Round] = []
    refused = imported.get("rejected", 0)
    notes = [f"{refused} rows of the file were refused"] if refused else []
    generator = None
    for number in range(1, plan.rounds + 1):
        if not _label_batch(client, base, number, follow=follow):
            notes.append(f"the pool was used up after {number - 1} rounds")
            break
        written = _generate(client, base, number, follow=follow)
        generator = written.generator or generator
        notes += [written.note] if written.note else []
        trained = _retrain(client, base, number, follow=follow)
        notes += [trained] if trained else []
        rounds.append(_round(client.get(f"{base}/metrics"), number, written))
        show(rounds[-1])
    settings = session["settings"]
    return Arm(
        name=settings["strategy"]["name"],
        session_id=session["id"],
        settings=settings,
        generator=generator,
        imported=imported,
        rounds=tuple(rounds),
        metrics=client.get(f"{base}/metrics"),
        clusters=client.get(f"{base}/metrics/clusters"),
        notes=tuple(dict.fromkeys(notes)),
    )


def _session(
    data: Dataset, options: DemoOptions, plan: Plan, *, strategy: str | None
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "batch_size": plan.batch_size,
        "oracle": "gold",
        "generator": options.generator,
        "seed": options.seed,
        "budget": {"dollars": MOST_DOLLARS},
    }
    if strategy is not None:
        settings["strategy"] = strategy
    return {
        "name": f"demo: {data.title}"[:200],
        "task": {"labels": [dict(label) for label in data.classes]},
        "guidelines": data.guidelines,
        "settings": settings,
    }


def _upload(client: DemoClient, base: str, data: Dataset, *, follow: Follow) -> Mapping[str, Any]:
    """Import the file and wait until its rows are indexed."""
    request = data.request
    params = {
        "text_column": request.text_column,
        "id_column": request.id_column or "",
        "gold_column": request.gold_column or "",
        "split_column": request.split_column or "",
        "split_values": ",".join(
            f"{name}:{split}" for name, split in sorted(request.split_values.items()) if name
        ),
        "lang_column": "",
        "test_share": request.test_share,
        "reserve_share": request.reserve_share,
        "on_conflict": "skip",
    }
    follow("uploading", None)
    operation = client.upload(
        f"{base}/imports",
        data.path,
        media_type=MEDIA_TYPES[request.format],
        gzip=request.gzip,
        params={name: value for name, value in params.items() if name != "split_values" or value},
    )
    follow("reading the file", operation)
    result = client.finished(operation, watch=lambda o: follow("reading the file", o))["result"]
    if result.get("index_operation"):
        operation = client.get(f"/v1/operations/{result['index_operation']}")
        client.finished(operation, watch=lambda o: follow("indexing", o))
    found: Mapping[str, Any] = result
    return found


def _label_batch(client: DemoClient, base: str, number: int, *, follow: Follow) -> bool:
    """Select a batch and have gold answer it; False where nothing is left to pick."""
    follow(f"round {number}: selecting", None)
    try:
        batch = client.post(f"{base}/select")
    except ServiceRefusal as refusal:
        if refusal.code in NOTHING_LEFT:
            return False
        raise
    follow(f"round {number}: labelling", None)
    client.post(f"{base}/label", {"oracle": "gold", "batch_id": batch["id"]})
    return True


def _generate(client: DemoClient, base: str, number: int, *, follow: Follow) -> Written:
    """Write variations of the round's labels and review them; trouble is noted, not fatal."""
    words = f"round {number}: writing variations"
    follow(words, None)
    try:
        operation = client.post(f"{base}/generate")
    except ServiceRefusal as refusal:
        if refusal.code in WITHOUT_VARIATIONS:
            return Written(note=f"round {number} without variations: {refusal.code}")
        raise
    try:
        result = client.finished(operation, watch=lambda o: follow(words, o))["result"]
    except DemoRefused as trouble:
        return Written(note=f"round {number}: {trouble}")
    follow(f"round {number}: reviewing", None)
    kept = _review(client, base, operation["id"])
    return Written(
        proposed=result["proposed"] + result["accepted"] + result["dropped"],
        kept=kept + result["accepted"],
        dollars=result["dollars"],
        generator=result["generator"] + (f" ({result['model']})" if result["model"] else ""),
        note="the budget for generation was spent" if result["stopped"] else None,
    )


def _review(client: DemoClient, base: str, operation_id: str) -> int:
    """Accept what passed every screen and reject the rest; how many were accepted."""
    rows = client.rows(f"{base}/generations", operation_id=operation_id, state="proposed")
    decisions = [
        {"generation_id": row["id"], "decision": "accept"}
        if all(screen["passed"] for screen in row["screens"])
        else {"generation_id": row["id"], "decision": "reject", "reason": "failed a screen"}
        for row in rows
    ]
    accepted = 0
    for start in range(0, len(decisions), MOST_DECISIONS):
        part = decisions[start : start + MOST_DECISIONS]
        accepted += client.post(f"{base}/generations/review", {"decisions": part})["accepted"]
    return accepted


def _retrain(client: DemoClient, base: str, number: int, *, follow: Follow) -> str | None:
    """Train and activate; a remark where it is too early to."""
    words = f"round {number}: training"
    follow(words, None)
    try:
        operation = client.post(f"{base}/retrain")
    except ServiceRefusal as refusal:
        if refusal.code in TOO_EARLY:
            return f"no model after round {number}: {refusal.code}"
        raise
    client.finished(operation, watch=lambda o: follow(words, o))
    return None


def _round(metrics: Document, number: int, written: Written) -> Round:
    facts = metrics["evenness"][-1]
    models = [m for m in metrics["learning_curve"]["models"] if m["round"] == facts["round"]]
    return Round(
        number=number,
        labels=facts["labels"],
        counts=facts["counts"],
        std=facts["std"],
        normalised_entropy=facts["normalised_entropy"],
        macro_f1=models[-1]["macro_f1"] if models else None,
        written=written.proposed,
        kept=written.kept,
        dollars=written.dollars,
    )
