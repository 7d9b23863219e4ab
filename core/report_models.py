"""What each model gets right and wrong: confusions, recall by class and calibration."""

from __future__ import annotations

from collections.abc import Iterable
from math import isclose
from typing import Any

from core.intervals import DRAWS, LEVEL, macro_f1_interval
from core.records import Model, Options, Task
from core.reporting import learning_curve

METHOD = (
    f"percentile bootstrap over the rows it was scored on, {DRAWS:,} draws: how far the score "
    "would move with other rows, not with other labels"
)


def interval_of(model: Model) -> list[float] | None:
    """The 95 % interval of its macro-F1; None where no table of confusions is stored."""
    table = model.metrics.get("confusion")
    found = macro_f1_interval(table) if table else None
    return None if found is None else [round(found[0], 4), round(found[1], 4)]


def curve_with_intervals(models: Iterable[Model]) -> Options:
    """The learning curve, each score with its interval, and what that interval means."""
    known = list(models)
    intervals = {model.id: interval_of(model) for model in known}
    rows = [{**row, "interval": intervals[row["model_id"]]} for row in learning_curve(known)]
    return {"models": rows, "interval": {"level": LEVEL, "method": METHOD}}


def model_figures(models: Iterable[Model], *, task: Task) -> Options:
    """Per model by version: its confusions, figures by class and calibration.

    ``confusion`` has a row per true class and a column per predicted one, in the order of
    ``per_class``; None for a multi-label model, whose answers are sets, and for one that
    nothing was held out for.
    """
    return {
        "classes": [{"id": c.id, "name": c.name} for c in task.classes],
        "models": [_row(m, task=task) for m in sorted(models, key=lambda m: m.version)],
    }


def _row(model: Model, *, task: Task) -> dict[str, Any]:
    found = model.metrics
    known = found.get("per_class", {})
    per_class = [{"id": c, **known[c]} for c in task.class_ids if c in known]
    return {
        "model_id": model.id,
        "version": model.version,
        "round": model.round,
        "state": model.state,
        "evaluated_on": model.evaluated_on,
        "rows": found.get("rows", 0),
        "macro_f1": found.get("macro_f1"),
        "interval": interval_of(model),
        "per_class": per_class,
        "confusion": _confusion(found.get("confusion"), per_class=per_class),
        "calibration_error": found.get("calibration_error"),
        "calibration": found.get("calibration"),
        "log_loss": found.get("log_loss"),
    }


def _confusion(
    table: list[list[int]] | None, *, per_class: list[dict[str, Any]]
) -> list[list[int]] | None:
    """The table, where its rows still are the classes in that order.

    A schema that was put in another order since would otherwise name them wrongly.
    """
    if table is None or len(table) != len(per_class):
        return None
    same = all(
        sum(row) == c["support"] and isclose(row[n], c["recall"] * c["support"], abs_tol=0.01)
        for n, (row, c) in enumerate(zip(table, per_class, strict=True))
    )
    return table if same else None
