"""Query strategies: given the pool's arrays, which rows should be labelled next."""

from __future__ import annotations

from core.pool import QueryStrategy
from core.registry import Registry
from core.strategies.anchored import Anchors
from core.strategies.chance import Random
from core.strategies.clustered import ClusterEntropy, ClusterError
from core.strategies.committee import Committee
from core.strategies.coverage import KCenter
from core.strategies.gradients import Badge
from core.strategies.need import ClusterNeed
from core.strategies.uncertain import Entropy, LeastConfidence, Margin

__all__ = ["strategies"]


def strategies() -> Registry[QueryStrategy]:
    """The built-in strategies; the caller adds plug-ins with ``load_plugins``."""
    registry: Registry[QueryStrategy] = Registry("strategy", pure=True)
    registry.register("random", Random, summary="every eligible text is equally likely")
    registry.register("entropy", Entropy, summary="highest entropy of the class probabilities")
    registry.register("margin", Margin, summary="smallest gap between the two likeliest classes")
    registry.register(
        "least_confidence", LeastConfidence, summary="lowest probability of the likeliest class"
    )
    registry.register(
        "cluster_entropy",
        ClusterEntropy,
        summary="equal quota per cluster, highest entropy first (the paper's rule)",
    )
    registry.register(
        "cluster_need",
        ClusterNeed,
        summary="classes the labels lack, unsure texts first, spread over clusters",
    )
    registry.register(
        "cluster_error",
        ClusterError,
        summary="quotas follow each cluster's estimated errors, unsure texts first (D-CALM)",
    )
    registry.register(
        "k_center", KCenter, summary="the text farthest from every labelled one (core-set)"
    )
    registry.register(
        "badge", Badge, summary="texts that would move the model much, in different directions"
    )
    registry.register(
        "anchors",
        Anchors,
        summary="unsure texts near labelled ones, those of lacking classes first (AnchorAL)",
    )
    registry.register(
        "committee",
        Committee,
        summary="texts on which models fitted to resampled labels disagree",
    )
    return registry
