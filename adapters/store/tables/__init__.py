"""The tables, one per noun; columns are named as the records' fields.

Every row that belongs to somebody names its tenant.
"""

from adapters.store.tables.access import api_keys, heartbeats, replies, sessions, tenants
from adapters.store.tables.batches_at_providers import provider_batches
from adapters.store.tables.learning import costs, generations, label_events, models, templates
from adapters.store.tables.operations import events, operations
from adapters.store.tables.people import assignments, flags, invitations, people, sign_ins
from adapters.store.tables.pool import (
    DELETED,
    batch_items,
    batch_requests,
    batches,
    blob_references,
    index_versions,
    items,
    vectors,
)
from adapters.store.tables.schema import metadata
from adapters.store.tables.webhooks import deliveries, webhook_endpoints

__all__ = [
    "DELETED",
    "api_keys",
    "assignments",
    "batch_items",
    "batch_requests",
    "batches",
    "blob_references",
    "costs",
    "deliveries",
    "events",
    "flags",
    "generations",
    "heartbeats",
    "index_versions",
    "invitations",
    "items",
    "label_events",
    "metadata",
    "models",
    "operations",
    "people",
    "provider_batches",
    "replies",
    "sessions",
    "sign_ins",
    "templates",
    "tenants",
    "vectors",
    "webhook_endpoints",
]
