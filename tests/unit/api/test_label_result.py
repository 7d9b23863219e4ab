"""What an oracle leaves to people is told over HTTP."""

from __future__ import annotations

from api.schemas.labels import LabelResultSchema
from core.requests import Escalation, LabelResult


def result(**more):
    nothing = {"accepted": 0, "rejected": 0, "replayed": 0, "results": (), "label_watermark": 0}
    return LabelResultSchema().dump(LabelResult(**nothing, **more))


def test_escalated_items_come_with_their_reasons_and_what_remains():
    told = result(escalated=(Escalation(item_id="itm_1", reason="refused"),), remaining=3)
    assert told["escalated"] == [{"item_id": "itm_1", "reason": "refused"}]
    assert told["remaining"] == 3


def test_where_people_answer_nothing_is_escalated():
    told = result()
    assert (told["escalated"], told["remaining"]) == ([], 0)
