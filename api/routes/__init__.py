"""One file per noun or verb; a route loads, calls a verb, and dumps what it answered."""

from __future__ import annotations

from api.blueprint import Blueprint
from api.routes.adjudication import blueprint as adjudication
from api.routes.batches import blueprint as batches
from api.routes.callbacks import blueprint as callbacks
from api.routes.desk import blueprint as desk
from api.routes.exports import blueprint as exports
from api.routes.flags import blueprint as flags
from api.routes.generations import blueprint as generations
from api.routes.imports import blueprint as imports
from api.routes.items import blueprint as items
from api.routes.keys import blueprint as keys
from api.routes.labels import blueprint as labels
from api.routes.leases import blueprint as leases
from api.routes.metrics import blueprint as metrics
from api.routes.models import blueprint as models
from api.routes.moderation import blueprint as moderation
from api.routes.operations import blueprint as operations
from api.routes.people import blueprint as people
from api.routes.predict import blueprint as predict
from api.routes.quality import blueprint as quality
from api.routes.service import blueprint as service
from api.routes.service import probes
from api.routes.sessions import blueprint as sessions
from api.routes.templates import blueprint as templates
from api.routes.webhooks import blueprint as webhooks

BLUEPRINTS: tuple[Blueprint, ...] = (
    sessions,
    items,
    imports,
    batches,
    labels,
    desk,
    leases,
    flags,
    adjudication,
    generations,
    models,
    predict,
    moderation,
    metrics,
    quality,
    exports,
    operations,
    templates,
    keys,
    webhooks,
    callbacks,
    people,
    service,
    probes,
)
