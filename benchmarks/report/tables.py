"""The report's tables: evenness and accuracy per data set, the sets, the arms and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report.stored import Stored

NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Headings and rows of cells that Markdown reads as plain text.

    ``words`` are the columns that stand to the left; the others are numbers.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)

    def markdown(self) -> str:
        """The table in Markdown, numbers to the right."""
        marks = ["---" if i in self.words else "---:" for i in range(len(self.headings))]
        lines = [self.headings, marks, *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def evenness(stored: Stored, dataset: str) -> Table:
    """Spread of the class counts, its ratio to the baseline's, entropy and the smallest class."""
    ratios = stored.data["ratios"].get(dataset, {})
    rows = [
        [
            named(stored, name),
            _mean(stored.last(dataset, name, "std"), digits=1),
            _interval(ratios.get(name, {}).get("std_ratio"), digits=2),
            _interval(stored.last(dataset, name, "normalised_entropy"), digits=3),
            _mean(stored.last(dataset, name, "smallest_class"), digits=1),
        ]
        for name in _order(stored, dataset)
    ]
    headings = ["arm", "std of class counts", f"ratio to {cell(stored.baseline)}"]
    return Table(headings=[*headings, "normalised entropy", "smallest class"], rows=rows)


def accuracy(stored: Stored, dataset: str) -> Table:
    """Macro-F1, the paired difference with its p value, and wins, ties and losses by seed.

    The stricter interval over seeds and test rows has a column where it is known.
    """
    strict = any(stored.crossed(dataset, name) for name in stored.arms())
    headings = ["arm", "macro-F1 [95 %]", f"difference to {cell(stored.baseline)} [95 %]"]
    headings += ["over seeds and test rows"] if strict else []
    rows = []
    for name in _order(stored, dataset):
        found = stored.compared(dataset, name, "macro_f1")
        row = [
            named(stored, name),
            _interval(stored.last(dataset, name, "macro_f1"), digits=3),
            _interval(found, digits=3, sign="+"),
        ]
        row += [_range(stored.crossed(dataset, name))] if strict else []
        rows.append([*row, *_tests(found)])
    return Table(headings=[*headings, "Holm p", "wins / ties / losses"], rows=rows)


def sets(stored: Stored) -> Table:
    """Each set's rows by use, its classes and where it comes from."""
    rows = []
    for name in stored.datasets():
        facts = stored.data["datasets"].get(name, {})
        classes = facts.get("classes", {})
        pools = [counts.get("pool", 0) for counts in classes.values()] or [0]
        total = {
            use: sum(c.get(use, 0) for c in classes.values()) for use in ("pool", "reserve", "test")
        }
        rows.append(
            [
                cell(name),
                str(len(classes)),
                f"{max(pools):,} to {min(pools):,}",
                *(f"{total[use]:,}" for use in ("pool", "reserve", "test")),
                cell(str(facts.get("licence", NONE))),
                cell(str(facts.get("rule") or "as published")),
            ]
        )
    headings = ["set", "classes", "largest to smallest in the pool", "pool", "reserve", "test"]
    return Table(headings=[*headings, "licence", "rows are"], rows=rows, words=(0, 6, 7))


def arms(stored: Stored) -> Table:
    """Every arm with the settings in which the arms differ."""
    kept = [arm for arm in stored.data["arms"] if arm["name"] in stored.arms()]
    varied = [
        key
        for key in ("strategy", *sorted(set(kept[0]) - {"name", "reference", "strategy"}))
        if key == "strategy" or len({str(arm[key]) for arm in kept}) > 1
    ]
    rows = [[named(stored, a["name"]), *(cell(said(a[key])) for key in varied)] for a in kept]
    headings = ["arm", *(key.replace("_", " ") for key in varied)]
    return Table(headings=headings, rows=rows, words=range(len(headings)))


def shared(stored: Stored) -> list[str]:
    """The settings that all arms have in common, as "name: value"."""
    kept = [arm for arm in stored.data["arms"] if arm["name"] in stored.arms()]
    return [
        cell(f"{key.replace('_', ' ')}: {said(kept[0][key])}")
        for key in sorted(set(kept[0]) - {"name", "reference", "strategy"})
        if len({str(arm[key]) for arm in kept}) == 1
    ]


def facts(stored: Stored) -> Table | None:
    """What was measured once an arm (other heads' scores and the like); None when nothing was."""
    names = sorted({f for arms in stored.cells.values() for c in arms.values() for f in c["facts"]})
    if not names:
        return None
    rows = [
        [cell(dataset), named(stored, arm), *(_number(found["facts"].get(n)) for n in names)]
        for dataset in stored.datasets()
        for arm in _order(stored, dataset)
        for found in [stored.cells[dataset][arm]]
        if found["facts"]
    ]
    return Table(
        headings=["set", "arm", *(cell(n.replace("_", " ")) for n in names)],
        rows=rows,
        words=(0, 1),
    )


def cell(text: str) -> str:
    """A name may hold what Markdown would read as markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\|<>`[]*&" else sign for sign in flat)


def said(value: Any) -> str:
    """A setting in words: a component with its options, yes or no, a plain value."""
    if isinstance(value, Mapping):
        options = ", ".join(f"{k} {said(v)}" for k, v in sorted(value["options"].items()))
        return f"{value['name']} ({options})" if options else str(value["name"])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _order(stored: Stored, dataset: str) -> Iterable[str]:
    names = (*stored.candidates(), *stored.references())
    return (name for name in names if name in stored.cells[dataset])


def named(stored: Stored, name: str) -> str:
    """The default bold, a reference said to be one."""
    if name == stored.default:
        return f"**{cell(name)}**"
    return f"{cell(name)} (reference)" if name in stored.references() else cell(name)


def _tests(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return [NONE, NONE]
    p = "< .001" if found["p_holm"] < 0.001 else f"{found['p_holm']:.3f}"
    return [p, f"{found['wins']} / {found['ties']} / {found['losses']}"]


def _mean(spread: Mapping[str, Any] | None, *, digits: int) -> str:
    return NONE if spread is None else f"{spread['mean']:.{digits}f}"


def _interval(spread: Mapping[str, Any] | None, *, digits: int, sign: str = "") -> str:
    """Mean [low, high]; the mean alone where there is no interval."""
    if spread is None:
        return NONE
    mean = f"{spread['mean']:{sign}.{digits}f}"
    return mean if spread["low"] is None else f"{mean} {_range(spread, digits=digits, sign=sign)}"


def _range(spread: Mapping[str, Any] | None, *, digits: int = 3, sign: str = "+") -> str:
    if spread is None:
        return NONE
    low, high = (f"{spread[end]:{sign}.{digits}f}" for end in ("low", "high"))
    return f"\\[{low}, {high}\\]"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
