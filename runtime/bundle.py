"""A model as a folder that runs anywhere: graph, tokenizer, labels and model card."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import Conflict
from core.ports import Blobs, Encoder
from core.records import Choice, Model, Session

INTENDED_USE = (
    "Flagging texts for review by people in the domain it was trained on. It is a "
    "statistical detector: it misses cases and raises false alarms, and must not decide "
    "alone about a person. Generated rows in its training data are synthetic."
)
QUALITY = (
    *("macro_f1", "micro_f1", "weighted_f1", "accuracy", "subset_accuracy", "hamming_loss"),
    *("log_loss", "calibration_error"),
)
"""What the model card shows of a model's metrics, in this order."""


def bundle(
    session: Session, model: Model, *, encoder_for: Callable[[Choice], Encoder], blobs: Blobs
) -> bytes:
    """A zip with model.onnx (token ids to probabilities), tokenizer.json, labels.json and
    README.md.

    Raises Conflict ``encoder-not-portable`` where the session's encoder has no graph.
    """
    from adapters.learners.bundle import write_bundle  # noqa: PLC0415
    from adapters.learners.loading import reads_texts  # noqa: PLC0415

    data = blobs.get(model.onnx)
    if reads_texts(data):
        files = _text_model(session, model, data)
    else:
        files = _with_encoder(session, model, data, encoder=encoder_for(session.settings.encoder))
    file = io.BytesIO()
    write_bundle(file, files)
    return file.getvalue()


def _text_model(session: Session, model: Model, data: bytes) -> Mapping[str, bytes]:
    from adapters.learners.bundle import package  # noqa: PLC0415
    from adapters.learners.transformer_onnx import portable  # noqa: PLC0415

    graph, tokenizer = portable(data)
    source = {"fine-tuned from": model.parameters.get("model", "unknown")}
    return package(
        graph,
        tokenizer=tokenizer,
        classes=model.classes,
        thresholds=model.thresholds,
        card=_card(session, model) | {"encoder": source},
    )


def _with_encoder(
    session: Session, model: Model, head: bytes, *, encoder: Encoder
) -> Mapping[str, bytes]:
    from adapters.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415
    from adapters.learners.bundle import export_bundle  # noqa: PLC0415

    if not isinstance(encoder, OnnxEncoder):
        raise Conflict(
            "this session's encoder has no ONNX graph; only its head can be downloaded",
            code="encoder-not-portable",
        )
    portable = encoder.portable()
    about = {"id": model.encoder_id, "licence": portable.licence, "source": portable.source}
    return export_bundle(
        encoder=portable.model,
        tokenizer=portable.tokenizer,
        head=head,
        classes=model.classes,
        thresholds=model.thresholds,
        card=_card(session, model) | {"encoder": about},
    )


def _card(session: Session, model: Model) -> dict[str, Any]:
    """The model card's sections."""
    metrics = model.metrics
    quality = {name: round(metrics[name], 4) for name in QUALITY if name in metrics}
    thresholds = {name: round(value, 4) for name, value in (model.thresholds or {}).items()}
    human, written = sum(model.human_counts.values()), sum(model.generated_counts.values())
    recall = {name: round(row["recall"], 4) for name, row in metrics.get("per_class", {}).items()}
    return {
        "title": f"{session.name}, model {model.version}",
        "intended_use": INTENDED_USE,
        "classes": {c.id: c.definition or c.name for c in session.task.classes},
        "training data": {
            "human labels": model.parameters.get("human_rows", human),
            "generated rows (synthetic)": model.parameters.get("generated_rows", written),
            "label watermark": model.label_watermark,
        },
        "human labels by class": dict(model.human_counts),
        "generated rows by class": dict(model.generated_counts),
        "parameters": dict(model.parameters),
        f"quality on {model.evaluated_on} rows": quality or "not measured",
        "recall by class": recall or "not measured",
        **({"thresholds": thresholds} if thresholds else {}),
        "head": {"sha256": model.onnx, "parity": model.parity},
    }
