"""Clusters of the pool: fitted on a sample, assigned once, ids kept when fitted again."""

from __future__ import annotations

from core.clustering.assignment import BLOCK_ROWS, assign, keep_ids
from core.clustering.contract import Clusterer, Floats, automatic_count
from core.clustering.density import Hdbscan
from core.clustering.k_means import BisectingKMeans, KMeans, MiniBatchKMeans
from core.clustering.linkage import Agglomerative
from core.registry import Registry

__all__ = [
    "BLOCK_ROWS",
    "Agglomerative",
    "BisectingKMeans",
    "Clusterer",
    "Floats",
    "Hdbscan",
    "KMeans",
    "MiniBatchKMeans",
    "assign",
    "automatic_count",
    "clusterers",
    "keep_ids",
]


def clusterers() -> Registry[Clusterer]:
    """The built-in clusterers; the caller adds plug-ins with ``load_plugins``."""
    registry: Registry[Clusterer] = Registry("clusterer", pure=True)
    registry.register("kmeans", KMeans, summary="k-means on a sample of 256 rows per cluster")
    registry.register(
        "mini_batch_kmeans", MiniBatchKMeans, summary="mini-batch k-means: faster, a little looser"
    )
    registry.register(
        "bisecting_kmeans", BisectingKMeans, summary="k-means that halves one cluster at a time"
    )
    registry.register(
        "agglomerative", Agglomerative, summary="nearest clusters merged, on a sample of rows"
    )
    registry.register(
        "hdbscan", Hdbscan, summary="dense regions of a sample; the data sets their number"
    )
    return registry
