"""A map of phases over two settings: predicted areas and contours, simulated points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.phase_table import IN_WEIGHT, PERSISTENT, TRANSIENT
from figures.style import FIELD, HALO, PREDICTED, SIMULATED
from simulate.sweeps.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

DECADES = (0.0, 6.0)
"""Boundaries that the shades tell apart, as powers of ten of the steps."""
NAMES = {IN_WEIGHT: "in-weight", TRANSIENT: "transient", PERSISTENT: "persistent"}
MARKERS = {IN_WEIGHT: "s", TRANSIENT: "o", PERSISTENT: "^"}
MEANINGS = {
    IN_WEIGHT: "simulated: in-weight",
    TRANSIENT: "simulated: transient (fill: its end)",
    PERSISTENT: "simulated: persistent",
}
_STRIP = (0.1, 0.85)
"""Ends of the strip for the value 0 beside a logarithmic axis, in terms of the first value that is not 0."""
ZERO = 0.33
"""Where in the strip its points are."""


@dataclass(frozen=True, kw_only=True)
class MapArtists:
    """What was drawn: the shades of the transient phase, contours, and the points by phase."""

    mesh: Any
    contours: Any
    points: Mapping[int, Any]


def shades() -> Any:
    """Colour map of the boundaries: greys that neither hide black lines nor the points."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("boundary", colormaps["Greys"](np.linspace(0.05, 0.6, 64)))


def draw_map(axis: Axes, predicted: Table, simulated: Table) -> MapArtists:
    """Draw a map on an axis whose scales are set.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Where to; its horizontal scale is logarithmic if the first predicted value is a 0 beside it.
    predicted : Table
        From :func:`figures.phase_table.predicted_phases`, on a fine grid.
    simulated : Table
        From :func:`figures.phase_table.simulated_phases`.
    """
    y_name, x_name = predicted.quantities["phase"].dimensions
    x, y = predicted.coordinates[x_name], predicted.coordinates[y_name]
    phase = predicted.quantities["phase"].values
    decades = np.ma.log10(predicted.quantities["steps"].masked)
    beside = x[0] == 0 and axis.get_xscale() == "log"
    if beside:
        _draw_strip(axis, x[1], y, phase[:, 0])
        x, phase, decades = x[1:], phase[:, 1:], decades[:, 1:]
    axis.pcolormesh(x, y, phase == IN_WEIGHT, cmap=_plain(_in_weights()), shading="nearest", rasterized=True)
    mesh = axis.pcolormesh(
        x, y, decades, cmap=shades(), vmin=DECADES[0], vmax=DECADES[1], shading="nearest", rasterized=True, gid="steps"
    )
    contours = _draw_contours(axis, x, y, decades)
    axis.contour(x, y, phase == IN_WEIGHT, levels=[0.5], colors=PREDICTED, linewidths=1.0)
    axis.set_xlim(x[0] * _STRIP[0] if beside else x[0], x[-1])
    axis.set_ylim(y[0], y[-1])
    return MapArtists(mesh=mesh, contours=contours, points=_draw_points(axis, simulated, beside, x[0]))


def _in_weights() -> Any:
    from matplotlib import colormaps

    return colormaps[FIELD](1.0)


def _plain(colour: Any) -> Any:
    """A colour map that shows what is true, and nothing of what is not."""
    from matplotlib.colors import ListedColormap

    return ListedColormap([(0, 0, 0, 0), colour])


def _draw_strip(axis: Axes, first: float, y: Array, phase: NDArray[np.int64]) -> None:
    """The value 0, beside the others."""
    from matplotlib import colormaps

    left, right = (first * share for share in _STRIP)
    persistent = colormaps[FIELD](0.0)
    axis.fill_betweenx(y, left, right, where=phase == PERSISTENT, color=persistent, linewidth=0, gid="persistent")
    axis.axvline(right, color=PREDICTED, linewidth=1.0)


def _draw_contours(axis: Axes, x: Array, y: Array, decades: Any) -> Any:
    """A line for every power of ten, with its number on it."""
    levels = [level for level in np.arange(DECADES[0] + 1, DECADES[1]) if decades.min() < level < decades.max()]
    contours = axis.contour(x, y, decades, levels=levels, colors=PREDICTED, linewidths=0.8)
    axis.clabel(contours, fmt=lambda level: f"$10^{level:.0f}$", fontsize=8)
    return contours


def _draw_points(axis: Axes, simulated: Table, beside: bool, first: float) -> dict[int, Any]:
    y_name, x_name = simulated.quantities["phase"].dimensions
    x, y = np.meshgrid(simulated.coordinates[x_name], simulated.coordinates[y_name])
    if beside:
        x = np.where(x == 0, first * ZERO, x)
    phase = simulated.quantities["phase"].values
    decades = np.ma.log10(simulated.quantities["steps"].masked).filled(0.0)
    found = {}
    for code, marker in MARKERS.items():
        here = phase == code
        if not here.any():
            continue
        fill = {"c": decades[here], "cmap": shades(), "vmin": DECADES[0], "vmax": DECADES[1], "edgecolors": SIMULATED}
        plain = {"color": SIMULATED, "edgecolors": HALO}
        how = fill if code == TRANSIENT else plain
        width = 1.6 if code == TRANSIENT else 0.7
        found[code] = axis.scatter(
            x[here], y[here], s=34, marker=marker, linewidths=width, zorder=5, clip_on=False, gid=f"phase-{code}", **how
        )
        found[code].set_label(MEANINGS[code])
    return found
