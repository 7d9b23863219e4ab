"""An exported data set's card and splits, in the form that Hugging Face's library reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from core.export_rows import Row
from core.records import Session


def place(row: Row, *, share: float) -> Literal["train", "validation"] | None:
    """Where a row goes: ``share`` of the human rows to validation, by the hash of their id.

    A variation follows its seed into training, and is left out where the seed validates:
    a model must not be judged on what it has seen a copy of.
    """
    seed = row["seed_item_id"] if row["synthetic"] else row["id"]
    digest = hashlib.sha256(str(seed).encode()).digest()
    if int.from_bytes(digest[:8]) >= share * 2**64:
        return "train"
    return None if row["synthetic"] else "validation"


def data_card(
    session: Session,
    splits: Mapping[str, Sequence[Row]],
    *,
    licence: str | None,
    label_watermark: int,
    left_out: int,
) -> str:
    """README.md of the folder: a YAML head that names files and licence, then the facts.

    ``licence`` None is written as unknown: whoever publishes the texts has to know it.
    Everything that a person typed is quoted as JSON strings are, which YAML reads alike.
    """
    lines = [
        "---",
        f"license: {licence or 'unknown'}",
        "task_categories:",
        "- text-classification",
        "tags:",
        "- content-moderation",
        "- synthetic",
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for name in splits:
        lines += [f"  - split: {name}", f"    path: data/{name}.parquet"]
    lines += ["---", "", "# Training data exported by Tailwise", ""]
    lines += [
        f"Session `{session.id}`, labels up to number {label_watermark}, guidelines version "
        f"{session.guidelines_version}.",
        "",
        "| split | class | by people | written by a generator |",
        "|---|---|---:|---:|",
    ]
    for name, rows in splits.items():
        lines += _counts(name, rows, classes=session.task.class_ids)
    lines += [
        "",
        "- `labels` are the classes of a text; `weight` is what a row weighs in training here.",
        "- `synthetic` rows were written by a generator from a labelled text; `seed_item_id`, "
        "`generator`, `model`, `template_id`, `template_version`, `template_sha256` and "
        "`prompt_sha256` say from which and how, `reviewer` who accepted them.",
        f"- Validation holds {session.settings.holdout:.0%} of what people labelled, by the hash "
        f"of its id, and nothing synthetic. {left_out} variations of its texts are left out of "
        "both splits.",
        "- The texts were chosen by active learning, so class counts say nothing about how often "
        "a class occurs.",
        "- A detector trained on this flags texts for people; it must not decide about a person "
        "alone.",
    ]
    return "\n".join(lines) + "\n"


def _counts(name: str, rows: Sequence[Row], *, classes: Sequence[str]) -> list[str]:
    found: Counter[tuple[str, bool]] = Counter()
    for row in rows:
        found.update((label, row["synthetic"]) for label in row["labels"])
    return [
        f"| {name} | `{_plain(label)}` | {found[label, False]} | {found[label, True]} |"
        for label in classes
    ]


def _plain(label: str) -> str:
    """A class id that cannot end its table cell."""
    return label.replace("|", "\\|").replace("`", "'").replace("\n", " ")
