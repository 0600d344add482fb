"""A panel of an overlay: simulated mean gate as a field, predicted boundaries as lines, simulated ones as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.style import FIELD, HALO, PREDICTED, SIMULATED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

COLUMNS = 480
"""Steps at which the field is drawn."""
MOST_TICKS = 12
LEAST_STEPS = 0.5
"""What stands for 0 on the logarithmic axis."""
LINES = {"sharp": "-", "instantaneous": "--", "asymptotic": ":"}
MEANINGS = {
    "sharp": "predicted: mean gate crosses 1/2",
    "instantaneous": "predicted: $g$ becomes the better predictor",
    "asymptotic": "predicted: asymptotic closed form",
}
BRACKET_MEANING = "proved: a single run's boundary is between\nthe thin lines (if no left one: before the right), 95 %"
POINT_MEANING = "simulated boundary, 95 % interval"
MISS_MEANING = "simulated: interval misses the solid line"
MARGIN = 0.05
"""Room below the first row and above the last one, in terms of the panel's height."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A simulated mean gate.

    Parameters
    ----------
    steps, mean : ndarray, shape (k,)
        Checkpoints, increasing, and the mean gate there.
    """

    steps: NDArray[np.int64]
    mean: Array


@dataclass(frozen=True, kw_only=True)
class Point:
    """A simulated boundary.

    Parameters
    ----------
    position : float
        Where it is on the vertical axis.
    steps : float
        Where the mean gate crosses 1/2.
    interval : tuple of float or None
        Its confidence interval.
    missed : bool
        Whether the interval is known not to hold the prediction.
    """

    position: float
    steps: float
    interval: tuple[float, float] | None
    missed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """What one panel shows: rows of the field from bottom to top, lines and points; all in steps.

    Parameters
    ----------
    title : str
        Above the panel.
    rows : ndarray, shape (r,)
        Increasing vertical positions of the field's rows.
    curves : sequence of Curve
        One for each row, all over the same steps.
    points : sequence of Point
        Simulated boundaries.
    positions : ndarray, shape (b,)
        Vertical positions of the predicted boundaries; none where there is no theory.
    predicted : mapping of str to ndarray, shape (b,)
        Boundaries by kind; infinite, or not positive, where there is none.
    bracket : tuple of ndarray, shape (b,), or None
        Lower and upper ends of the rigorous brackets; both infinite where there is none.
    whole : bool
        Whether positions are whole numbers: lines lead from one to the next, the sharp one with markers there.
    """

    title: str
    rows: Array
    curves: Sequence[Curve]
    points: Sequence[Point]
    positions: Array = field(default_factory=lambda: np.zeros(0))
    predicted: Mapping[str, Array] = field(default_factory=dict)
    bracket: tuple[Array, Array] | None = None
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class PanelArtists:
    """What was drawn: the field's mesh, lines by kind, the bracket's area, and the points with their error bars."""

    mesh: Any
    lines: Mapping[str, Any]
    bracket: Any
    points: Any


def draw_panel(axis: Axes, panel: Panel) -> PanelArtists:
    """Draw a panel on an axis."""
    first, last = _steps_shown(panel)
    logarithmic = is_logarithmic(panel.rows)
    axis.set_xscale("log")
    axis.set_yscale("log" if logarithmic else "linear")
    artists = PanelArtists(
        mesh=_draw_field(axis, panel, np.geomspace(first, last, COLUMNS)),
        lines=_draw_predictions(axis, panel),
        bracket=_draw_bracket(axis, panel),
        points=draw_points(axis, panel.points),
    )
    _set_ticks(axis, panel)
    edges = row_edges(panel.rows, logarithmic)
    axis.set_xlim(first, last)
    axis.set_ylim(edges[0], edges[-1])
    axis.set_xlabel("steps of the stream, $N$")
    axis.set_title(panel.title)
    return artists


def draw_points(axis: Axes, points: Sequence[Point]) -> Any:
    """Simulated boundaries with their intervals; ``None`` where there are none."""
    if not points:
        return None
    centres = np.array([point.steps for point in points], dtype=np.float64)
    reach = np.zeros((2, centres.size))
    for i, point in enumerate(points):
        if point.interval is not None:
            low, high = point.interval
            reach[:, i] = centres[i] - max(low, 1.0), high - centres[i]
    _mark_misses(axis, [point for point in points if point.missed])
    return axis.errorbar(
        centres,
        [point.position for point in points],
        xerr=np.maximum(reach, 0),
        fmt="o",
        markersize=3.8,
        color=SIMULATED,
        markeredgecolor=HALO,
        markeredgewidth=0.7,
        elinewidth=1.4,
        capsize=2,
        label=POINT_MEANING,
        zorder=5,
        clip_on=False,
    )


def _mark_misses(axis: Axes, missed: Sequence[Point]) -> None:
    """A cross behind each point whose interval misses the prediction."""
    from matplotlib import patheffects

    if not missed:
        return
    axis.plot(
        [point.steps for point in missed],
        [point.position for point in missed],
        linestyle="none",
        marker="x",
        markersize=9,
        markeredgewidth=1.5,
        color=PREDICTED,
        path_effects=[patheffects.Stroke(linewidth=3.0, foreground=HALO), patheffects.Normal()],
        label=MISS_MEANING,
        zorder=4.5,
        gid="missed",
    )


def is_logarithmic(values: Array) -> bool:
    """Whether values are better told apart on a logarithmic axis: more evenly spaced there."""
    if values.size < 3 or values[0] <= 0:
        return bool(values[0] > 0 and values[-1] / values[0] > 20)
    linear, logarithmic = np.diff(values), np.diff(np.log(values))
    return bool(logarithmic.std() / logarithmic.mean() < linear.std() / linear.mean())


def cell_edges(centres: Array, logarithmic: bool) -> Array:
    """Edges halfway between the centres; the first and the last centre are edges themselves: nothing lies beyond."""
    if centres.size == 1:
        return np.array([centres[0] / 2, centres[0] * 2]) if centres[0] > 0 else np.array([-0.5, 0.5])
    x = np.log(centres) if logarithmic else centres
    middle = (x[1:] + x[:-1]) / 2
    edges = np.concatenate([x[:1], middle, x[-1:]])
    return np.exp(edges) if logarithmic else edges


def row_edges(rows: Array, logarithmic: bool) -> Array:
    """Edges of the field's rows, the outer ones with a margin: a point on the frame is hard to read."""
    edges = cell_edges(rows, logarithmic)
    if rows.size == 1:
        return edges
    x = np.log(edges) if logarithmic else edges.copy()
    margin = MARGIN * (x[-1] - x[0])
    x[0], x[-1] = x[0] - margin, x[-1] + margin
    return np.exp(x) if logarithmic else x


