"""Overlays of the gallery: one knob of the task, both groups, prediction and simulation over each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.boundary_panel import LINES, Curve, Panel, PanelArtists, Point, draw_panel
from figures.boundary_table import agreement, predicted_boundaries
from figures.recipe import Recipe, Results, canvas
from figures.style import SIMULATED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.comparison import WHOLE_NUMBERS
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_axes import grid_axis
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table
from theory.setting_file import Setting, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

GROUPS = ("high", "low")
READING = (
    "Colour: simulated mean gate of the group's classes. Lines: predicted, also between the simulated rows (for whole "
    "numbers at the solid line's markers), none of them fitted; solid, where the mean "
    "gate crosses 1/2; dashed, where the risk of g falls below that of h; dotted, the closed form for many visits. "
    "Hatched, between thin lines: the boundary of a single run of one class lies within with probability 0.95, as "
    "proved (where the area is open to the left, no lower end is proved). Points: where the simulated mean gate "
    "crosses 1/2, with 95 % bootstrap intervals over replicates; a cross marks an interval that misses the solid "
    "line. Titles: how many intervals hold the line (in brackets 95 % of their number; with few replicates a "
    "bootstrap interval holds less), and errors of the line against the points, Monte Carlo included."
)
BASE = ("num_low=45",)
"""What all figures change in the preset ``transient``."""
FIXED = {
    "num_low": "5 high- and 45 low-frequency classes",
    "p_high": "p_high = 0.9",
    "context_length": "L = 8",
    "relevant_examples": "m = 4",
    "p_relevant": "p_relevant = 1",
    "label_noise": "label noise 0.05",
}
"""The knobs and what they are where another one is turned."""
BETWEEN = 3
"""Predictions between neighbouring simulated values."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """At which values a knob is simulated, and how well.

    Parameters
    ----------
    values : tuple of float
        Increasing.
    steps, replicates : int
        Of every run.
    """

    values: tuple[float, ...]
    steps: int
    replicates: int


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A setting that is turned.

    Parameters
    ----------
    parameter : str
        Its dotted name.
    label : str
        What the axis says.
    quick, full : Sampling
        What is simulated.
    """

    parameter: str
    label: str
    quick: Sampling
    full: Sampling


def knob_recipe(knob: Knob, meaning: str) -> Recipe:
    """The figure of a knob of the preset ``transient`` with 5 + 45 classes.

    Parameters
    ----------
    knob : Knob
        What is turned.
    meaning : str
        What the figure shows, in one line.
    """
    return Recipe(
        meaning=meaning,
        results=partial(_results, knob),
        draw=partial(draw_knob, label=knob.label),
        reading=f"{_fixed_text(knob)} {READING}",
    )


def _fixed_text(knob: Knob) -> str:
    """What is turned, what is not, and how much is simulated."""
    fixed = ", ".join(text for name, text in FIXED.items() if name != knob.parameter)
    classes = "5 high-frequency classes; " if knob.parameter == "num_low" else ""
    full, quick = (f"{how.replicates} runs of {how.steps:,} steps" for how in (knob.full, knob.quick))
    return (
        f"Preset `transient` along `{knob.parameter}`; fixed: {classes}{fixed}. At each value {full} (quick: {quick})."
    )


def knob_grid(setting: Setting, parameter: str, sampling: Sampling) -> Grid:
    """The simulations of a knob."""
    axes = (grid_axis(parameter, sampling.values),)
    return Grid(setting=setting, axes=axes, steps=sampling.steps, replicates=sampling.replicates)


def draw_knob(results: Results, label: str) -> Figure:
    """Both groups side by side, with one colour bar and one legend.

    Parameters
    ----------
    results : mapping
        ``simulated``, and where there is a theory ``predicted`` and ``agreement``.
    label : str
        Of the vertical axis.
    """
    figure, axes = canvas(TWO_COLUMNS, 3.8, 1, len(GROUPS), sharey=True)
    drawn = [draw_group(axis, results, group) for axis, group in zip(axes[0], GROUPS, strict=True)]
    axes[0, 0].set_ylabel(label)
    bar = figure.colorbar(drawn[0].mesh, ax=list(axes[0]), pad=0.01, aspect=26)
    bar.set_label(r"simulated mean gate $\alpha$" + "\n(0: in context, 1: in weights)")
    bar.ax.axhline(0.5, color=SIMULATED, linewidth=1.5)
    found: dict[str, Any] = {}
    for axis in axes[0]:
        handles, labels = axis.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=2)
    return figure


