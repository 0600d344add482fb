"""What a figure of the gallery is: how its results are computed, and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from figures.workbench import Workbench
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Results = Mapping[str, Table | SweepTable]
"""What a figure is drawn from, by name; each becomes a CSV file beside the picture."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A figure of the gallery.

    Parameters
    ----------
    meaning : str
        What it shows, in one line.
    results : callable
        From a workbench and whether it has to be quick to the results; whatever takes time goes through the workbench,
        which keeps it.
    draw : callable
        From the results to a figure; computes nothing.
    reading : str
        How to read it, as a caption: what is predicted, what is simulated, what the uncertainty is.
    """

    meaning: str
    results: Callable[[Workbench, bool], Results]
    draw: Callable[[Results], Figure]
    reading: str

    def __post_init__(self) -> None:
        if not self.meaning or not self.reading:
            raise ValueError("a figure without a meaning")


def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **how: Any) -> tuple[Figure, Any]:
    """A figure that belongs to no window, with its axes.

    Parameters
    ----------
    width, height : float
        In inches; :data:`figures.style.ONE_COLUMN` and :data:`figures.style.TWO_COLUMNS` are a journal's widths.
    rows, columns : int
        Panels.
    **how
        For ``Figure.subplots``.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : ndarray of matplotlib.axes.Axes, shape (rows, columns)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **how)
