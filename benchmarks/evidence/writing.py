"""Generation inside a run: the service's generators over the stage's own reserve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adapters.generators import generators
from benchmarks.evidence.paying import NOBODY, Account, Provider, check_answer
from benchmarks.evidence.records import Arm, Treatment
from benchmarks.evidence.stage import WRITE, Stage
from core.generation import GenerationRequest, Variation
from core.ports import Encoder, Generator, Purse, Reserve
from core.prompting import draw_attributes, plan_counts
from core.records import Choice, LabelClass, Labels, Template
from core.screening import CONFIDENT
from core.texts import normalise

Floats = NDArray[np.float32]

COPY = "copy"
"""The control: seeds again, as often as variations would be written, and nothing new."""
REVIEW_SAMPLE = 0.1
"""Share of unflagged rows that a review looks at too, as the service does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRow:
    """A row for training: its vector (D,), the column it was written for, and the column it
    truly has (-1 where nobody knows); ``seed`` is its seed's place in the pool."""

    text: str
    vector: Floats
    target: int
    truth: int
    seed: int


class Writer(Protocol):
    """Writes variations of newly labelled rows."""

    def write(
        self, places: Sequence[int], *, held: Mapping[str, int], probabilities: Floats | None
    ) -> list[WrittenRow]:
        """Rows for the labelled ``places``; ``held`` human labels per class so far and
        ``probabilities`` (n, C) of the last model over the pool, all columns."""


class StageReserve:
    """The reserve as ``core.ports.Reserve``: ids are row numbers in the data set."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def nearest(self, vector: Floats, *, class_id: str, limit: int) -> list[tuple[str, str]]:
        """(row number, text) of that class's reserve rows, by falling cosine."""
        places, vectors = self._of_class(self._stage.classes.index(class_id))
        order = places[np.argsort(-(vectors @ vector), kind="stable")[:limit]]
        numbers = self._stage.reserve.numbers[order].tolist()
        return [(str(number), self._stage.text(number)) for number in numbers]

    def _of_class(self, column: int) -> tuple[NDArray[np.int64], Floats]:
        """(places in the reserve, their vectors), gathered once per stage."""
        name = f"reserve of class {column}"
        if name not in self._stage.memory:
            places = np.flatnonzero(self._stage.reserve.targets == column)
            self._stage.memory[name] = (places, self._stage.reserve.vectors[places])
        found: tuple[NDArray[np.int64], Floats] = self._stage.memory[name]
        return found


class CopyWriter:
    """Repeats the seeds as often as the plan asks for variations."""

    def __init__(self, stage: Stage, *, variations: int) -> None:
        self._stage = stage
        self._variations = variations

    def write(
        self, places: Sequence[int], *, held: Mapping[str, int], probabilities: Floats | None
    ) -> list[WrittenRow]:
        del probabilities
        rows = []
        for place, count in planned(self._stage, places, held=held, variations=self._variations):
            target = int(self._stage.pool.targets[place])
            vector = self._stage.pool.vectors[place]
            text = self._stage.text(int(self._stage.pool.numbers[place]))
            row = WrittenRow(text=text, vector=vector, target=target, truth=target, seed=place)
            rows += [row] * count
        return rows


class GeneratorWriter:
    """Asks a generator as the service does; exact copies of known texts are dropped."""

    def __init__(
        self,
        stage: Stage,
        generator: Generator,
        *,
        arm: Arm,
        template: Template,
        encoder: Encoder,
        purse: Purse,
    ) -> None:
        self._stage, self._generator, self._arm = stage, generator, arm
        self._template, self._encoder = template, encoder
        classes = stage.classes
        self._labels = [LabelClass(id=name, name=name) for name in classes]
        self._seen = set(_known_texts(stage))
        self._purse = purse

    def write(
        self, places: Sequence[int], *, held: Mapping[str, int], probabilities: Floats | None
    ) -> list[WrittenRow]:
        drafts: list[tuple[int, Variation]] = []
        plans = planned(self._stage, places, held=held, variations=self._arm.variations)
        for place, count in plans:
            request = self._request(place, count=count, probabilities=probabilities)
            answer = self._generator.generate(request, purse=self._purse)
            check_answer(answer)
            for variation in answer.variations:
                if (form := normalise(variation.text)) not in self._seen:
                    self._seen.add(form)
                    drafts.append((place, variation))
        return self._rows(drafts)

    def _request(
        self, place: int, *, count: int, probabilities: Floats | None
    ) -> GenerationRequest:
        rng = self._stage.rng(WRITE, place)
        target = int(self._stage.pool.targets[place])
        contrast = None
        if probabilities is not None:
            order = np.argsort(-probabilities[place], kind="stable")
            contrast = next(self._labels[c] for c in order.tolist() if c != target)
        number = int(self._stage.pool.numbers[place])
        return GenerationRequest(
            seed_item_id=str(number),
            text=self._stage.text(number),
            label=self._labels[target],
            contrast=contrast,
            count=count,
            template=self._template,
            attributes=draw_attributes(rng, count),
            examples=(),
            taboo=(),
            vector=self._stage.pool.vectors[place],
            seed=int(rng.integers(2**31)),
        )

    def _rows(self, drafts: Sequence[tuple[int, Variation]]) -> list[WrittenRow]:
        """Texts of the reserve have vectors and a true class; the others are encoded at once."""
        fresh = [variation.text for _, variation in drafts if variation.source_id is None]
        encoded = iter(self._encoder.encode(fresh)) if fresh else iter(())
        rows = []
        for place, variation in drafts:
            target, truth = int(self._stage.pool.targets[place]), -1
            if variation.source_id is None:
                vector = next(encoded)
            else:
                vector = self._stage.division.vectors[int(variation.source_id)]
                truth = int(self._stage.division.targets[int(variation.source_id)])
            rows.append(
                WrittenRow(
                    text=variation.text, vector=vector, target=target, truth=truth, seed=place
                )
            )
        return rows


