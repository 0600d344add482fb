"""A map of phases over two settings: predicted areas and contours, simulated points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    TRANSIENT: "simulated: transient",
    PERSISTENT: "simulated: persistent",
}
MISS_MEANING = "not as predicted"
_SMOOTHING = 1.0
"""Cells over which the border of the in-weight phase is smoothed: the phases are known in cells only."""
_STRIP = (0.1, 0.85)
"""Ends of the strip for the value 0 beside a logarithmic axis, in terms of the first value that is not 0."""
ZERO = 0.33
"""Where in the strip its points are."""


@dataclass(frozen=True, kw_only=True)
class MapArtists:
    """What was drawn: the shades of the transient phase, contours, the points by phase, and crosses on misses."""

    mesh: Any
    contours: Any
    points: Mapping[int, Any]
    misses: Any


def shades() -> Any:
    """Colour map of the boundaries: greys that neither hide black lines nor the points."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("boundary", colormaps["Greys"](np.linspace(0.05, 0.6, 64)))


def misses(at_points: Table, simulated: Table) -> NDArray[np.bool_]:
    """Where the simulation shows another phase than predicted, or an interval that does not hold the boundary.

    Parameters
    ----------
    at_points : Table
        From :func:`figures.phase_table.predicted_phases`, at the simulated points.
    simulated : Table
        From :func:`figures.phase_table.simulated_phases`.
    """
    other = at_points.quantities["phase"].values != simulated.quantities["phase"].values
    steps, low, high = (
        table.quantities[name].masked
        for table, name in ((at_points, "steps"), (simulated, "steps_low"), (simulated, "steps_high"))
    )
    outside = np.ma.filled((steps < low) | (steps > high), False)
    return np.asarray(other | outside.astype(np.bool_))


def draw_map(
    axis: Axes,
    predicted: Table,
    simulated: Table,
    at_points: Table,
    labels: Sequence[tuple[float, float]] | None = None,
) -> MapArtists:
    """Draw a map on an axis whose scales are set.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Where to; its horizontal scale is logarithmic if the first predicted value is a 0 beside it.
    predicted : Table
        From :func:`figures.phase_table.predicted_phases`, on a fine grid.
    simulated : Table
        From :func:`figures.phase_table.simulated_phases`.
    at_points : Table
        Like ``predicted``, at the simulated points.
    labels : sequence of tuple of float, optional
        Where about the numbers of the contours are; chosen by itself otherwise.
    """
    y_name, x_name = predicted.quantities["phase"].dimensions
    x, y = predicted.coordinates[x_name], predicted.coordinates[y_name]
    phase = predicted.quantities["phase"].values
    decades = np.ma.log10(predicted.quantities["steps"].masked)
    beside = x[0] == 0 and axis.get_xscale() == "log"
    if beside:
        _draw_strip(axis, x[1], y, phase[:, 0])
        x, phase, decades = x[1:], phase[:, 1:], decades[:, 1:]
    mesh = axis.pcolormesh(
        x, y, decades, cmap=shades(), vmin=DECADES[0], vmax=DECADES[1], shading="nearest", rasterized=True, gid="steps"
    )
    _draw_in_weights(axis, x, y, phase == IN_WEIGHT)
    contours = _draw_contours(axis, x, y, decades, labels)
    axis.set_xlim(x[0] * _STRIP[0] if beside else x[0], x[-1])
    axis.set_ylim(y[0], y[-1])
    places = _places(simulated, x[0] if beside else None)
    return MapArtists(
        mesh=mesh,
        contours=contours,
        points=_draw_points(axis, places, simulated.quantities["phase"].values),
        misses=_draw_misses(axis, places, misses(at_points, simulated)),
    )


def _draw_in_weights(axis: Axes, x: Array, y: Array, inside: NDArray[np.bool_]) -> None:
    """The area answered in weights from the start, with a border that does not show the cells."""
    from matplotlib import colormaps
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(inside.astype(np.float64), _SMOOTHING, mode="nearest")
    axis.contourf(x, y, smooth, levels=[0.5, 2.0], colors=[colormaps[FIELD](1.0)])
    axis.contour(x, y, smooth, levels=[0.5], colors=PREDICTED, linewidths=1.0)


def _draw_strip(axis: Axes, first: float, y: Array, phase: NDArray[np.int64]) -> None:
    """The value 0, beside the others."""
    from matplotlib import colormaps

    left, right = (first * share for share in _STRIP)
    persistent = colormaps[FIELD](0.0)
    axis.fill_betweenx(y, left, right, where=phase == PERSISTENT, color=persistent, linewidth=0, gid="persistent")
    axis.axvline(right, color=PREDICTED, linewidth=1.0)


def _draw_contours(axis: Axes, x: Array, y: Array, decades: Any, labels: Sequence[tuple[float, float]] | None) -> Any:
    """A line for every power of ten, with its number on it."""
    levels = [level for level in np.arange(DECADES[0] + 1, DECADES[1]) if decades.min() < level < decades.max()]
    contours = axis.contour(x, y, decades, levels=levels, colors=PREDICTED, linewidths=0.8)
    if levels:
        axis.clabel(contours, fmt=lambda level: f"$10^{level:.0f}$", fontsize=8, manual=labels or False)
    return contours


def _places(simulated: Table, first: float | None) -> tuple[Array, Array]:
    """Where the points are; a 0 in its strip beside the first value of a logarithmic axis."""
    y_name, x_name = simulated.quantities["phase"].dimensions
    x, y = np.meshgrid(simulated.coordinates[x_name], simulated.coordinates[y_name])
    return (x if first is None else np.where(x == 0, first * ZERO, x)), y


def _draw_points(axis: Axes, places: tuple[Array, Array], phase: NDArray[np.int64]) -> dict[int, Any]:
    x, y = places
    found = {}
    for code, marker in MARKERS.items():
        here = phase == code
        if here.any():
            found[code] = axis.scatter(
                x[here], y[here], s=34, marker=marker, color=SIMULATED, edgecolors=HALO, linewidths=0.7, zorder=5,
                clip_on=False, gid=f"phase-{code}", label=MEANINGS[code],
            )  # fmt: skip
    return found


def _draw_misses(axis: Axes, places: tuple[Array, Array], missed: NDArray[np.bool_]) -> Any:
    """Crosses behind the points that are not as predicted; ``None`` where all are."""
    from matplotlib import patheffects

    if not missed.any():
        return None
    x, y = places
    (crosses,) = axis.plot(
        x[missed], y[missed], linestyle="none", marker="x", markersize=13, markeredgewidth=1.5, color=PREDICTED,
        path_effects=[patheffects.Stroke(linewidth=3.2, foreground=HALO), patheffects.Normal()], zorder=4.5,
        clip_on=False, label=MISS_MEANING, gid="missed",
    )  # fmt: skip
    return crosses