def draw_group(axis: Axes, results: Results, group: str) -> PanelArtists:
    """One group's panel, with a line that says how well prediction and simulation agree."""
    artists = draw_panel(axis, group_panel(results, group))
    said = _agreement_text(results.get("agreement"), group)
    axis.set_title(f"{axis.get_title()}\n{said}", fontweight="normal", fontsize=8)
    return artists


def group_panel(results: Mapping[str, Any], group: str) -> Panel:
    """What a group's panel shows."""
    simulated: SweepTable = results["simulated"]
    (parameter,) = simulated.axes
    rows = np.asarray(simulated.coordinates[parameter], dtype=np.float64)
    steps = simulated.coordinates["checkpoint"]
    gates = simulated.values("gate", stratum=group)
    theory = _theory(results["predicted"], parameter, group) if "predicted" in results else {}
    return Panel(
        title=f"{group}-frequency classes, $p_x$ = {_span(simulated, group)}",
        rows=rows,
        curves=[Curve(steps=steps, mean=np.asarray(gate)) for gate in gates],
        points=_points(simulated, rows, group, _missed(results.get("agreement"), rows.size, group)),
        whole=parameter in WHOLE_NUMBERS,
        **theory,
    )


def _results(knob: Knob, workbench: Workbench, quick: bool) -> Results:
    sampling = knob.quick if quick else knob.full
    setting = read("transient", overrides=list(BASE))
    values = _between(knob.parameter, sampling.values)
    asked = {"setting": setting, "parameter": knob.parameter, "values": list(values)}
    predicted = workbench.table("predicted-boundaries", asked, predicted_boundaries)
    name = f"overlay-{knob.parameter}-{'quick' if quick else 'full'}"
    simulated = workbench.sweep(name, knob_grid(setting, knob.parameter, sampling))
    return {"predicted": predicted, "simulated": simulated, "agreement": agreement(predicted, simulated)}


def _between(parameter: str, values: tuple[float, ...]) -> tuple[float, ...]:
    """The values, and some between neighbours: a predicted line is not straight between them."""
    found = set(values)
    for low, high in pairwise(values):
        between = np.linspace(low, high, BETWEEN + 2)[1:-1].tolist()
        found |= {round(value) for value in between} if parameter in WHOLE_NUMBERS else set(between)
    return tuple(sorted(found))


def _theory(predicted: Table, parameter: str, group: str) -> dict[str, Any]:
    place = predicted.coordinates["class"].tolist().index(group)

    def along(name: str) -> Array:
        return np.asarray(predicted.quantities[name].masked[:, place].filled(np.inf), dtype=np.float64)

    return {
        "positions": np.asarray(predicted.coordinates[parameter], dtype=np.float64),
        "predicted": {kind: along(kind) for kind in LINES},
        "bracket": (along("bracket_low"), along("bracket_high")),
    }


def _missed(agreement: Any, number: int, group: str) -> NDArray[np.bool_]:
    """Which intervals do not hold the prediction; none where there is no prediction or no interval."""
    if agreement is None:
        return np.zeros(number, dtype=np.bool_)
    place = agreement.coordinates["class"].tolist().index(group)
    inside = agreement.quantities["inside"].masked[:, place]
    return ~np.ma.filled(inside, True).astype(np.bool_)


def _points(simulated: SweepTable, rows: Array, group: str, missed: NDArray[np.bool_]) -> list[Point]:
    at = {"class": group}
    found, low, high = (simulated.values(f"crossing_{name}", **at) for name in ("steps", "low", "high"))
    known = np.flatnonzero(~np.ma.getmaskarray(found))
    return [
        Point(
            position=float(rows[i]),
            steps=float(found[i]),
            interval=None if low[i] is np.ma.masked else (float(low[i]), float(high[i])),
            missed=bool(missed[i]),
        )
        for i in known.tolist()
    ]


def _span(simulated: SweepTable, group: str) -> str:
    """The probability of one of the group's classes: a number, or a range."""
    probabilities = simulated.values("class_probability", **{"class": group})
    ends = sorted({f"{value:.2g}" for value in (probabilities.min(), probabilities.max())}, key=float)
    return " to ".join(ends)


def _agreement_text(agreement: Any, group: str) -> str:
    if agreement is None:
        return "no theory: simulated only"
    place = agreement.coordinates["class"].tolist().index(group)
    errors = agreement.quantities["relative_error"].masked[:, place].compressed()
    inside = agreement.quantities["inside"].masked[:, place].compressed()
    if not errors.size:
        return "no boundary within the simulated steps"
    median, largest = (100 * float(found(np.abs(errors))) for found in (np.median, np.max))
    return (
        f"line in {inside.sum()} of {inside.size} intervals ({0.95 * inside.size:.1f} expected)\n"
        f"median error {median:.2g} %, largest {largest:.2g} %"
    )
