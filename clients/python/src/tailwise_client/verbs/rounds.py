"""Select and label: a batch is reserved, its items are answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tailwise_client.asking import NewLabel, as_document, evenly
from tailwise_client.binding import listing, verb
from tailwise_client.records.rounds import Batch, LabelEvent, LabelResult, LabelRow, OwnLabel
from tailwise_client.steps import Emit, Flow, Stream
from tailwise_client.verbs.within import Within


class RoundVerbs(Within):
    """Batches and answers of a session."""

    @verb
    def select(
        self,
        *,
        size: int | None = None,
        strategy: str | Mapping[str, Any] | None = None,
        min_distance: float | None = None,
        seed: int | None = None,
        allow_parallel: bool | None = None,
        key: str | None = None,
    ) -> Flow[Batch]:
        """Reserve the next batch; what is None is as the session's settings say.

        ``key`` is an Idempotency-Key of your own: the same one gives the same batch again,
        even from another process. Raises PoolEmpty, BatchOpen, NotIndexed, BudgetExceeded.
        """
        document = as_document(
            {
                "size": size,
                "strategy": strategy,
                "min_distance": min_distance,
                "seed": seed,
                "allow_parallel": allow_parallel,
            }
        )
        return self._post(Batch, f"{self.path}/select", document, key=key)

    @listing
    def batches(self, *, state: str | None = None, limit: int = 50) -> Stream[Batch]:
        """Batches in order of their rounds."""
        return self._pages(Batch, f"{self.path}/batches", state=state, limit=limit)

    @verb
    def batch(self, batch_id: str) -> Flow[Batch]:
        """Read a batch."""
        return self._get(Batch, f"{self.path}/batches/{batch_id}")

    @verb
    def cancel_batch(self, batch_id: str) -> Flow[Batch]:
        """Give its unanswered items back to the pool."""
        return self._post(Batch, f"{self.path}/batches/{batch_id}/cancel")

    @verb
    def label(
        self,
        labels: Iterable[NewLabel | Mapping[str, Any]],
        *,
        mode: str = "partial",
        allow_unsolicited: bool = False,
        allow_extra: bool = False,
        annotator_id: str | None = None,
    ) -> Flow[LabelResult]:
        """Store answers, in as few requests as the service allows.

        A single answer that is refused raises; of several, each row says what became of it.
        ``annotator_id`` needs a key with the scope oracle.
        """
        limits = yield from self._limits()
        documents = [as_document(label) for label in labels]
        flags: dict[str, Any] = {"mode": mode, "annotator_id": annotator_id}
        flags["allow_unsolicited"] = allow_unsolicited or None
        flags["allow_extra"] = allow_extra or None
        results = []
        for part in evenly(documents, most=limits.max_labels):
            document = as_document({"labels": list(part), **flags})
            found = yield from self._post(LabelResult, f"{self.path}/label", document)
            results.append(found)
        return _together(results)

    @verb
    def ask_oracle(
        self, batch_id: str, *, oracle: str = "gold", noise: float | None = None
    ) -> Flow[LabelResult]:
        """Have the session's oracle answer a batch now; needs the scope oracle."""
        document = as_document({"oracle": oracle, "batch_id": batch_id, "noise": noise})
        return self._post(LabelResult, f"{self.path}/label", document)

    @listing
    def labels(
        self, *, after: int = 0, item_id: str | None = None, limit: int = 500
    ) -> Stream[LabelEvent]:
        """Label events after a sequence number, in order."""
        while True:
            params = {"after": after, "item_id": item_id, "limit": limit}
            page = yield from self._get(dict, f"{self.path}/labels", **params)
            for row in page["data"]:
                yield Emit(self._read(LabelEvent, row))
            if not page.get("has_more"):
                return
            after = page["next_after"]

    @verb
    def undo(self, label_id: str) -> Flow[LabelEvent]:
        """Take an answer of yours back; what it replaced counts again."""
        return self._post(LabelEvent, f"{self.path}/labels/{label_id}/undo")

    @verb
    def my_labels(self, *, limit: int = 10) -> Flow[tuple[OwnLabel, ...]]:
        """The caller's own last answers, newest first."""
        page = yield from self._get(dict, f"{self.path}/labels/mine", limit=limit)
        return tuple(self._read(OwnLabel, row) for row in page["data"])


def _together(results: list[LabelResult]) -> LabelResult:
    rows: list[LabelRow] = []
    for result in results:
        start = len(rows)
        rows += [replace(row, index=start + row.index) for row in result.results]
    return LabelResult(
        accepted=sum(result.accepted for result in results),
        rejected=sum(result.rejected for result in results),
        replayed=sum(result.replayed for result in results),
        results=tuple(rows),
        label_watermark=max((result.label_watermark for result in results), default=0),
    )
