"""Learners behind one registry; what they train leaves as ONNX."""

from __future__ import annotations

from core.ports import Learner
from core.registry import Registry

__all__ = ["learners"]


def learners() -> Registry[Learner]:
    """The known learners: ``linear``, logistic regression on the encoder's vectors."""

    def linear(
        *,
        c: float = 1.0,
        class_weight: str = "balanced",
        choose_c: bool = False,
        max_iter: int = 1000,
    ) -> Learner:
        from adapters.learners.linear import LinearLearner  # noqa: PLC0415

        return LinearLearner(c=c, class_weight=class_weight, choose_c=choose_c, max_iter=max_iter)

    registry = Registry[Learner]("learner")
    registry.register("linear", linear, summary="logistic regression on the vectors")
    return registry
