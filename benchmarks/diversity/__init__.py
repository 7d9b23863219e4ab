"""How varied a set of generated texts is, at equal number and equal length."""

from __future__ import annotations

from benchmarks.diversity.coverage import cluster_coverage
from benchmarks.diversity.measure import diversity
from benchmarks.diversity.terms import Terms, common_terms

__all__ = ["Terms", "cluster_coverage", "common_terms", "diversity"]
