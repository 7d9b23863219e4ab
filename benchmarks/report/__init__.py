"""The report of the evidence harness, from stored summaries only."""

from __future__ import annotations

from benchmarks.report.writing import write_report

__all__ = ["write_report"]
