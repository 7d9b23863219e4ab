"""A small multi-label world: sentences on one topic, on two at once, and on none of them."""

from __future__ import annotations

from itertools import product

from core.records import Choice, LabelClass, NewItem, SessionSettings, Task
from core.requests import NewSession
from tests.corpus import FRAMES, TOPICS, texts_of

SKY = ("clouds", "stars", "thunder", "moonlight", "comets")
SIZES = {
    (): 16,
    ("garden",): 36,
    ("kitchen",): 24,
    ("harbour",): 10,
    ("garden", "kitchen"): 16,
    ("garden", "harbour"): 10,
}
"""Pool rows by label set, in two long tails at once."""
TEST = RESERVE = 6


def texts_on(topics: tuple[str, ...], count: int) -> list[str]:
    """``count`` distinct texts that are about every one of ``topics``, or about the sky."""
    if not topics:
        pairs = [(a, b) for a, b in product(SKY, SKY) if a != b]
        return [frame.format(*pair) for pair, frame in product(pairs, FRAMES)][::3][:count]
    parts = [texts_of(topic, count) for topic in topics]
    return [", and ".join(sentences) for sentences in zip(*parts, strict=True)]


def items() -> list[NewItem]:
    """Pool, test and reserve rows of every label set, all with gold."""
    rows = []
    for labels, size in SIZES.items():
        texts = texts_on(labels, size + TEST + RESERVE)
        splits = ["test"] * TEST + ["reserve"] * RESERVE + ["pool"] * size
        for number, (text, split) in enumerate(zip(texts, splits, strict=True)):
            rows.append(
                NewItem(
                    external_id=f"{'+'.join(labels) or 'none'}-{number}",
                    text=text,
                    split=split,  # type: ignore[arg-type]
                    gold=tuple(sorted(labels)),
                )
            )
    return rows


def new_session(**settings: object) -> NewSession:
    """Three classes of which a text may have any number; hashing vectors, gold answers."""
    chosen: dict[str, object] = {
        "encoder": Choice(name="hashing"),
        "oracle": Choice(name="gold"),
        "generator": Choice(name="simulated"),
        "batch_size": 16,
        **settings,
    }
    return NewSession(
        name="topics, several at once",
        task=Task(
            classes=tuple(LabelClass(id=topic, name=topic.title()) for topic in TOPICS),
            kind="multi",
        ),
        settings=SessionSettings(**chosen),  # type: ignore[arg-type]
    )
