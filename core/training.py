"""The training set of a snapshot: human answers first, generated rows with less weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.ports import Targets
from core.records import Generation, Labelled, Labels, SessionSettings

HASHED_SHARES = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """``vectors`` float32 (n, D), ``targets`` int32 (n,) columns of ``classes``, or in a
    multi-label task bool (n, C) of the classes each row has; ``weights`` float32 (n,),
    ``held_out`` bool (n,): human rows that an estimate may be made on, and variations of
    them, which that estimate must not see; ``human`` bool (n,); ``groups`` int64 (n,): a
    human row and the variations of it have the same number; ``texts`` (n,) are there only
    where the learner reads them. ``opinions`` bool (n,), or (0,) for none: human rows whose
    label is a model's opinion, which teach and never measure."""

    classes: Labels
    vectors: NDArray[np.float32]
    targets: Targets
    weights: NDArray[np.float32]
    human: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    groups: NDArray[np.int64]
    texts: tuple[str, ...] = ()
    opinions: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def measuring(self) -> NDArray[np.bool_]:
        """Bool (n,): rows that may say how good a model is, where it did not see them."""
        return self.human & ~self.opinions if len(self.opinions) else self.human

    @property
    def multi_label(self) -> bool:
        """Whether targets are (n, classes) instead of (n,)."""
        return self.targets.ndim == 2  # noqa: PLR2004 -- a row per text, a column per class

    def without_held_out(self) -> TrainingSet:
        """The rows to train on."""
        return self.rows(~self.held_out)

    def only_held_out(self) -> TrainingSet:
        """The rows to measure on: held out, answered by people, and no model's opinion."""
        return self.rows(self.held_out & self.measuring)

    def rows(self, chosen: NDArray[np.bool_]) -> TrainingSet:
        """The rows where ``chosen`` bool (n,) is true."""
        return replace(
            self,
            vectors=self.vectors[chosen],
            targets=self.targets[chosen],
            weights=self.weights[chosen],
            human=self.human[chosen],
            held_out=self.held_out[chosen],
            groups=self.groups[chosen],
            texts=tuple(t for t, keep in zip(self.texts, chosen, strict=False) if keep),
            opinions=self.opinions[chosen] if len(self.opinions) else self.opinions,
        )

    def columns(self, chosen: NDArray[np.bool_]) -> TrainingSet:
        """A multi-label set over the classes where ``chosen`` bool (C,) is true."""
        classes = tuple(c for c, keep in zip(self.classes, chosen, strict=True) if keep)
        return replace(self, classes=classes, targets=self.targets[:, chosen])

    def members(self) -> NDArray[np.bool_]:
        """Bool (n, C): which classes each row has."""
        if self.multi_label:
            return self.targets.astype(np.bool_)
        return np.equal.outer(self.targets, np.arange(len(self.classes))).astype(np.bool_)

    def told_apart(self) -> NDArray[np.bool_]:
        """Bool (C,): classes that some rows have and others have not."""
        members = self.members()
        return np.logical_and(members.any(axis=0), ~members.all(axis=0))

    def labels(self) -> list[Labels]:
        """Each row's classes by id."""
        names = np.array(self.classes, dtype=object)
        return [tuple(names[row]) for row in self.members()]

    def counts(self, rows: NDArray[np.bool_]) -> dict[str, int]:
        """Of the chosen rows, how many have each class; zeros left out."""
        found = zip(self.classes, self.members()[rows].sum(axis=0), strict=True)
        return {class_id: int(number) for class_id, number in found if number}


def trainable_classes(
    labelled: Sequence[Labelled], *, order: Labels, min_per_class: int, multi_label: bool = False
) -> Labels:
    """Classes with enough human answers, in the schema's order; in a multi-label task at
    least one answer must also be without the class."""
    counts = Counter(c for row in labelled for c in row.labels)
    most = len(labelled) - 1 if multi_label else len(labelled)
    return tuple(c for c in order if max(1, min_per_class) <= counts[c] <= most)


def generated_weights(
    human: Mapping[str, int], generated: Mapping[str, int], *, settings: SessionSettings
) -> dict[str, float]:
    """Weight per generated row of a class: the set weight, less where the cap binds.

    A class's generated rows together weigh at most ``generated_cap`` times its human rows.
    """
    weights = {}
    for class_id, count in generated.items():
        ceiling = settings.generated_cap * human.get(class_id, 0) / max(1, count)
        weights[class_id] = min(settings.generated_weight, ceiling)
    return weights


