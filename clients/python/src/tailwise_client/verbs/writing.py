"""Generate and review: variations are written, people decide which may train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tailwise_client.asking import Decision, as_document, evenly
from tailwise_client.binding import listing, verb
from tailwise_client.records.operations import Operation
from tailwise_client.records.rounds import Generation, GenerationPlan, ReviewResult, ReviewRow
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.within import Within

OUTCOMES = ("accepted", "edited", "rejected", "failed")


class WritingVerbs(Within):
    """Written variations of a session."""

    @verb
    def generate(
        self,
        *,
        batch_id: str | None = None,
        item_ids: Sequence[str] | None = None,
        template: str | None = None,
        variations: int | None = None,
        generator: str | Mapping[str, Any] | None = None,
        max_dollars: float | None = None,
        key: str | None = None,
    ) -> Flow[Operation]:
        """Start writing variations, of the latest labelled batch unless told otherwise."""
        document = _request(
            batch_id=batch_id,
            item_ids=item_ids,
            template=template,
            variations=variations,
            generator=generator,
            max_dollars=max_dollars,
        )
        return self._post(Operation, f"{self.path}/generate", document, key=key)

    @verb
    def plan_generation(
        self,
        *,
        batch_id: str | None = None,
        item_ids: Sequence[str] | None = None,
        template: str | None = None,
        variations: int | None = None,
        generator: str | Mapping[str, Any] | None = None,
        max_dollars: float | None = None,
    ) -> Flow[GenerationPlan]:
        """What that would do and the worst it could cost; nothing is written."""
        document = _request(
            batch_id=batch_id,
            item_ids=item_ids,
            template=template,
            variations=variations,
            generator=generator,
            max_dollars=max_dollars,
        )
        dry = {**document, "dry_run": True}
        return self._post(GenerationPlan, f"{self.path}/generate", dry)

    @listing
    def generations(
        self,
        *,
        state: str | None = None,
        operation_id: str | None = None,
        label: str | None = None,
        limit: int = 500,
    ) -> Stream[Generation]:
        """Variations, oldest first."""
        return self._pages(
            Generation,
            f"{self.path}/generations",
            state=state,
            operation_id=operation_id,
            label=label,
            limit=limit,
        )

    @verb
    def generation(self, generation_id: str) -> Flow[Generation]:
        """Read a variation."""
        return self._get(Generation, f"{self.path}/generations/{generation_id}")

    @verb
    def review(
        self, decisions: Iterable[Decision | Mapping[str, Any]], *, mode: str = "partial"
    ) -> Flow[ReviewResult]:
        """Decide on variations, in as few requests as the service allows."""
        limits = yield from self._limits()
        documents = [as_document(decision) for decision in decisions]
        counts: Counter[str] = Counter()
        rows: list[ReviewRow] = []
        for part in evenly(documents, most=limits.max_labels):
            document = {"decisions": list(part), "mode": mode}
            found = yield from self._post(ReviewResult, f"{self.path}/generations/review", document)
            counts.update({name: getattr(found, name) for name in OUTCOMES})
            start = len(rows)
            rows += [replace(row, index=start + row.index) for row in found.results]
        return ReviewResult(**{name: counts[name] for name in OUTCOMES}, results=tuple(rows))


def _request(
    *,
    batch_id: str | None,
    item_ids: Sequence[str] | None,
    template: str | None,
    variations: int | None,
    generator: str | Mapping[str, Any] | None,
    max_dollars: float | None,
) -> dict[str, Any]:
    return as_document(
        {
            "batch_id": batch_id,
            "item_ids": None if item_ids is None else list(item_ids),
            "template": template,
            "variations": variations,
            "generator": generator,
            "max_dollars": max_dollars,
        }
    )
