"""A small two-topic world for tests: texts that a hashing encoder can tell apart."""

from __future__ import annotations

from core.records import Choice, LabelClass, NewItem, SessionSettings, Task
from core.requests import NewSession

TOPICS = {
    "garden": ("roses", "soil", "watering", "seedlings", "compost", "pruning", "bulbs"),
    "kitchen": ("bread", "oven", "flour", "yeast", "baking", "dough", "crust"),
    "harbour": ("boats", "anchor", "sailing", "tide", "rigging", "mooring", "hull"),
}
FRAMES = (
    "a question about {0} and {1}",
    "my {0} needs help, also the {1}",
    "how long does {0} last before {1}?",
    "somebody told me that {0} beats {1}",
    "notes on {0}, {1} and little else",
    "is {0} better than {1} in winter?",
)


def texts_of(topic: str, count: int) -> list[str]:
    """``count`` distinct sentences on one topic."""
    words = TOPICS[topic]
    pairs = [(a, b) for a in words for b in words if a != b]
    texts = [frame.format(a, b) for a, b in pairs for frame in FRAMES]
    if count > len(texts):
        message = f"at most {len(texts)} sentences"
        raise ValueError(message)
    step = len(texts) // count
    return [texts[n * step] for n in range(count)]


def items(
    *, garden: int = 60, kitchen: int = 20, harbour: int = 8, test: int = 6, reserve: int = 6
) -> list[NewItem]:
    """A long-tailed pool with an even test part and a reserve, all with gold."""
    rows = []
    for topic, count in (("garden", garden), ("kitchen", kitchen), ("harbour", harbour)):
        texts = texts_of(topic, count + test + reserve)
        splits = ["test"] * test + ["reserve"] * reserve + ["pool"] * count
        for number, (text, split) in enumerate(zip(texts, splits, strict=True)):
            rows.append(
                NewItem(
                    external_id=f"{topic}-{number}",
                    text=text,
                    split=split,  # type: ignore[arg-type]
                    gold=(topic,),
                )
            )
    return rows


def new_session(**settings: object) -> NewSession:
    """Three classes, hashing vectors, gold answers unless told otherwise."""
    chosen: dict[str, object] = {
        "encoder": Choice(name="hashing"),
        "oracle": Choice(name="gold"),
        "batch_size": 12,
        **settings,
    }
    return NewSession(
        name="topics",
        task=Task(classes=tuple(LabelClass(id=topic, name=topic.title()) for topic in TOPICS)),
        settings=SessionSettings(**chosen),  # type: ignore[arg-type]
    )
