"""Which phase two settings lead to, and when in-context learning ends: predicted maps, simulated points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from figures.phase_panel import NAMES, ZERO, draw_map
from figures.phase_table import IN_WEIGHT, PERSISTENT, TRANSIENT, predicted_phases, simulated_phases
from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_axes import grid_axis
from theory.setting_file import read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUP = "high"
_STRAIGHT = {"linear": (np.asarray, np.asarray), "log": (np.log, np.exp), "logit": (logit, expit)}
"""For each scale how to go to where it is even, and back."""


@dataclass(frozen=True, kw_only=True)
class MapAxis:
    """One axis of a map.

    Parameters
    ----------
    name : str
        Dotted setting.
    simulated : tuple of float
        Where it is simulated; a 0 beside a logarithmic scale is predicted, too.
    ends : tuple of float
        Between what it is predicted.
    scale : {"linear", "log", "logit"}
        How values are spaced and drawn.
    """

    name: str
    simulated: tuple[float, ...]
    ends: tuple[float, float]
    scale: str

    def fine(self, points: int) -> list[float]:
        """Values for the predictions."""
        forth, back = _STRAIGHT[self.scale]
        first, last = forth(np.array(self.ends))
        values = [float(value) for value in back(np.linspace(first, last, points))]
        return [0.0, *values] if self.scale == "log" and self.simulated[0] == 0 else values


@dataclass(frozen=True, kw_only=True)
class PhaseMap:
    """A map: a preset, what is changed in it, two axes, and the simulations; each pair is for quick and full.

    ``labels`` are the places of the contours' numbers, in the map's own values and clear of points and frame.
    """

    preset: str
    overrides: tuple[str, ...]
    x: MapAxis
    y: MapAxis
    steps: int
    replicates: tuple[int, int]
    points: tuple[int, int]
    labels: tuple[tuple[float, float], ...]


MAPS = {
    "noise": PhaseMap(
        preset="transient",
        overrides=("num_low=45",),
        x=MapAxis(name="label_noise", simulated=(0.02, 0.1, 0.2, 0.3, 0.4), ends=(0.005, 0.45), scale="linear"),
        y=MapAxis(name="p_relevant", simulated=(0.15, 0.35, 0.55, 0.75, 0.95), ends=(0.0, 1.0), scale="linear"),
        steps=6_000,
        replicates=(256, 1024),
        points=(128, 192),
        labels=((0.25, 0.5), (0.25, 0.8), (0.058, 0.97)),
    ),
    "floor": PhaseMap(
        preset="paper",
        overrides=("p_relevant=1.0",),
        x=MapAxis(
            name="model.in_context.floor",
            simulated=(0.0, 0.0003, 0.0015, 0.006, 0.025, 0.085),
            ends=(1e-4, 0.098),
            scale="log",
        ),
        y=MapAxis(
            name="model.gate.prior_in_weight",
            simulated=(0.03, 0.2, 0.7, 0.95, 0.995),
            ends=(0.01, 0.999),
            scale="logit",
        ),
        steps=400_000,
        replicates=(8, 32),
        points=(200, 256),
        labels=((2.8e-4, 0.081), (2e-3, 0.081), (1.4e-2, 0.081), (5.5e-2, 0.081)),
    ),
}


def results(workbench: Workbench, quick: bool) -> Results:
    """For each map the predictions, on a fine grid and at the simulated points, and what simulations show there."""
    found: dict[str, Any] = {}
    for name, chart in MAPS.items():
        setting = read(chart.preset, overrides=list(chart.overrides))
        asked = {"setting": setting, "x_name": chart.x.name, "y_name": chart.y.name, "group": GROUP}
        points = chart.points[0 if quick else 1]
        fine = {"x": chart.x.fine(points), "y": chart.y.fine(points)}
        coarse = {"x": list(chart.x.simulated), "y": list(chart.y.simulated)}
        found[name] = workbench.table("phase-map", asked | fine, predicted_phases)
        found[f"{name}-at-points"] = workbench.table("phase-map", asked | coarse, predicted_phases)
        axes = (grid_axis(chart.y.name, chart.y.simulated), grid_axis(chart.x.name, chart.x.simulated))
        grid = Grid(setting=setting, axes=axes, steps=chart.steps, replicates=chart.replicates[0 if quick else 1])
        runs = workbench.sweep(f"phase-map-{name}-{'quick' if quick else 'full'}", grid)
        found[f"{name}-simulated"] = simulated_phases(runs, GROUP)
    return found


def draw(results: Results) -> Figure:
    """Both maps side by side."""
    figure, axes = canvas(TWO_COLUMNS, 3.9, 1, 2)
    left, right = axes[0]
    right.set(xscale="log", yscale="logit")
    drawn = {
        name: draw_map(axis, *_tables(results, name), labels=MAPS[name].labels)
        for name, axis in zip(MAPS, axes[0], strict=True)
    }
    _label_left(left)
    _label_right(right)
    for axis, name, meaning in (
        (left, "noise", "5 + 45 classes, $L$ = 8, $m$ = 4"),
        (right, "floor", "5 + 5 classes, $L$ = $m$ = 1, no noise"),
    ):
        axis.set_title(f"{meaning}\n{_agreement(results, name)}", fontsize=8, fontweight="normal")
    bar = figure.colorbar(drawn["noise"].mesh, ax=[left, right], pad=0.01, aspect=26)
    bar.set_label("where the transient phase ends,\n$\\log_{10}$ of the steps $N$")
    handles = {**drawn["noise"].points, **drawn["floor"].points}
    crosses = [artists.misses for artists in drawn.values() if artists.misses is not None]
    figure.legend(
        handles=[*handles.values(), *crosses[:1]],
        loc="outside lower center",
        ncols=4,
        handletextpad=0.1,
        columnspacing=1.0,
        fontsize=8,
    )
    return figure


def _label_left(axis: Axes) -> None:
    axis.set(xlabel="label noise", ylabel="$p_{relevant}$, share of relevant contexts")
    _name(axis, IN_WEIGHT, (0.5, 0.05), colour=HALO)
    _name(axis, TRANSIENT, (0.25, 0.655))


def _label_right(axis: Axes) -> None:
    from matplotlib.ticker import NullLocator

    axis.set(xlabel=r"floor $\varepsilon$ of $h$", ylabel=r"prior $\alpha_0$ of the gate")
    axis.set_xticks([ZERO * MAPS["floor"].x.ends[0], 1e-3, 1e-2], ["0", "$10^{-3}$", "$10^{-2}$"])
    axis.set_yticks([0.01, 0.1, 0.5, 0.9, 0.99, 0.999], ["0.01", "0.1", "0.5", "0.9", "0.99", "0.999"])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())
    _name(axis, IN_WEIGHT, (0.931, 0.957), colour=HALO, lines=2)
    _name(axis, TRANSIENT, (0.59, 0.36))
    _name(axis, PERSISTENT, (0.055, 0.53), rotation=90)


def _name(
    axis: Axes,
    phase: int,
    place: tuple[float, float],
    colour: str = PREDICTED,
    rotation: float = 0,
    lines: int = 1,
) -> None:
    """The name of a phase, at a place in parts of the panel."""
    from matplotlib import patheffects

    halo = (
        [] if colour == HALO else [patheffects.Stroke(linewidth=2.5, foreground=HALO, alpha=0.8), patheffects.Normal()]
    )
    axis.text(
        *place, NAMES[phase] if lines == 1 else NAMES[phase].replace("-", "-\n"), transform=axis.transAxes,
        color=colour, rotation=rotation, ha="center", va="center", linespacing=1.0,
        fontsize=8.5 if lines == 1 else 6, fontweight="bold", path_effects=halo, gid=f"name-{phase}",
    )  # fmt: skip


def _tables(results: Results, name: str) -> tuple[Any, Any, Any]:
    return results[name], results[f"{name}-simulated"], results[f"{name}-at-points"]


def _agreement(results: Results, name: str) -> str:
    predicted, simulated = (results[f"{name}-{which}"].quantities for which in ("at-points", "simulated"))
    same = predicted["phase"].values == simulated["phase"].values
    steps = predicted["steps"].masked
    errors = np.ma.abs(steps / simulated["steps"].masked - 1).compressed()
    inside = ((simulated["steps_low"].masked <= steps) & (steps <= simulated["steps_high"].masked)).compressed()
    return (
        f"{same.sum()} of {same.size} phases as predicted; boundaries: {inside.sum()} of {inside.size}\n"
        f"in the simulation's 95 % interval, median error {100 * np.median(errors):.2g} %"
    )


def _runs(chart: PhaseMap) -> str:
    quick, full = chart.replicates
    return f"at each point {full} runs of {chart.steps:,} steps (quick: {quick})"


RECIPE = Recipe(
    meaning="Which phase two settings lead to, and where the transient phase ends",
    results=results,
    draw=draw,
    reading=(
        "Predicted: the area of each phase and, in the transient one, contours of where the mean gate of the high-"
        "frequency classes crosses 1/2, in steps of the stream (white: below 1/2 over visits, but not over steps). "
        "In-weight: answered in weights from the first visit on; its border is smoothed over the cells in "
        "which phases are predicted. Simulated, of the same classes: points; circles came into context and left it "
        "before the end of the run, squares were never clearly in context (the mean gate nowhere three standard "
        "errors below 1/2; close to the border that may be missed), triangles still were at the end of the run. A "
        "cross marks another phase than predicted, or a 95 % bootstrap interval that misses the predicted boundary. "
        "The median error holds the simulations' "
        "own. Left: preset `transient` with 5 + 45 classes; nothing persists, since attention is never perfect; "
        f"{_runs(MAPS['noise'])}. "
        "Right: preset `paper` with relevant contexts only, where copying errs by the floor alone: without a floor "
        f"in-context learning persists; {_runs(MAPS['floor'])}."
    ),
)
