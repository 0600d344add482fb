"""In-context learning that comes first and goes: gates and losses along the training, predicted and simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PART_COLOURS, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.training_table import predicted_training
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table
from theory.setting_file import read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUPS = ("high", "low")
STEPS = 1_000_000
FIRST = 10
"""Steps of the first checkpoint."""
LAG = "0.9"
"""Shade of the time in which g is the better one already, and f follows h still."""
MARKERS = {"in_weight": "s", "in_context": "^", "gated": "o"}


def results(workbench: Workbench, quick: bool) -> Results:
    """One cell that is followed along its training, and what is predicted for it."""
    setting = read("transient", overrides=["num_low=45"])
    lines = 100 if quick else 200
    steps = sorted({round(value) for value in np.geomspace(FIRST, STEPS, lines).tolist()})
    asked = {"setting": setting, "steps": steps, "version": 2}
    options = {"prompts": 50, "checkpoints": 30} if quick else {"prompts": 200, "checkpoints": 40}
    replicates = 12 if quick else 64
    grid = Grid(setting=setting, axes=(), steps=STEPS, replicates=replicates, measure="trace", options=options)
    return {
        "predicted": workbench.table("predicted-training", asked, predicted_training),
        "simulated": workbench.sweep(f"transience-{'quick' if quick else 'full'}", grid),
    }


def draw(results: Results) -> Figure:
    """Losses above gates, frequent classes beside rare ones."""
    from matplotlib.ticker import NullLocator

    figure, axes = canvas(TWO_COLUMNS, 4.7, 2, 2, sharex=True, sharey="row")
    for column, group in enumerate(GROUPS):
        draw_losses(axes[0, column], results, group)
        draw_gates(axes[1, column], results, group)
        axes[0, column].set_title(f"{group}-frequency classes")
        axes[1, column].set_xlabel("steps of the stream, $N$")
    axes[0, 0].set_ylabel("mean loss, nats")
    axes[0, 0].set_yticks([0.2, 0.5, 1, 2, 4], ["0.2", "0.5", "1", "2", "4"], minor=False)
    axes[0, 0].yaxis.set_minor_locator(NullLocator())
    axes[1, 0].set_ylabel("mean gate, in-context share")
    _label(axes[0, 1], "$g$, in weights", (0.29, 0.73), PART_COLOURS["in_weight"])
    _label(axes[0, 0], "$h$, in context", (0.8, 0.33), PART_COLOURS["in_context"])
    _label(axes[0, 1], "$f$, gated: simulated only", (0.25, 0.58), PART_COLOURS["gated"])
    _label(axes[0, 1], "least possible", (0.17, 0.13), "0.35")
    _label(axes[1, 0], r"gate $\alpha$", (0.9, 0.88), SIMULATED)
    _label(axes[1, 0], "share of $h$", (0.2, 0.82), SIMULATED)
    _legend(figure)
    return figure


def draw_losses(axis: Axes, results: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    """Losses of g, h and f: predicted lines (none for f), simulated points with two standard errors."""
    predicted, simulated = _predicted(results["predicted"], group), results["simulated"]
    steps = predicted["steps"]
    lines = {"in_weight": predicted["loss_in_weight"], "in_context": np.full(steps.size, predicted["loss_in_context"])}
    drawn: dict[str, Any] = {}
    for part, loss in lines.items():
        (drawn[part],) = axis.plot(steps, loss, color=PART_COLOURS[part], linewidth=1.6, gid=f"predicted-{part}")
    for part in PART_COLOURS:
        found, mean, error = _simulated(simulated, f"cross_entropy_{part}", group)
        drawn[f"simulated-{part}"] = _points(axis, found, mean, error, PART_COLOURS[part], MARKERS[part])
    axis.axhline(predicted["bayes_risk"], color="0.5", linewidth=0.9, linestyle=":")
    axis.set(xscale="log", yscale="log")
    _mark_lag(axis, predicted)
    _name_lag(axis, predicted)
    return drawn


def draw_gates(axis: Axes, results: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    """Mean gate and in-context share: predicted lines, simulated points with two standard errors."""
    predicted, simulated = _predicted(results["predicted"], group), results["simulated"]
    steps, gate = predicted["steps"], predicted["gate"]
    drawn: dict[str, Any] = {}
    (drawn["gate"],) = axis.plot(steps, gate, color=PREDICTED, linewidth=1.6, gid="predicted-gate")
    (drawn["share"],) = axis.plot(
        steps, 1 - gate, color=PREDICTED, linewidth=1.2, linestyle="--", gid="predicted-share"
    )
    for name, fill in (("gate", SIMULATED), ("in_context_share", HALO)):
        found, mean, error = _simulated(simulated, name, group)
        drawn[f"simulated-{name}"] = _points(axis, found, mean, error, SIMULATED, "o", fill)
    _mark_lag(axis, predicted)
    axis.set(xscale="log", ylim=(-0.03, 1.03), xlim=(float(steps[0]), float(steps[-1])))
    return drawn


def _mark_lag(axis: Axes, predicted: Mapping[str, Any]) -> None:
    """Where g overtakes h, where f follows, and the time between."""
    overtaking, crossing = predicted["overtaking_steps"], predicted["crossing_steps"]
    axis.axvspan(overtaking, crossing, color=LAG, linewidth=0, zorder=0, gid="lag")
    axis.axvline(overtaking, color=PREDICTED, linewidth=0.9, linestyle=(0, (4, 2)), gid="overtaking")
    axis.axvline(crossing, color=PREDICTED, linewidth=0.9, gid="crossing")


def _name_lag(axis: Axes, predicted: Mapping[str, Any]) -> None:
    """How many times as long the gate needs, above the time between."""
    overtaking, crossing = predicted["overtaking_steps"], predicted["crossing_steps"]
    axis.text(
        (overtaking * crossing) ** 0.5, 0.97, f"lag\n$\\times${crossing / overtaking:.1f}", fontsize=8, ha="center",
        va="top", transform=axis.get_xaxis_transform(), gid="lag-factor",
    )  # fmt: skip


def _points(axis: Axes, steps: Any, mean: Any, error: Any, colour: str, marker: str, fill: str = "") -> Any:
    return axis.errorbar(
        steps, mean, yerr=2 * error, fmt=marker, color=colour, markerfacecolor=fill or colour, markersize=3,
        elinewidth=0.9, markeredgewidth=0.7, linestyle="none",
    )  # fmt: skip


def _predicted(table: Table, group: str) -> dict[str, Any]:
    place = table.coordinates["class"].tolist().index(group)
    of_group = {name: found.masked[place] for name, found in table.quantities.items()}
    return of_group | {"steps": table.coordinates["steps"]}


def _simulated(simulated: SweepTable, name: str, group: str) -> tuple[Any, Any, Any]:
    """Checkpoints, means and standard errors of what in-base prompts with a relevant context show."""
    at = {"base": "in-base", "context": "relevant", "class": group}
    mean, error = simulated.values(name, **at), simulated.values(f"{name}_standard_error", **at)
    known = ~np.ma.getmaskarray(mean)
    steps = simulated.coordinates["checkpoint"]
    return steps[known], np.asarray(mean[known]), np.asarray(error[known].filled(0.0))


def _label(axis: Axes, text: str, place: tuple[float, float], colour: str) -> None:
    """A direct label, at a place in parts of the panel."""
    axis.text(*place, text, transform=axis.transAxes, color=colour, fontsize=8, ha="center", va="center")


def _legend(figure: Figure) -> None:
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.lines import Line2D

    lines = [PART_COLOURS["in_weight"], PART_COLOURS["in_context"], PREDICTED]
    points = [(colour, MARKERS[part]) for part, colour in PART_COLOURS.items()] + [(SIMULATED, "o")]
    handles: dict[str, Any] = {
        "lines: predicted ($g$, $h$, gate)": tuple(Line2D([], [], color=colour, linewidth=1.6) for colour in lines),
        "markers: simulated, with 2 standard errors": tuple(
            Line2D([], [], color=colour, marker=marker, markersize=3, linestyle="none") for colour, marker in points
        ),
        "predicted: $g$ overtakes $h$": Line2D([], [], color=PREDICTED, linewidth=0.9, linestyle=(0, (4, 2))),
        "predicted: in-context learning ends (mean gate 1/2)": Line2D([], [], color=PREDICTED, linewidth=0.9),
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=8, handlelength=3.2,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.3)},
    )  # fmt: skip


RECIPE = Recipe(
    meaning="In-context learning comes first and goes: gates and losses along the training",
    results=results,
    draw=draw,
    reading=(
        "Preset `transient` with 5 + 45 classes. Above: mean loss on fresh prompts after N steps; lines are "
        "predicted (g: the exact risk of the table, averaged over the number of visits; h: its exact risk; for f "
        "no loss is predicted, so that its points have no line). Dotted: the least possible loss. Grey: the lag, from "
        "where the risk of g falls below that of h (dashed) to where the mean gate crosses 1/2 (solid): the gate first "
        "has to undo what it has learned before. 64 runs of 1,000,000 steps (quick: 12). Below: the "
        "mean gate (full circles, solid line predicted) and the in-context share, by how much f follows h rather "
        "than g (open circles). The dashed line is one minus the predicted mean gate; the share counts learners by "
        "how far their g and h are apart, and so need not lie on it exactly. Points: simulated, means over "
        "replicates with two standard errors."
    ),
)
