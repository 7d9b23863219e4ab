"""One file per noun or verb; a route loads, calls a verb, and dumps what it answered."""

from __future__ import annotations

from api.blueprint import Blueprint
from api.routes import (
    batches,
    exports,
    generations,
    imports,
    items,
    keys,
    labels,
    metrics,
    models,
    operations,
    predict,
    service,
    sessions,
    templates,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    sessions.blueprint,
    items.blueprint,
    imports.blueprint,
    batches.blueprint,
    labels.blueprint,
    generations.blueprint,
    models.blueprint,
    predict.blueprint,
    metrics.blueprint,
    exports.blueprint,
    operations.blueprint,
    templates.blueprint,
    keys.blueprint,
    service.blueprint,
    service.probes,
)
