"""The model card of an exported model, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.records import Labels

_RUN = """import json

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
session = onnxruntime.InferenceSession("model.onnx")
with open("labels.json") as file:
    classes = json.load(file)["classes"]


def predict(text):
    ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": 0 * ids}
    wanted = {entry.name for entry in session.get_inputs()}
    return session.run(["probabilities"], {name: feed[name] for name in wanted})[0][0]


print(dict(zip(classes, predict("How are you today?").tolist())))
"""

_NAME = """
with open("labels.json") as file:
    thresholds = json.load(file)["thresholds"]

found = dict(zip(classes, predict("How are you today?").tolist()))
print([name for name in classes if found[name] >= thresholds[name]])
"""


def model_card(*, classes: Labels, card: Mapping[str, Any], multi_label: bool = False) -> str:
    """Title, how to run it, the classes, then one section per entry of ``card``.

    A mapping becomes a table, a sequence a list, anything else a paragraph; ``title`` and
    ``intended_use`` come first, and ``classes`` may say more of them than their ids. With
    ``multi_label`` it says how the thresholds of ``labels.json`` are applied.
    """
    first = {"title", "intended_use", "classes"}
    rest = {name: value for name, value in card.items() if name not in first}
    run = _RUN + _NAME if multi_label else _RUN
    meaning = (
        "is a probability of its own: a text has a class where it reaches the class's threshold"
        if multi_label
        else "sums to 1"
    )
    each = "entry" if multi_label else "row"
    parts = [
        f"# {_line(card.get('title', 'Text classifier'))}",
        "Made with Tailwise: from token ids to class probabilities in one ONNX file.",
        _section("intended_use", card["intended_use"]) if "intended_use" in card else "",
        f"## How to run it\n\n`pip install onnxruntime tokenizers`, then:\n\n```python\n{run}```",
        "The model reads tokens up to the length set in `tokenizer.json` and no further. Each "
        f"{each} of `probabilities` {meaning}, in the order of `labels.json`.",
        _section("classes", card.get("classes", classes)),
        *(_section(name, value) for name, value in rest.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(name: str, value: Any) -> str:
    return f"## {_line(name.replace('_', ' ')).capitalize()}\n\n{_block(value)}"


def _block(value: Any) -> str:
    if isinstance(value, Mapping):
        rows = [f"| {_line(key)} | {_cell(entry)} |" for key, entry in value.items()]
        return "\n".join(["| what | value |", "|---|---|", *rows])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(f"- {_line(entry)}" for entry in value)
    return _line(value)


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_line(key)}: {_cell(entry)}" for key, entry in value.items())
    if isinstance(value, float):
        return f"{value:.6g}"
    return _line(value)


def _line(value: Any) -> str:
    """One line of text that cannot break out of its place or carry markup."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