def writer(
    stage: Stage,
    arm: Arm,
    *,
    templates: Mapping[str, Template],
    encoder: Encoder,
    account: Account | None = None,
) -> Writer | None:
    """What writes for ``arm``: None, the copy control, or a generator of the service; a paid
    one writes on ``account``."""
    if arm.generator is None:
        return None
    if arm.generator.name == COPY:
        return CopyWriter(stage, variations=arm.variations)
    return GeneratorWriter(
        stage,
        make_generator(
            arm.generator,
            reserve=StageReserve(stage),
            classes=stage.classes,
            provider=account.provider if account else NOBODY,
        ),
        arm=arm,
        template=templates[arm.template],
        encoder=encoder,
        purse=account.purse if account else _NoMoney(),
    )


def make_generator(
    choice: Choice, *, reserve: Reserve | None, classes: Labels, provider: Provider = NOBODY
) -> Generator:
    """A generator that draws from ``reserve`` or asks ``provider``.

    Raises Conflict ``generator-not-configured`` where it has neither, and InvalidOption.
    """
    known = generators(
        anthropic_key=provider.key,
        anthropic_base_url=provider.url,
        reserve=reserve,
        class_ids=classes,
    )
    return known.make(choice)


def planned(
    stage: Stage, places: Sequence[int], *, held: Mapping[str, int], variations: int
) -> list[tuple[int, int]]:
    """(place, count) of every labelled place that gets variations, in the given order."""
    shares = dict.fromkeys(stage.classes, 1 / len(stage.classes))
    counts = plan_counts(held, shares, variations=variations)
    plans = [(place, counts[stage.classes[stage.pool.targets[place]]]) for place in places]
    return [(place, count) for place, count in plans if count > 0]


def treated(
    rows: Sequence[WrittenRow],
    *,
    treatment: Treatment,
    probabilities: Floats | None,
    rng: np.random.Generator,
) -> list[WrittenRow]:
    """The rows that go on to training; ``probabilities`` (m, C) are the last model's for them.

    "filter" drops rows that the model reads otherwise; "weight_and_review" has a perfect
    reviewer reject the wrong ones among those the model is confident to read otherwise, and
    among a tenth of the rest.
    """
    if probabilities is None or not rows or treatment in {"none", "weight"}:
        return list(rows)
    read_as = probabilities.argmax(axis=1)
    differs = read_as != np.array([row.target for row in rows])
    if treatment == "filter":
        return [row for row, other in zip(rows, differs, strict=True) if not other]
    flagged = differs & (probabilities.max(axis=1) > CONFIDENT)
    reviewed = flagged | (rng.random(len(rows)) < REVIEW_SAMPLE)
    return [
        row
        for row, looked in zip(rows, reviewed, strict=True)
        if not (looked and row.truth not in {-1, row.target})
    ]


def label_noise(rows: Sequence[WrittenRow]) -> float:
    """Share of rows whose true class is not the one they were written for; 0 without rows."""
    known = Counter(row.truth != row.target for row in rows if row.truth >= 0)
    return known[True] / max(1, known.total())


def _known_texts(stage: Stage) -> frozenset[str]:
    """Normal forms of the pool's and the test rows' texts, made once per stage."""
    if "known texts" not in stage.memory:
        numbers = [*stage.pool.numbers.tolist(), *stage.test.numbers.tolist()]
        stage.memory["known texts"] = frozenset(normalise(stage.text(n)) for n in numbers)
    found: frozenset[str] = stage.memory["known texts"]
    return found


class _NoMoney:
    """A purse for generators that cost nothing."""

    def reserve(self, dollars: float) -> str:
        del dollars
        return "free"

    def settle(
        self,
        reservation: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        del reservation, dollars, input_tokens, output_tokens, request_id
