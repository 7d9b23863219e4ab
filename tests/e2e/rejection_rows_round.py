"""Refusals in a round: labels, batches, trainings, variations, models."""

from __future__ import annotations

from tests.e2e.rejection_rows import JSON, UNKNOWN, Row, at, label, post

LABELS = {
    "a label for an unknown item": Row(
        on="human",
        ask=label({"item_id": UNKNOWN, "label": "garden"}),
        status=404,
        code="unknown-item",
    ),
    "a label outside the schema": Row(
        on="human",
        ask=label({"item_id": "$free", "label": "space"}),
        status=422,
        code="label-not-in-schema",
        pointer="/labels/0/labels",
        extras={"allowed": ["garden", "kitchen", "harbour"]},
    ),
    "two labels where one is meant": Row(
        on="human",
        ask=label({"item_id": "$free", "labels": ["garden", "kitchen"]}),
        status=422,
        code="too-many-labels",
        pointer="/labels/0/labels",
        extras={"allowed": 1},
    ),
    "a number that is not finite": Row(
        on="human",
        ask=post("/select", content=b'{"min_distance": 1e999}', headers=JSON),
        status=422,
        code="invalid-number",
        pointer="/min_distance",
    ),
    "NaN": Row(
        on="human",
        ask=post("/select", content=b'{"min_distance": NaN}', headers=JSON),
        status=400,
        code="malformed-json",
    ),
    "a label for an item in no batch": Row(
        on="human",
        ask=label({"item_id": "$pool", "label": "garden"}),
        status=409,
        code="item-not-selected",
    ),
    "a label for a test row": Row(
        on="human",
        ask=label({"item_id": "$test", "label": "garden"}),
        status=409,
        code="item-not-in-pool",
        extras={"split": "test"},
    ),
    "a label for a cancelled batch": Row(
        on="cancelled",
        ask=label({"item_id": "$cancelled_item", "label": "garden"}),
        status=409,
        code="batch-closed",
    ),
    "a label for a batch whose item has its answer": Row(
        on="human",
        ask=label({"item_id": "$theirs", "label": "garden", "batch_id": "$batch"}),
        status=409,
        code="batch-closed",
        extras={"label_id": None},
    ),
    "a label for an item that has enough": Row(
        on="human",
        ask=label({"item_id": "$theirs", "label": "garden"}),
        status=409,
        code="overlap-reached",
        extras={"label_id": None},
    ),
    "another answer by the same annotator": Row(
        on="human",
        ask=label({"item_id": "$mine", "label": "kitchen"}),
        status=409,
        code="already-labelled",
        extras={"label_id": None},
    ),
    "taking back somebody else's answer": Row(
        on="human",
        ask=at("/labels/{their_label}/undo"),
        status=409,
        code="not-your-label",
    ),
    "a label in a closed session": Row(
        on="closed",
        ask=label({"item_id": UNKNOWN, "label": "garden"}),
        status=409,
        code="session-not-open",
        extras={"state": "closed"},
    ),
    "gold asked in a session that people label": Row(
        on="human",
        ask=post("/label", {"oracle": "gold", "batch_id": "$batch"}),
        status=409,
        code="oracle-mismatch",
        extras={"oracle": "human"},
    ),
    "gold asked where there is none": Row(
        on="bare",
        ask=post("/label", {"oracle": "gold", "batch_id": "$bare_batch"}),
        status=409,
        code="gold-missing",
        extras={"items": None},
    ),
}
ROUNDS = {
    "select before there are items": Row(
        on="draft",
        ask=post("/select", {}),
        status=409,
        code="session-not-open",
        extras={"state": "draft"},
    ),
    "select from an empty pool": Row(
        on="emptied",
        ask=post("/select", {}),
        status=409,
        code="pool-empty",
        extras={"pooled": 0, "resolved": 4},
    ),
    "select while a batch is open": Row(
        on="human",
        ask=post("/select", {}),
        status=409,
        code="batch-open",
        extras={"batch_id": "$batch"},
    ),
    "select before the pool is indexed": Row(
        on="unindexed",
        ask=post("/select", {}),
        status=409,
        code="not-indexed",
        extras={"operation": "$indexing", "url": "/v1/operations/$indexing"},
    ),
    "select more than a batch may have": Row(
        on="fresh",
        ask=post("/select", {"size": 101}),
        status=422,
        code="size-too-large",
        pointer="/size",
        extras={"limit": 100},
    ),
    "select by an unknown strategy": Row(
        on="fresh",
        ask=post("/select", {"strategy": "astrology"}),
        status=422,
        code="unknown-strategy",
        extras={"allowed": None},
    ),
    "select beyond the label budget": Row(
        on="frugal",
        ask=post("/select", {}),
        status=409,
        code="budget-exceeded",
        extras={"spent": 2, "limit": 2},
    ),
    "select while the model is being replaced": Row(
        on="training",
        ask=post("/select", {}),
        status=409,
        code="operation-in-progress",
        extras={"operation": "$running", "url": "/v1/operations/$running"},
    ),
    "retrain with one class": Row(
        on="human",
        ask=post("/retrain"),
        status=409,
        code="insufficient-classes",
        extras={"present": {"garden": 2}, "required": 2, "min_per_class": 2},
    ),
    "retrain with nothing new": Row(
        on="trained",
        ask=post("/retrain"),
        status=409,
        code="nothing-new",
        extras={"watermark": None},
    ),
    "retrain while a training runs": Row(
        on="training",
        ask=post("/retrain", {"force": True}),
        status=409,
        code="operation-in-progress",
        extras={"operation": "$running", "url": "/v1/operations/$running", "kind": "retrain"},
    ),
    "cancel of an operation that has ended": Row(
        on="trained",
        ask=lambda stage, _: stage.caller.post(f"/v1/operations/{stage.ids['operation']}/cancel"),
        status=409,
        code="operation-finished",
        extras={"state": "succeeded"},
    ),
    "cancel of a batch that is cancelled": Row(
        on="cancelled",
        ask=at("/batches/{cancelled_batch}/cancel"),
        status=409,
        code="batch-closed",
        extras={"state": "cancelled"},
    ),
    "resume of a session that runs": Row(
        on="human",
        ask=post("/resume"),
        status=409,
        code="invalid-transition",
        extras={"state": "open", "allowed_from": ["paused"]},
    ),
    "an export that is not written yet": Row(
        on="trained",
        ask=at("/exports/{export}/content", "get"),
        status=409,
        code="operation-not-finished",
    ),
}
VARIATIONS = {
    "variations of an unlabelled item": Row(
        on="human",
        ask=post("/generate", {"item_ids": ["$free"]}),
        status=422,
        code="source-unlabelled",
        extras={"items": ["$free"]},
    ),
    "variations before anything is labelled": Row(
        on="fresh", ask=post("/generate", {}), status=422, code="source-unlabelled"
    ),
    "variations by a generator without its key": Row(
        on="trained",
        ask=post("/generate", {"generator": "anthropic"}),
        status=409,
        code="generator-not-configured",
        extras={"generator": "anthropic"},
    ),
    "variations by an unknown generator": Row(
        on="trained",
        ask=post("/generate", {"generator": "monkeys"}),
        status=422,
        code="unknown-generator",
        extras={"allowed": None},
    ),
    "variations by an unknown template": Row(
        on="trained",
        ask=post("/generate", {"template": "haiku"}),
        status=422,
        code="unknown-template",
        pointer="/template",
        extras={"allowed": None},
    ),
    "a decision on what is decided": Row(
        on="trained",
        ask=at("/generations/{decided}/review", document={"decision": "reject"}),
        status=409,
        code="already-reviewed",
    ),
}
MODELS = {
    "predict before a model": Row(
        on="fresh",
        ask=post("/predict", {"inputs": [{"text": "bread and flour"}]}),
        status=409,
        code="no-model",
    ),
    "predict with a deleted model": Row(
        on="trained",
        ask=post("/predict", {"inputs": [{"text": "bread"}], "model": "$deleted_model"}),
        status=410,
        code="model-deleted",
    ),
    "predict with a model whose file is lost": Row(
        on="lost",
        ask=post("/predict", {"inputs": [{"text": "bread"}]}),
        status=503,
        code="model-unavailable",
    ),
    "predict with too many texts": Row(
        on="trained",
        ask=post("/predict", {"inputs": [{"text": "bread"}] * 257}),
        status=422,
        code="too-many",
        pointer="/inputs",
    ),
    "deletion of the active model": Row(
        on="lost",
        ask=lambda stage, path: stage.caller.delete(
            f"{path}/models/{stage.caller.read(path)['active_model_id']}"
        ),
        status=409,
        code="model-active",
    ),
}
