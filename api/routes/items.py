"""Items of the pool: added, listed, changed, taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from api.answers import no_content, require_content, without_content
from api.blueprint import MERGE_PATCH, Blueprint
from api.context import current_session, services, settings
from api.etags import expected_revision, tagged
from api.merge_patch import merge
from api.pagination import paged
from api.schemas.items import (
    AddItemsSchema,
    IngestResultSchema,
    ItemPageSchema,
    ItemPatchSchema,
    ItemQuery,
    ItemSchema,
    new_items,
)
from core.records import Item, Page
from core.requests import IngestResult

blueprint = Blueprint(
    "items",
    prefix="/v1/sessions/<id:session_id>/items",
    description="The pool: texts to choose from, test rows, and a reserve for simulation.",
)


@blueprint.post(
    "",
    scope="items:write",
    body=AddItemsSchema,
    answer=IngestResultSchema,
    refuses=(409, 410),
)
def add_items(asked: Mapping[str, Any]) -> IngestResult:
    """Add up to 1,000 rows to the pool."""
    session, limit = current_session(), settings().max_text_chars
    rows = new_items(asked["items"], task=session.task, max_text_chars=limit)
    return services().add_items(session, rows, on_conflict=asked["on_conflict"], mode=asked["mode"])


@blueprint.get("", query=ItemQuery, answer=ItemPageSchema, refuses=(403, 410))
def list_items(query: Mapping[str, Any]) -> Response:
    """List items by position."""
    if "q" in query:
        require_content("searching texts")

    def fetch(page: Page) -> Sequence[Item]:
        with services().store.read() as tx:
            return tx.items.list(
                current_session().id,
                page,
                state=query.get("status"),
                split=query.get("split"),
                label=query.get("label"),
                batch_id=query.get("batch_id"),
                query=query.get("q"),
            )

    schema = without_content(ItemSchema)
    return paged(query, fetch, key=lambda item: str(item.position), schema=schema)


@blueprint.get("/<id:item_id>", answer=ItemSchema, if_none_match=True, refuses=(410,))
def get_item(item_id: str) -> Response:
    """Read an item."""
    return _tagged(_item(item_id))


@blueprint.patch(
    "/<id:item_id>",
    scope="items:write",
    body=ItemPatchSchema,
    body_type=MERGE_PATCH,
    answer=ItemSchema,
    refuses=(409, 410),
)
def update_item(patch: Mapping[str, Any], item_id: str) -> Response:
    """Change an item by merge patch."""
    item = _item(item_id)
    revision = expected_revision(item.revision)
    changes = dict(patch)
    if "metadata" in changes:
        changes["metadata"] = merge(item.metadata, changes["metadata"]) or {}
    return _tagged(
        services().update_item(current_session(), item_id, changes, expected_revision=revision)
    )


@blueprint.delete(
    "/<id:item_id>", scope="items:write", if_match=True, status=204, refuses=(409, 410)
)
def delete_item(item_id: str) -> Response:
    """Delete an item: its text is blanked, its position stays taken."""
    revision = expected_revision(_item(item_id).revision)
    services().delete_item(current_session(), item_id, expected_revision=revision)
    return no_content()


def _item(item_id: str) -> Item:
    with services().store.read() as tx:
        return tx.items.get(current_session().id, item_id)


def _tagged(item: Item) -> Response:
    return tagged(without_content(ItemSchema).dump(item), revision=item.revision)
