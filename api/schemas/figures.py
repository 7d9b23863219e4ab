"""Which figures of a session to show."""

from __future__ import annotations

from api.schemas.documents import Query
from api.schemas.fields import identifier


class MapQuery(Query):
    """Which batch is marked on the map."""

    batch_id = identifier("Mark this batch's items instead of the last one's.")