def row_weights(
    human: Sequence[Labels], generated: Sequence[Labels], *, settings: SessionSettings
) -> list[float]:
    """Weight of each generated row: the least that one of its classes allows."""
    weight_of = generated_weights(_counted(human), _counted(generated), settings=settings)
    otherwise = settings.generated_weight
    return [min((weight_of[c] for c in row), default=otherwise) for row in generated]


def training_set(
    labelled: Sequence[Labelled],
    human_vectors: NDArray[np.float32],
    generated: Sequence[Generation],
    generated_vectors: NDArray[np.float32],
    *,
    classes: Labels,
    settings: SessionSettings,
    multi_label: bool = False,
    human_texts: Sequence[str] | None = None,
) -> TrainingSet:
    """Rows whose class is in ``classes``, human ones first, both in the order given.

    With ``multi_label`` every row is there: one without any of the classes is an example
    of what none of them is. ``human_texts`` are the labelled rows' own, for learners that
    read texts.
    """
    own = _usable([r.labels for r in labelled], classes=classes, multi_label=multi_label)
    written = _usable([r.labels for r in generated], classes=classes, multi_label=multi_label)
    own_labels = [labels for _, labels in own]
    written_labels = [labels for _, labels in written]
    people = [labelled[n] for n, _ in own]
    variations = [generated[n] for n, _ in written]
    held = _held_out(people, share=settings.holdout)
    sources = [row.item_id for row in people] + [row.seed_item_id for row in variations]
    weights = row_weights(own_labels, written_labels, settings=settings)
    return TrainingSet(
        classes=classes,
        vectors=np.concatenate(
            [human_vectors[[n for n, _ in own]], generated_vectors[[n for n, _ in written]]]
        ),
        targets=_targets(own_labels + written_labels, classes=classes, multi_label=multi_label),
        weights=np.array([1.0] * len(own) + weights, dtype=np.float32),
        human=np.array([True] * len(own) + [False] * len(written), dtype=bool),
        held_out=np.array([source in held for source in sources], dtype=bool),
        groups=_numbered(sources),
        texts=_texts(human_texts, own, [row.text for row in variations]),
        opinions=np.array([p.opinion for p in people] + [False] * len(written), dtype=bool),
    )


def _usable(
    answers: Sequence[Labels], *, classes: Labels, multi_label: bool
) -> list[tuple[int, Labels]]:
    """(place, known classes) of the rows that can teach something."""
    known = set(classes)
    found = [(n, tuple(c for c in row if c in known)) for n, row in enumerate(answers)]
    return [(n, labels) for n, labels in found if labels or multi_label]


def _texts(
    human: Sequence[str] | None, own: Sequence[tuple[int, Labels]], written: Sequence[str]
) -> tuple[str, ...]:
    return () if human is None else (*(human[n] for n, _ in own), *written)


def _targets(rows: Sequence[Labels], *, classes: Labels, multi_label: bool) -> Targets:
    column = {class_id: number for number, class_id in enumerate(classes)}
    if not multi_label:
        return np.array([column[labels[0]] for labels in rows], dtype=np.int32)
    members = np.zeros((len(rows), len(classes)), dtype=np.bool_)
    for n, labels in enumerate(rows):
        members[n, [column[c] for c in labels]] = True
    return members


def _counted(rows: Sequence[Labels]) -> Counter[str]:
    return Counter(c for labels in rows for c in labels)


def _numbered(sources: Sequence[str]) -> NDArray[np.int64]:
    numbers = {source: n for n, source in enumerate(dict.fromkeys(sources))}
    return np.array([numbers[source] for source in sources], dtype=np.int64)


def _held_out(rows: Sequence[Labelled], *, share: float) -> set[str]:
    """Items of a stable sample by position: of each class at most ``share`` and never all. A
    model's opinions are never among them."""
    rows = [row for row in rows if not row.opinion]
    sizes = Counter(group for row in rows for group in _groups(row))
    room = {group: min(int(share * size), size - 1) for group, size in sizes.items()}
    held = set()
    for row in sorted(rows, key=lambda row: scatter(row.position)):
        if all(room[group] > 0 for group in _groups(row)):
            held.add(row.item_id)
            room.update((group, room[group] - 1) for group in _groups(row))
    return held


def _groups(row: Labelled) -> Iterator[str]:
    """A row's classes; the rows with none of them are a group of their own."""
    yield from row.labels or ("",)


def scatter(position: int) -> int:
    """A fixed shuffle of positions (Knuth's multiplicative hash), so that a row that was
    held out stays so while the set grows."""
    return (position * 2_654_435_761) % HASHED_SHARES
