"""Batches: what was selected, and why each item was."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import post_load, pre_dump

from api.schemas.components import ChoiceField
from api.schemas.documents import Answer, Request
from api.schemas.fields import Flag, Items, Name, Nested, Real, Text, Time, Whole, identifier
from api.schemas.pages import PageQuery, page_of
from core.records import Batch, BatchItem, BatchState
from core.requests import SelectRequest, SelectResult

STATES = get_args(BatchState)


class SelectRequestSchema(Request):
    """What to select; null or absent means the session's setting."""

    size = Whole("How many items.", least=1, most=1_000_000, allow_none=True, load_default=None)
    strategy = ChoiceField("How to choose.", allow_none=True, load_default=None)
    min_distance = Real(
        "Cosine distance below which two texts are near-duplicates.",
        least=0,
        most=2,
        allow_none=True,
        load_default=None,
    )
    seed = Whole(
        "Repeats a choice; by default from the session's seed and the round.",
        most=2**31 - 1,
        allow_none=True,
        load_default=None,
    )
    allow_parallel = Flag("Select although a batch is open.", load_default=False)
    allow_unindexed = Flag("Select although new rows are not indexed yet.", load_default=False)
    ttl_s = Whole(
        "Seconds the batch waits for answers; null for the session's batch_hours.",
        least=1,
        most=31_536_000,
        allow_none=True,
        load_default=None,
    )
    supersede = Flag(
        "Close the open batches first; what has no answer yet returns to the pool.",
        load_default=False,
    )

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> SelectRequest:
        return SelectRequest(**data)


class BatchItemSchema(Answer):
    """One picked item. Its text is at ``GET .../items?batch_id=``."""

    id = identifier("The item.")
    external_id = Text("Your id for it.")
    cluster = Whole("The cluster it was taken from.")
    score = Real("The strategy's own value; higher was earlier.")
    entropy = Real("The model's uncertainty in nats; null before the first.", allow_none=True)
    rank = Whole("Its place in the batch, from 0.")
    strategy = Text("What picked it.")

    @pre_dump
    def _flatten(self, item: BatchItem, **_kwargs: Any) -> dict[str, Any]:
        pick = item.pick
        return {
            "id": item.item_id,
            "external_id": item.external_id,
            "cluster": pick.cluster,
            "score": pick.score,
            "entropy": pick.entropy,
            "rank": pick.rank,
            "strategy": pick.strategy,
        }


class BatchSchema(Answer):
    """The items of one round."""

    id = identifier("Its id.", example="bat_01JD3V7Q6S0000000000000000")
    round = Whole("Which round.")
    state = Name("open until every item has its answer.", *STATES)
    strategy = Text("The strategy that was asked for.")
    strategy_used = Text("The one that decided, for example before the first model.")
    seed = Whole("Repeats the choice.")
    model_id = identifier("The model that was unsure.", allow_none=True)
    requested = Whole("How many were asked for.")
    selected = Whole("How many there are.")
    shortfall = Whole("How many are missing.")
    shortfall_reason = Text("Why they are missing.", allow_none=True)
    items = Items(Nested(BatchItemSchema), "The items by rank.", dump_only=True)
    created_at = Time("When it was selected.")
    expires_at = Time("When it stops waiting for answers; null for never.", allow_none=True)

    @pre_dump
    def _count(self, batch: Batch, **_kwargs: Any) -> dict[str, Any]:
        names = [name for name in self.fields if name not in {"selected", "clusters"}]
        return {**{n: getattr(batch, n) for n in names}, "selected": len(batch.items)}


class ClusterShareSchema(Answer):
    """One cluster's part in a batch."""

    id = Whole("The cluster.")
    size = Whole("Its rows that could be picked.")
    taken = Whole("How many were.")
    mean_entropy = Real("Mean uncertainty of those rows in nats.", allow_none=True)


class SelectResultSchema(BatchSchema):
    """A new batch, with what each cluster gave."""

    clusters = Items(Nested(ClusterShareSchema), "Each cluster's part.", dump_only=True)

    @pre_dump
    def _count(self, result: SelectResult, **_kwargs: Any) -> dict[str, Any]:
        return {**super()._count(result.batch), "clusters": result.clusters}


class BatchQuery(PageQuery):
    """Which batches to list."""

    state = Name("Only in this state.", *STATES)


BatchPageSchema = page_of(BatchSchema)
