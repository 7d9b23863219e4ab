"""Experiment files: TOML read and checked whole, so that no run starts on a mistake."""

from __future__ import annotations

import hashlib
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast, get_args

from benchmarks.evidence.records import Arm, Experiment, Treatment
from core.errors import InvalidInput
from core.records import Choice

TABLES = {
    "": {
        "title",
        "question",
        "datasets",
        "evaluate",
        "baseline",
        "default",
        "parts",
        "transfer",
        "pool_share",
        "reserve_share",
        "budget",
        "seeds",
        "base",
        "grid",
        "arms",
    },
    "budget": {"start", "batch", "rounds", "dollars"},
    "seeds": {"first", "count"},
    "parts": {"best", "generated", "copies", "oracle"},
}
FEWEST = {"start": 2, "batch": 1, "rounds": 1}
"""A start of fewer than two labels cannot hold two classes, and so trains nothing."""
MOST_DOLLARS = 10_000
SHARES = {"pool_share": "(0, 1]", "reserve_share": "(0, 1)"}
ARM_FIELDS = {field.name for field in fields(Arm)}
CHOICES = {"encoder", "clusterer", "strategy", "learner", "generator"}
ONE_OF = {
    "start": ("random", "typical"),
    "treatment": get_args(Treatment),
    "evaluate": ("development", "test"),
}


def load_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file, named after the file.

    Raises InvalidInput that names the key and what is allowed: unreadable file, unknown
    keys, wrong types, arms of the same name, a baseline that is no arm.
    """
    try:
        text = path.read_text("utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as trouble:
        raise InvalidInput(f"cannot read {path}: {trouble}", code="invalid-experiment") from None
    digest = hashlib.sha256(text.encode()).hexdigest()
    return experiment_of(document, name=path.stem, sha256=digest)


def experiment_of(document: Mapping[str, Any], *, name: str, sha256: str = "") -> Experiment:
    """The experiment a parsed file describes; raises as ``load_experiment`` does."""
    for table, known in TABLES.items():
        part = document.get(table, {}) if table else document
        _known(_table(part, at=f"/{table}"), known=known, at=f"/{table}")
    base = _arm_values(document.get("base", {}), at="/base", allowed=ARM_FIELDS - {"name"})
    arms = tuple(_arms(document, base=base))
    plain: dict[str, Any] = {key: document[key] for key in SHARES if key in document}
    for key in ("title", "question", "evaluate", "baseline", "default"):
        if key in document:
            plain[key] = _text(document[key], at=f"/{key}")
    for key, value in document.get("budget", {}).items():
        if key in FEWEST:
            plain[key] = _whole(value, at=f"/budget/{key}", least=FEWEST[key])
    experiment = Experiment(
        name=name,
        datasets=tuple(_strings(document.get("datasets"), at="/datasets", least=1)),
        arms=arms,
        seeds=_seeds(document.get("seeds", {})),
        parts={
            part: _text(arm, at=f"/parts/{part}") for part, arm in document.get("parts", {}).items()
        },
        transfer=tuple(_strings(document.get("transfer", []), at="/transfer")),
        sha256=sha256,
        **{"title": name, "question": "", **plain},
    )
    return _with_limit(_checked(experiment), document.get("budget", {}).get("dollars"))


def _with_limit(experiment: Experiment, dollars: object) -> Experiment:
    """What paid arms may spend, shared out over their cells; a limit and paid arms come
    together, and such an arm names its model, because the run's key must tell it."""
    paid = [arm for arm in experiment.arms if arm.paid]
    for arm in paid:
        if arm.generator is None or "model" not in arm.generator.options:
            raise _refusal("/arms", f"arm {arm.name!r} is paid for and must name its model")
    if dollars is None and not paid:
        return experiment
    if dollars is None or not paid:
        what = "must be set where an arm is paid for" if paid else "is set and no arm is paid for"
        raise _refusal("/budget/dollars", what)
    limit = _between(dollars, at="/budget/dollars", least=0.01, most=MOST_DOLLARS)
    cells = len(paid) * len(experiment.datasets) * len(experiment.seeds)
    return replace(experiment, dollars=limit, cell_dollars=limit / cells)


def _arms(document: Mapping[str, Any], *, base: Mapping[str, Any]) -> list[Arm]:
    """The product of ``[grid]``, then the ``[[arms]]`` one by one."""
    grid = _table(document.get("grid", {}), at="/grid")
    _known(grid, known=ARM_FIELDS - {"name"}, at="/grid")
    arms = []
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise _refusal(f"/grid/{key}", "a grid entry is a list of values")
    for values in itertools.product(*grid.values()) if grid else ():
        chosen = _arm_values(dict(zip(grid, values, strict=True)), at="/grid", allowed=ARM_FIELDS)
        varied = {key: chosen[key] for key in grid if len(grid[key]) > 1} or chosen
        arms.append(Arm(**{**base, **chosen, "name": " / ".join(map(_words, varied.values()))}))
    for number, table in enumerate(_list(document.get("arms", []), at="/arms")):
        at = f"/arms/{number}"
        chosen = _arm_values(_table(table, at=at), at=at, allowed=ARM_FIELDS)
        values = {**base, **chosen}
        values.setdefault("name", _words(values.get("strategy", "")))
        arms.append(Arm(**values))
    return arms