def _draw_field(axis: Axes, panel: Panel, steps: Array) -> Any:
    gates = np.array([np.interp(steps, curve.steps, curve.mean) for curve in panel.curves])
    rows = row_edges(panel.rows, is_logarithmic(panel.rows))
    return axis.pcolormesh(
        cell_edges(steps, True), rows, gates, cmap=FIELD, vmin=0, vmax=1, rasterized=True, gid="field"
    )


def _draw_predictions(axis: Axes, panel: Panel) -> dict[str, Any]:
    from matplotlib import patheffects

    lines = {}
    for kind, boundary in panel.predicted.items():
        known = np.isfinite(boundary) & (boundary > 0)
        width = 1.8 if kind == "sharp" else 1.1
        halo = [patheffects.Stroke(linewidth=width + 1.6, foreground=HALO, alpha=0.85), patheffects.Normal()]
        (lines[kind],) = axis.plot(
            np.where(known, boundary, np.nan),
            panel.positions,
            linestyle=LINES[kind],
            color=PREDICTED,
            linewidth=width,
            marker="." if panel.whole and kind == "sharp" else "",
            markersize=4.0,
            path_effects=halo,
            label=MEANINGS[kind] if known.any() else None,
            gid=kind,
        )
    return lines


def _draw_bracket(axis: Axes, panel: Panel) -> Any:
    """The area between the ends of the rigorous brackets, hatched so that the field stays to be seen."""
    if panel.bracket is None or not np.isfinite(panel.bracket[1]).any():
        return None
    lower, upper = panel.bracket
    known = np.isfinite(upper)
    for end, name in ((lower, "bracket-low"), (upper, "bracket-high")):
        # A lower end of 0 says nothing.
        shown = np.where(known & (end > 0), end, np.nan)
        axis.plot(shown, panel.positions, color=HALO, linewidth=1.8, alpha=0.85)
        axis.plot(shown, panel.positions, color=PREDICTED, linewidth=0.6, gid=name)
    hatched: dict[str, Any] = {"facecolor": "none", "edgecolor": PREDICTED, "hatch": "///", "alpha": 0.35}
    # An empty area with edges stands for the hatching and its thin lines in a legend.
    axis.fill([], [], linewidth=1.0, label=BRACKET_MEANING, **hatched)
    positions, low, high = _open_to_the_left(panel.positions, lower, upper)
    return axis.fill_betweenx(
        positions, np.maximum(low, LEAST_STEPS), high, where=np.isfinite(high), linewidth=0, gid="bracket", **hatched
    )


def _open_to_the_left(positions: Array, lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """Bracket with a step at each row where a lower end begins or ends: nothing is claimed between it and the next."""
    bounded = (lower > 0).tolist()
    found = []
    for i, row in enumerate(zip(positions, lower, upper, strict=True)):
        begins = bounded[i] and i > 0 and not bounded[i - 1]
        ends = bounded[i] and i + 1 < positions.size and not bounded[i + 1]
        unbounded = (row[0], 0.0, row[2])
        found += [unbounded] * begins + [row] + [unbounded] * ends
    row_positions, low, high = np.array(found, dtype=np.float64).T
    return row_positions, low, high


def _set_ticks(axis: Axes, panel: Panel) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axis.xaxis.set_minor_formatter(NullFormatter())
    if panel.rows.size <= MOST_TICKS and len(panel.curves) == len(panel.points):
        axis.set_yticks(panel.rows, [f"{value:.3g}" for value in panel.rows])
        axis.yaxis.set_minor_locator(NullLocator())


def _steps_shown(panel: Panel) -> tuple[float, float]:
    """From well before the first boundary, where nothing has happened yet, to well after the last one."""
    last = float(panel.curves[0].steps[-1])
    if last < 10:
        return LEAST_STEPS, max(last, 1.0)
    known = np.concatenate([*panel.predicted.values(), [point.steps for point in panel.points]])
    known = known[np.isfinite(known) & (known > 0)]
    if not known.size:
        return max(1.0, last / 1000), last
    right = min(last, 10 * float(known.max()))
    return max(1.0, min(float(known.min()) / 5, right / 100)), right
