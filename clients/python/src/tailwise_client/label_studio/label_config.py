"""Label Studio's labelling configuration, made from a session's classes."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from tailwise_client.records.sessions import LabelClass, Task

TEXT = "text"
BEFORE = "before"
CHOICES = "label"
KEYS = "1234567890"


def label_config(task: Task) -> str:
    """The XML: what came before, the text, and one choice per class.

    A class is shown by its name, with its definition as a hint; annotations hold its id (the
    ``alias``). The first ten classes have number keys.
    """
    view = ET.Element("View")
    ET.SubElement(view, "Text", name=BEFORE, value=f"${BEFORE}")
    ET.SubElement(view, "Text", name=TEXT, value=f"${TEXT}")
    several = task.type == "multi"
    choices = ET.SubElement(
        view,
        "Choices",
        name=CHOICES,
        toName=TEXT,
        choice="multiple" if several else "single",
        required="false" if several else "true",
        showInline="false",
    )
    shown = shown_names(task.labels)
    for place, label in enumerate(task.labels):
        choice = ET.SubElement(choices, "Choice", value=shown[label.id], alias=label.id)
        if label.definition:
            choice.set("hint", label.definition)
        if place < len(KEYS):
            choice.set("hotkey", KEYS[place])
    return ET.tostring(view, encoding="unicode")


def shown_names(labels: Sequence[LabelClass]) -> Mapping[str, str]:
    """What each class is shown as: its name, or its id where the name says too little."""
    names = Counter(label.name for label in labels)
    return {
        label.id: label.name if label.name and names[label.name] == 1 else label.id
        for label in labels
    }


def instructions(guidelines: str) -> str:
    """Guidelines as the HTML that Label Studio shows; nothing in them is markup there."""
    return html.escape(guidelines).replace("\n", "<br>")
