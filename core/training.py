"""The training set of a snapshot: human answers first, generated rows with less weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Generation, Labelled, Labels, SessionSettings

HASHED_SHARES = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """``vectors`` float32 (n, D), ``targets`` int32 (n,) columns of ``classes``, ``weights``
    float32 (n,), ``held_out`` bool (n,): human rows that an estimate may be made on, and
    variations of them, which that estimate must not see; ``human`` bool (n,)."""

    classes: Labels
    vectors: NDArray[np.float32]
    targets: NDArray[np.int32]
    weights: NDArray[np.float32]
    human: NDArray[np.bool_]
    held_out: NDArray[np.bool_]

    def without_held_out(self) -> TrainingSet:
        return self._rows(~self.held_out)

    def only_held_out(self) -> TrainingSet:
        return self._rows(self.held_out & self.human)

    def _rows(self, chosen: NDArray[np.bool_]) -> TrainingSet:
        return TrainingSet(
            classes=self.classes,
            vectors=self.vectors[chosen],
            targets=self.targets[chosen],
            weights=self.weights[chosen],
            human=self.human[chosen],
            held_out=self.held_out[chosen],
        )


def trainable_classes(labelled: Sequence[Labelled], *, order: Labels, min_per_class: int) -> Labels:
    """Classes with enough human answers, in the schema's order."""
    counts = Counter(c for row in labelled for c in row.labels)
    return tuple(c for c in order if counts[c] >= max(1, min_per_class))


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


def training_set(
    labelled: Sequence[Labelled],
    human_vectors: NDArray[np.float32],
    generated: Sequence[Generation],
    generated_vectors: NDArray[np.float32],
    *,
    classes: Labels,
    settings: SessionSettings,
) -> TrainingSet:
    """Rows whose class is in ``classes``, human ones first, both in the order given."""
    column = {class_id: number for number, class_id in enumerate(classes)}
    own = [n for n, row in enumerate(labelled) if row.labels[0] in column]
    written = [n for n, row in enumerate(generated) if row.labels[0] in column]
    own_labels = [labelled[n].labels[0] for n in own]
    written_labels = [generated[n].labels[0] for n in written]
    weight_of = generated_weights(Counter(own_labels), Counter(written_labels), settings=settings)
    held = {labelled[n].item_id for n in _held_out(labelled, own, share=settings.holdout)}
    return TrainingSet(
        classes=classes,
        vectors=np.concatenate([human_vectors[own], generated_vectors[written]]),
        targets=np.array([column[c] for c in own_labels + written_labels], dtype=np.int32),
        weights=np.array(
            [1.0] * len(own) + [weight_of[c] for c in written_labels], dtype=np.float32
        ),
        human=np.array([True] * len(own) + [False] * len(written), dtype=bool),
        held_out=np.array(
            [labelled[n].item_id in held for n in own]
            + [generated[n].seed_item_id in held for n in written],
            dtype=bool,
        ),
    )


def _held_out(labelled: Sequence[Labelled], own: Sequence[int], *, share: float) -> list[int]:
    """A stable sample of each class by position, at most ``share`` and never a whole class."""
    held = []
    by_class: dict[str, list[int]] = {}
    for n in own:
        by_class.setdefault(labelled[n].labels[0], []).append(n)
    for rows in by_class.values():
        ranked = sorted(rows, key=lambda n: _scatter(labelled[n].position))
        held += ranked[: min(int(share * len(rows)), len(rows) - 1)]
    return held


def _scatter(position: int) -> int:
    """A fixed shuffle of positions (Knuth's multiplicative hash), so that a row that was
    held out stays so while the set grows."""
    return (position * 2_654_435_761) % HASHED_SHARES
