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
MARKERS = {"in_weight": "s", "in_context": "^", "gated": "o"}


def results(workbench: Workbench, quick: bool) -> Results:
    """One cell that is followed along its training, and what is predicted for it."""
    setting = read("transient", overrides=["num_low=45"])
    lines = 100 if quick else 200
    steps = sorted({round(value) for value in np.geomspace(FIRST, STEPS, lines).tolist()})
    asked = {"setting": setting, "steps": steps}
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

    figure, axes = canvas(TWO_COLUMNS, 4.4, 2, 2, sharex=True, sharey="row")
    for column, group in enumerate(GROUPS):
        draw_losses(axes[0, column], results, group)
        draw_gates(axes[1, column], results, group)
        axes[0, column].set_title(f"{group}-frequency classes")
        axes[1, column].set_xlabel("steps of the stream, $N$")
    axes[0, 0].set_ylabel("mean loss, nats")
    axes[0, 0].set_yticks([0.2, 0.5, 1, 2, 4], ["0.2", "0.5", "1", "2", "4"], minor=False)
    axes[0, 0].yaxis.set_minor_locator(NullLocator())
    axes[1, 0].set_ylabel("mean gate, in-context share")
    _label(axes[0, 1], "$g$, in weights", (0.66, 0.75), PART_COLOURS["in_weight"])
    _label(axes[0, 1], "$h$, in context", (0.88, 0.43), PART_COLOURS["in_context"])
    _label(axes[0, 1], "$f$, gated", (0.13, 0.43), PART_COLOURS["gated"])
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
    axis.axvline(predicted["crossing_steps"], color=PREDICTED, linewidth=0.8)
    axis.set(xscale="log", yscale="log")
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
    axis.axvline(predicted["crossing_steps"], color=PREDICTED, linewidth=0.8)
    axis.set(xscale="log", ylim=(-0.03, 1.03), xlim=(float(steps[0]), float(steps[-1])))
    return drawn


def _points(axis: Axes, steps: Any, mean: Any, error: Any, colour: str, marker: str, fill: str = "") -> Any:
    return axis.errorbar(
        steps, mean, yerr=2 * error, fmt=marker, color=colour, markerfacecolor=fill or colour, markersize=3,
        elinewidth=0.9, markeredgewidth=0.7, linestyle="none",
    )  # fmt: skip


def _predicted(table: Table, group: str) -> dict[str, Any]:
    place = table.coordinates["class"].tolist().index(group)
    of_group = {name: found.values[place] for name, found in table.quantities.items()}
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
    from matplotlib.lines import Line2D

    simulated = Line2D([], [], color=SIMULATED, marker="o", markersize=3, linestyle="none")
    handles = {
        "predicted": Line2D([], [], color=PREDICTED, linewidth=1.6),
        "predicted end of in-context learning": Line2D([], [], color=PREDICTED, linewidth=0.8),
        "simulated, with 2 standard errors": simulated,
    }
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=8)


RECIPE = Recipe(
    meaning="In-context learning comes first and goes: gates and losses along the training",
    results=results,
    draw=draw,
    reading=(
        "Preset `transient` with 5 + 45 classes. Above: mean loss on fresh prompts after N steps; lines are "
        "predicted (g: the exact risk of the table, averaged over the number of visits; h: its exact risk; for f "
        "nothing is predicted but that it follows the better one). Dotted: the least possible loss. Below: the "
        "mean gate (full circles, solid line predicted) and the in-context share, by how much f follows h rather "
        "than g (open circles). The dashed line is one minus the predicted mean gate; the share counts learners by "
        "how far their g and h are apart, and so need not lie on it exactly. Points: simulated, means over "
        "replicates with two standard errors."
    ),
)