def _arm_values(table: Mapping[str, Any], *, at: str, allowed: set[str]) -> dict[str, Any]:
    _known(_table(table, at=at), known=allowed, at=at)
    values: dict[str, Any] = {}
    for key, value in table.items():
        values[key] = _arm_value(key, value, at=f"{at}/{key}")
    return values


def _arm_value(key: str, value: object, *, at: str) -> object:
    """One setting of an arm, of the type and in the range its record names."""
    if key in CHOICES:
        return None if key == "generator" and value == "none" else _choice(value, at=at)
    if key in ONE_OF:
        if value not in ONE_OF[key]:
            raise _refusal(at, f"must be one of {', '.join(ONE_OF[key])}")
        return value
    if key in {"recluster", "reference"}:
        if not isinstance(value, bool):
            raise _refusal(at, "must be true or false")
        return value
    if key == "variations":
        return _whole(value, at=at)
    if key == "min_distance":
        return _between(value, at=at, least=0, most=2)
    return _text(value, at=at)


def _choice(value: object, *, at: str) -> Choice:
    """``"name"``, or a table of ``name`` and its options."""
    if isinstance(value, str) and value not in {"", "none"}:
        return Choice(name=value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return Choice(name=value["name"], options={k: v for k, v in value.items() if k != "name"})
    raise _refusal(at, "must be a name, or a table with a name and options")


def _words(value: object) -> str:
    """How an arm's name tells a setting: ``kmeans (count=20)``."""
    if isinstance(value, Choice):
        options = ", ".join(f"{k}={v}" for k, v in value.options.items())
        return f"{value.name} ({options})" if options else value.name
    return "none" if value is None else str(value)


def _seeds(table: Mapping[str, Any]) -> tuple[int, ...]:
    first = _whole(table.get("first", 0), at="/seeds/first", least=0)
    count = _whole(table.get("count", 20), at="/seeds/count")
    return tuple(range(first, first + count))


def _checked(experiment: Experiment) -> Experiment:
    """Refuse what does not fit together."""
    names = [arm.name for arm in experiment.arms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        what = f"named twice: {', '.join(twice)}" if twice else "none is described"
        raise _refusal("/arms", f"arms need names of their own; {what}")
    if experiment.evaluate not in ONE_OF["evaluate"]:
        raise _refusal("/evaluate", "must be development or test")
    for key, range_ in SHARES.items():
        share = getattr(experiment, key)
        _between(share, at=f"/{key}", least=0, most=1)
        if share == 0 or (share == 1 and range_.endswith(")")):
            raise _refusal(f"/{key}", f"must be a share in {range_}")
    parts = {"baseline": experiment.baseline, "default": experiment.default}
    parts |= {f"parts/{part}": arm for part, arm in experiment.parts.items()}
    for key, named in parts.items():
        if named is not None and named not in names:
            raise _refusal(f"/{key}", f"is no arm of this experiment; arms: {', '.join(names)}")
    return experiment


def with_seeds(experiment: Experiment, count: int) -> Experiment:
    """The same experiment with its first ``count`` seeds; raises InvalidInput below one."""
    _whole(count, at="/seeds/count")
    return replace(experiment, seeds=experiment.seeds[:count])


def _table(value: object, *, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refusal(at, "must be a table")
    return value


def _known(table: Mapping[str, Any], *, known: set[str], at: str) -> None:
    for key in table:
        if key not in known:
            raise _refusal(
                f"{at.rstrip('/')}/{key}", f"is unknown; known: {', '.join(sorted(known))}"
            )


def _strings(value: object, *, at: str, least: int = 0) -> Sequence[str]:
    if not isinstance(value, list) or len(value) < least:
        raise _refusal(at, "must be a list of names")
    if any(not isinstance(entry, str) for entry in value) or len(set(value)) < len(value):
        raise _refusal(at, "must be different names")
    return value


def _whole(value: object, *, at: str, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _refusal(at, f"must be a whole number of at least {least}")
    return value


def _text(value: object, *, at: str) -> str:
    if not isinstance(value, str) or not value:
        raise _refusal(at, "must be a text")
    return value


def _list(value: object, *, at: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise _refusal(at, "must be a list")
    return value


def _between(value: object, *, at: str, least: float, most: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= cast("float", value) <= most:
        raise _refusal(at, f"must be a number from {least} to {most}")
    return cast("float", value)


def _refusal(at: str, what: str) -> InvalidInput:
    return InvalidInput.at(at, f"{at}: {what}", code="invalid-experiment")
