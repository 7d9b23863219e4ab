"""Learners behind one registry; what they train leaves as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.errors import NotInstalled
from core.ports import Learner, TextLearner
from core.registry import Registry

__all__ = ["learners"]


def learners(*, encoder_directory: Path | None = None) -> Registry[Learner | TextLearner]:
    """The known learners; pretrained models lie beside ``encoder_directory``, if at all."""

    def linear(
        *,
        c: float = 1.0,
        class_weight: str = "balanced",
        choose_c: bool = False,
        max_iter: int = 1000,
    ) -> Learner:
        from adapters.learners.linear import LinearLearner  # noqa: PLC0415

        return LinearLearner(c=c, class_weight=class_weight, choose_c=choose_c, max_iter=max_iter)

    registry = Registry[Learner | TextLearner]("learner")
    registry.register("linear", linear, summary="logistic regression on the vectors")
    registry.register(
        "transformer", _transformer(encoder_directory), summary="a pretrained encoder, fine-tuned"
    )
    return registry


def _transformer(encoder_directory: Path | None) -> Callable[..., TextLearner]:
    def transformer(
        *,
        model: str = "bert-base-cased",
        class_weight: str = "balanced",
        epochs: int = 10,
        learning_rate: float = 5e-5,
        batch_size: int = 16,
        max_length: int = 128,
        patience: int = 2,
        int8: bool = False,
    ) -> TextLearner:
        from adapters.learners.transformer import TransformerLearner  # noqa: PLC0415

        if encoder_directory is None:
            raise NotInstalled("there is no directory of pretrained models", code="model-missing")
        return TransformerLearner(
            encoder_directory=encoder_directory,
            model=model,
            class_weight=class_weight,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            max_length=max_length,
            patience=patience,
            int8=int8,
        )

    return transformer
