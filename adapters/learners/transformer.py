"""The transformer learner: a pretrained encoder fine-tuned on texts, exported to ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adapters.learners.transformer_balance import loss_weights, told_apart
from adapters.learners.transformer_files import ModelFolder, find_model, make_tokenizer
from core.errors import JobFailed, NotInstalled
from core.ports import Floats, Job, Targets
from core.records import Options
from core.registry import check_option

if TYPE_CHECKING:
    from adapters.learners.transformer_training import History, TrainingRows

TOLERANCE = 1e-4
"""Twelve layers in float32 add up more rounding than a head does."""
COMPARED = 64
"""Training texts on which the file is compared with the trained model."""
_EXTRA = ("torch", "transformers")
_LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTransformer:
    """The ONNX file, how far it is from the trained model, and how it was made."""

    onnx: bytes
    parity: float
    parameters: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerLearner:
    """``model`` is minilm (the installed encoder's weights) or a folder in the server's
    model directory, which is where ``encoder_directory`` lies.

    ``epochs`` is the most passes over the rows; training stops earlier once ``patience``
    passes in a row brought no lower loss on the watched rows, and the best pass is kept.
    ``class_weight`` is what it is in the linear learner. ``max_length`` counts tokens.
    ``int8`` stores an eight-bit model and says what that cost.
    """

    encoder_directory: Path
    model: str = "bert-base-cased"
    class_weight: str = "balanced"
    epochs: int = 10
    learning_rate: float = 5e-5
    batch_size: int = 16
    max_length: int = 128
    patience: int = 2
    int8: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidOption, or NotInstalled ``extra-missing``/``model-missing``."""
        check_option("model", self.model, of=str)
        check_option("class_weight", self.class_weight, of=str, among=("balanced", "none"))
        check_option("epochs", self.epochs, of=int, least=1, most=1000)
        check_option("learning_rate", self.learning_rate, of=(int, float), least=1e-7, most=0.1)
        check_option("batch_size", self.batch_size, of=int, least=1, most=1024)
        check_option("max_length", self.max_length, of=int, least=3, most=8192)
        check_option("patience", self.patience, of=int, least=1, most=1000)
        check_option("int8", self.int8, of=bool)
        require_extra()
        self._folder()

    def _folder(self) -> ModelFolder:
        return find_model(self.model, encoder_directory=self.encoder_directory)

    def fit_texts(
        self,
        texts: Sequence[str],
        targets: Targets,
        *,
        classes: int,
        weights: Floats,
        watched: NDArray[np.bool_],
        seed: int,
        job: Job,
    ) -> FittedTransformer:
        """One model over ``classes`` columns: softmax, or for bool (n, C) targets sigmoids.

        Deterministic for a seed on one machine's CPU. Raises JobFailed
        ``class-without-labels`` or ``onnx-parity``, Unavailable ``model-corrupt``, Cancelled.
        """
        from adapters.learners.transformer_training import (  # noqa: PLC0415
            TrainingRows,
            load_model,
            train,
        )

        if not told_apart(targets[~watched], classes=classes):
            raise JobFailed(
                "training needs labels that tell every class from the others",
                code="class-without-labels",
            )
        folder = self._folder()
        tokenizer = make_tokenizer(folder.tokenizer, max_length=self.max_length)
        balanced = self.class_weight == "balanced"
        rows = TrainingRows(
            tokens=[entry.ids for entry in tokenizer.encode_batch_fast(list(texts))],
            targets=targets,
            weights=loss_weights(targets, weights, watched=watched, balanced=balanced),
            watched=watched,
        )
        model = load_model(folder, classes=classes, max_length=self.max_length, seed=seed)
        history = train(model, rows, options=self, seed=seed, job=job)
        job.check()
        onnx, gap = _exported(model, rows, tokenizer=tokenizer.to_str(), pad_id=folder.pad_id)
        cost = None
        if self.int8:
            onnx, cost = self._smaller(onnx, texts, targets, watched=watched)
        return FittedTransformer(
            onnx=onnx, parity=gap, parameters=self._parameters(folder, history, cost=cost)
        )

    def _smaller(
        self, exact: bytes, texts: Sequence[str], targets: Targets, *, watched: NDArray[np.bool_]
    ) -> tuple[bytes, dict[str, Any]]:
        """The eight-bit model and its cost on the watched rows, or on all where none are."""
        from adapters.learners.transformer_int8 import int8_cost, quantised  # noqa: PLC0415

        small = quantised(exact)
        judged = watched if watched.any() else np.ones(len(texts), dtype=np.bool_)
        chosen = [text for text, judge in zip(texts, judged, strict=True) if judge]
        on = "held out" if watched.any() else "training"
        return small, {"on": on, **int8_cost(exact, small, chosen, targets[judged])}

    def _parameters(
        self, folder: ModelFolder, history: History, *, cost: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "model": self.model,
            "weights_sha256": folder.sha256(),
            "class_weight": self.class_weight,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "max_length": self.max_length,
            "patience": self.patience,
            "int8": self.int8,
            **({"int8_cost": dict(cost)} if cost is not None else {}),
            "epochs_run": history.epochs,
            "best_epoch": history.best,
            "watched_rows": history.watched,
            "watched_loss": [round(loss, 4) for loss in history.losses],
            "versions": {name: version(name) for name in _LIBRARIES},
        }


def _exported(
    model: Any, rows: TrainingRows, *, tokenizer: str, pad_id: int
) -> tuple[bytes, float]:
    """The file and its largest difference; raises JobFailed ``onnx-parity`` past 1e-4."""
    from adapters.learners.transformer_export import export_model, largest_gap  # noqa: PLC0415

    several = rows.targets.ndim > 1
    onnx = export_model(model, tokenizer=tokenizer, pad_id=pad_id, several=several)
    gap = largest_gap(model, onnx, rows.tokens[:COMPARED], pad_id=pad_id, several=several)
    if not gap <= TOLERANCE:
        raise JobFailed(
            f"the exported model differs from the trained one by {gap:.2g}",
            code="onnx-parity",
            extras={"difference": gap, "tolerance": TOLERANCE},
        )
    return onnx, gap


def require_extra() -> None:
    """Raises NotInstalled ``extra-missing`` with the command."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise NotInstalled(
            f"the transformer learner needs {' and '.join(missing)}; "
            "run: pip install 'tailwise[transformer]'",
            code="extra-missing",
        )
