"""Pictures of a session as SVG and PNG files; matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.records import Options
from core.reporting import PLOTS, check_plot

__all__ = ["PLOTS", "compare", "render"]

Format = Literal["svg", "png"]


def render(name: str, data: Options, *, format: Format) -> bytes:
    """The picture ``name`` of what ``core.rounds.metrics.plot_data`` gave for it.

    The same data gives the same bytes. Raises InvalidInput ``unknown-plot``.
    """
    check_plot(name)
    from adapters.charts.gallery import draw  # noqa: PLC0415 -- matplotlib is slow to import

    return draw(name, data, format=format)


def compare(name: str, arms: Sequence[tuple[str, Options]], *, format: Format) -> bytes:
    """One picture of several sessions' metrics: overview, evenness, f1 or balance.

    ``arms`` are (name, metrics), the first drawn strongest. Raises InvalidInput
    ``unknown-plot``.
    """
    from adapters.charts.comparison import draw  # noqa: PLC0415 -- matplotlib is slow to import

    return draw(name, arms, format=format)
