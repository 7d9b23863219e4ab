"""Query by committee: rows on which models fitted to resampled labels disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.blocks import vector_blocks
from core.strategies.members import Members, fit_members
from core.strategies.ranking import Floats, Positions, Ranking
from core.strategies.typical import select_typical
from core.uncertainty import entropy

NAME = "committee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    """Logistic regressions on bootstrap resamples of the labels, most disputed rows first.

    ``members`` in [2, 50]. ``measure``: "kl", the mean Kullback-Leibler divergence of the
    members from their mean (McCallum and Nigam 1998), or "vote_entropy", the entropy of
    their votes (Engelson and Dagan 1996), which has few values, so that many rows tie and
    go by position. Typical rows until two classes have labels.
    """

    members: int = 5
    measure: Literal["kl", "vote_entropy"] = "kl"

    def __post_init__(self) -> None:
        check_option("members", self.members, of=int, least=2, most=50)
        check_option("measure", self.measure, of=str, among=("kl", "vote_entropy"))

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None or view.labelled_classes.any(axis=0).sum() < 2:  # noqa: PLR2004
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        members = fit_members(
            view.vectors(view.labelled_positions),
            view.labelled_classes,
            members=self.members,
            multi_label=view.multi_label,
            rng=rng,
        )
        rows = builder.free()
        scores = self._scores(view, rows, members=members)
        builder.draw(Ranking(rows, scores=scores), limit=count, strategy=NAME)
        return builder.finish(NAME)

    def _scores(self, view: PoolView, rows: Positions, *, members: Members) -> Floats:
        scores = np.empty(rows.size, dtype=np.float32)
        disagreement = vote_entropy if self.measure == "vote_entropy" else mean_divergence
        for part, vectors in vector_blocks(view, rows, width=members.width):
            opinions = members.probabilities(vectors)
            scores[part] = disagreement(opinions, multi_label=view.multi_label)
        return scores


def mean_divergence(opinions: Floats, *, multi_label: bool) -> Floats:
    """Mean KL divergence in nats of (m, M, C) opinions from their mean, float32 (m,).

    It is the entropy of the mean less the mean of the entropies.
    """
    rows, members, classes = opinions.shape
    each = entropy(opinions.reshape(-1, classes), multi_label=multi_label)
    mean = entropy(opinions.mean(axis=1), multi_label=multi_label)
    values: Floats = np.maximum(mean - each.reshape(rows, members).mean(axis=1), 0)
    return values


def vote_entropy(opinions: Floats, *, multi_label: bool) -> Floats:
    """Entropy in nats of the votes of (m, M, C) opinions, float32 (m,).

    A member votes for its likeliest class, or for each label over a half.
    """
    if multi_label:
        votes = opinions > 0.5  # noqa: PLR2004
    else:
        votes = opinions.argmax(axis=2)[:, :, None] == np.arange(opinions.shape[2])
    return entropy(votes.mean(axis=1, dtype=np.float32), multi_label=multi_label)
