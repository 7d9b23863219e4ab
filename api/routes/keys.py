"""Access keys of a tenant; for admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from api.answers import created, no_content
from api.blueprint import Blueprint
from api.context import services, tenant_id
from api.pagination import paged
from api.schemas.keys import KeyPageSchema, KeyQuery, KeySchema, MintedKeySchema, NewKeySchema
from core.access import mint_key
from core.errors import NotFound
from core.records import ApiKey, Page

blueprint = Blueprint(
    "keys",
    prefix="/v1/keys",
    description="Who may do what. A secret is shown once and kept only as a hash.",
)


@blueprint.post(
    "",
    scope="admin",
    bound_keys=False,
    body=NewKeySchema,
    answer=MintedKeySchema,
    status=201,
    idempotency="refused",
    refuses=(404, 410),
)
def create_key(new: Mapping[str, Any]) -> Response:
    """Make a key; its token is in this answer only."""
    if new["session_id"] is not None:
        services().session(tenant_id(), new["session_id"])
    now, ids = services().clock.now(), services().ids
    minted = mint_key(tenant_id=tenant_id(), ids=ids, now=now, **new)
    with services().store.write() as tx:
        tx.access.add_key(minted.key)
    document = {**_dump(minted.key), "token": minted.token}
    return created(document, location=f"/v1/keys/{minted.key.id}")


@blueprint.get("", scope="admin", bound_keys=False, query=KeyQuery, answer=KeyPageSchema)
def list_keys(query: Mapping[str, Any]) -> Response:
    """List keys, without their secrets."""

    def fetch(page: Page) -> Sequence[ApiKey]:
        with services().store.read() as tx:
            return tx.access.list_keys(tenant_id(), page)

    return paged(query, fetch, key=lambda key: key.id, schema=KeySchema())


@blueprint.delete("/<id:key_id>", scope="admin", bound_keys=False, status=204)
def revoke_key(key_id: str) -> Response:
    """Revoke a key, at once."""
    now = services().clock.now()
    with services().store.write() as tx:
        known = tx.access.revoke_key(tenant_id(), key_id, now=now)
    if not known:
        raise NotFound("there is no such key", code="unknown-key")
    return no_content()


def _dump(key: ApiKey) -> dict[str, Any]:
    document: dict[str, Any] = KeySchema().dump(key)
    return document
