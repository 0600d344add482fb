"""The scaling law of the in-context share with Zipf frequencies: a power of the steps, predicted and simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.gathered import Interval, along, stacked
from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.checkpoints import checkpoints
from simulate.sweeps.tables import Table, quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theory.setting import GatedPredictor, TaskDistribution

Array = NDArray[np.float64]

CLASSES = 10_000
_MARKERS = {1.4: "o", 2.0: "s", 3.0: "^"}
"""Exponents whose shares are drawn; of the others the slopes."""
_SLOPE_MARKER = "D"
_FIRST = 300
_EARLIEST_FITTED = 0.03
"""Slopes are fitted over the steps from this share of the last one on: a decade and a half, in the logarithm."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which exponents, and how much is simulated."""

    exponents: tuple[float, ...]
    steps: int
    replicates: int
    points: int


QUICK = Sampling(exponents=(1.4, 2.0, 3.0), steps=100_000, replicates=8, points=13)
FULL = Sampling(exponents=(1.2, 1.4, 1.6, 2.0, 2.5, 3.0), steps=1_000_000, replicates=32, points=25)


def results(workbench: Workbench, quick: bool) -> Results:
    """Shares against steps and their slopes, for each exponent."""
    how = QUICK if quick else FULL
    steps = chosen_steps(how)
    tables: dict[str, list[Table]] = {"predicted": [], "simulated": []}
    for place, exponent in enumerate(how.exponents):
        common = {"exponent": exponent, "version": 2}
        predicted = {**common, "steps": steps}
        simulated = {**common, "steps": steps[::2], "replicates": how.replicates, "seed": 40 + place}
        tables["predicted"].append(workbench.table("zipf-law-predicted", predicted, prediction))
        tables["simulated"].append(workbench.table("zipf-law-simulated", simulated, simulation))
    return {name: stacked("exponent", np.array(how.exponents), found) for name, found in tables.items()}


def chosen_steps(how: Sampling) -> list[int]:
    """Steps at which simulations keep their gates: evenly spaced in the logarithm, nearly."""
    kept = checkpoints(how.steps)
    places = np.unique(np.searchsorted(kept, np.geomspace(_FIRST, how.steps, how.points)))
    return [int(step) for step in kept[places]]


def setting(exponent: float) -> tuple[TaskDistribution, GatedPredictor]:
    """All classes have the same gate over their visits, and change over after a few of them."""
    from theory.setting import Attention, DirichletTable, GatedPredictor, TaskDistribution

    task = TaskDistribution(
        frequencies="zipf", num_classes=CLASSES, zipf_exponent=exponent, context_length=4, relevant_examples=1
    )
    table = DirichletTable(pseudo_count=1 / CLASSES)
    return task, GatedPredictor(in_weight=table, in_context=Attention(odds=3.0, floor=1e-6))


def prediction(exponent: float, steps: list[int], version: int) -> Table:  # noqa: ARG001 (part of the key)
    """The sum over all classes, the power law that it follows while there are rarer classes, and slopes of both."""
    from theory.scaling.many_classes import zipf_task_share

    found = zipf_task_share(*setting(exponent), steps)
    slope = _slope(np.array(steps[::2], dtype=np.float64), found.share[::2])
    return Table(
        coordinates={"steps": np.array(steps)},
        quantities={
            "share": quantity(["steps"], found.share, "", "share of the query mass in context, all classes summed"),
            "law": quantity(["steps"], found.law, "", "the integral in place of the sum"),
            "law_error_bound": quantity(["steps"], found.error_bound, "", "bound on what they differ by"),
            "power_law": quantity(["steps"], found.power_law, "", "the law without a last class"),
            "slope": quantity([], float(slope), "", "slope of the sum, fitted in logarithms like the simulation's"),
            "power_law_slope": quantity([], -found.decay, "", "-(1 - 1/a)"),
        },
    )


def simulation(exponent: float, steps: list[int], replicates: int, seed: int, version: int) -> Table:  # noqa: ARG001
    """The share of the query mass in context in simulated streams, and its slope in every one."""
    from simulate.simulation import run

    result = run(*setting(exponent), max(steps), replicates, seed)
    share = np.zeros((replicates, len(steps)))
    for entry in result.entries:
        # Each class has checkpoints of its own: where its gate moved.
        places = np.searchsorted(entry.curve.steps, steps, side="right") - 1
        share += entry.num_classes * entry.class_probability * (1 - entry.curve.gate[:, places])
    slopes = slopes_of_mean(np.array(steps, dtype=np.float64), share)
    meaning = "mean share of the query mass in context"
    shares = along("steps", "share", Interval.of_means(share.T), "", meaning)
    fitted = along(
        "steps", "slope", Interval.of_means(slopes), "", "slope of the log of the mean share against log steps"
    )
    return Table(coordinates={"steps": np.array(steps)}, quantities={**shares, **fitted})


def slopes_of_mean(steps: Array, share: Array) -> Array:
    """The jackknife's pseudo-values of the slope of the mean share, one for each replicate.

    The mean of the replicates' own slopes would be biased: the logarithm of a mean is not the mean of logarithms.

    Parameters
    ----------
    steps : ndarray, shape (k,)
        Steps.
    share : ndarray, shape (replicates, k)
        Shares in each replicate.
    """
    replicates = share.shape[0]
    without = (share.sum(axis=0) - share) / (replicates - 1)
    return np.asarray(replicates * _slope(steps, share.mean(axis=0)) - (replicates - 1) * _slope(steps, without))


def _slope(steps: Array, share: Array) -> Array:
    """Slope of a least-squares line through the late logarithms, along the last axis."""
    late = steps >= _EARLIEST_FITTED * steps[-1]
    x, y = np.log(steps[late]), np.log(share[..., late])
    x = x - x.mean()
    return np.asarray((x * y).sum(axis=-1) / (x**2).sum())


def draw(results: Results) -> Figure:
    """Shares against steps (left) and slopes against the exponent (right); below, simulation against prediction."""
    predicted, simulated = results["predicted"], results["simulated"]
    figure, axes = canvas(
        TWO_COLUMNS, 4.0, 2, 2, sharex="col", gridspec_kw={"height_ratios": (2.1, 1), "width_ratios": (1.3, 1)}
    )
    draw_shares(axes[0, 0], predicted, simulated)
    draw_ratios(axes[1, 0], predicted, simulated)
    draw_slopes(axes[0, 1], predicted, simulated)
    draw_slope_errors(axes[1, 1], predicted, simulated)
    _legend(figure, axes[0, 0])
    return figure


def draw_shares(axis: Axes, predicted: Any, simulated: Any) -> dict[str, Any]:
    """Share of the query mass in context against steps; artists by name and exponent."""
    found: dict[str, Any] = {}
    steps = predicted.coordinates["steps"].astype(np.float64)
    for exponent, place in _drawn(predicted):
        first = not found
        law, share = (predicted.quantities[name].values[place] for name in ("power_law", "share"))
        (found[f"power_law {exponent}"],) = axis.plot(
            steps, law, color=PREDICTED, linestyle=":", linewidth=1.1,
            label="predicted: power law $N^{-(1-1/a)}$ of infinitely many classes" if first else None,
        )  # fmt: skip
        (found[f"predicted {exponent}"],) = axis.plot(
            steps, share, color=PREDICTED, label=f"predicted: all {CLASSES:,} classes summed" if first else None
        )
        interval = Interval.read(simulated.quantities, "share", place)
        label = f"simulated, $a$ = {exponent:g}"
        found[f"simulated {exponent}"] = _points(axis, steps[::2], interval, label, _MARKERS[exponent])
        axis.annotate(
            f"$a$ = {exponent:g}", (steps[-1], share[-1]), xytext=(6, 0), textcoords="offset points",
            fontsize=8, va="center", annotation_clip=False,
        )  # fmt: skip
    axis.set(xscale="log", yscale="log", ylim=(None, 1))
    axis.set_ylabel("share of the query mass\nanswered in context")
    return found


def _legend(figure: Figure, axis: Axes) -> None:
    found = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    figure.legend(
        found.values(), found.keys(), loc="outside upper left", ncols=3, fontsize=7.5, borderaxespad=0.1,
        columnspacing=1.5,
    )  # fmt: skip


def draw_ratios(axis: Axes, predicted: Any, simulated: Any) -> dict[str, Any]:
    """Simulated shares over the predicted ones, less 1."""
    steps = simulated.coordinates["steps"].astype(np.float64)
    found: dict[str, Any] = {"equal": axis.axhline(0, color=PREDICTED, linewidth=1)}
    drawn = list(_drawn(predicted))
    for number, (exponent, place) in enumerate(drawn):
        share = predicted.quantities["share"].values[place, ::2]
        interval = Interval.read(simulated.quantities, "share", place)
        shifted = steps * 1.09 ** (number - (len(drawn) - 1) / 2)
        error = relative_error(interval, share)
        found[f"error {exponent}"] = _points(axis, shifted, error, None, _MARKERS[exponent])
    axis.set(xscale="log")
    axis.set_xlabel("steps of the stream, $N$")
    axis.set_ylabel("simulated /\npredicted $-$ 1", fontsize=8.5)
    return found


def relative_error(simulated: Interval, predicted: Array) -> Interval:
    """Simulated over predicted, less 1, with its interval.

    Examples
    --------
    >>> slopes = Interval(np.array([-0.5]), np.array([-0.6]), np.array([-0.45]))
    >>> error = relative_error(slopes, np.array([-0.5]))  # negative values: steeper is above 0
    >>> error.mean.round(2).tolist(), error.low.round(2).tolist(), error.high.round(2).tolist()
    ([0.0], [-0.1], [0.2])
    """
    ends = np.stack([simulated.low / predicted, simulated.high / predicted]) - 1
    return Interval(simulated.mean / predicted - 1, ends.min(axis=0), ends.max(axis=0))


def draw_slopes(axis: Axes, predicted: Any, simulated: Any) -> dict[str, Any]:
    """Slopes of log share against log steps."""
    exponents = predicted.coordinates["exponent"]
    fine = np.linspace(1.0, exponents[-1] * 1.05, 100)
    found: dict[str, Any] = {}
    (found["power_law"],) = axis.plot(fine, -(1 - 1 / fine), color=PREDICTED, linestyle=":", linewidth=1.1)
    (found["predicted"],) = axis.plot(
        exponents, predicted.quantities["slope"].values, color=PREDICTED, marker="_", markersize=11,
        markeredgewidth=1.5, linestyle="none", label="predicted, all classes",
    )  # fmt: skip
    interval = Interval.read(simulated.quantities, "slope")
    found["simulated"] = _points(axis, exponents, interval, "simulated", _SLOPE_MARKER)
    middle = float(np.sqrt(fine[0] * fine[-1]))
    axis.annotate(
        "predicted: $-(1-1/a)$,\nno last class", (middle, -(1 - 1 / middle)), xytext=(6, 3),
        textcoords="offset points", fontsize=7.5,
    )  # fmt: skip
    axis.set_ylabel("slope of log share\nagainst log $N$")
    axis.legend(loc="upper right", fontsize=7.5, borderaxespad=0.1)
    return found


def draw_slope_errors(axis: Axes, predicted: Any, simulated: Any) -> dict[str, Any]:
    """Simulated slopes over the predicted ones, less 1: above 0 the share falls faster than predicted."""
    slope = predicted.quantities["slope"].values
    interval = Interval.read(simulated.quantities, "slope")
    errors = relative_error(interval, slope)
    line = axis.axhline(0, color=PREDICTED, linewidth=1)
    points = _points(axis, predicted.coordinates["exponent"], errors, None, _SLOPE_MARKER)
    axis.set_xlabel("exponent $a$ of the frequencies")
    axis.set_ylabel("simulated /\npredicted $-$ 1", fontsize=8.5)
    return {"equal": line, "error": points}


def _points(axis: Axes, x: Array, interval: Interval, label: str | None, marker: str = "o") -> Any:
    return axis.errorbar(
        x, interval.mean, yerr=interval.reach, fmt=marker, markersize=3.6, color=SIMULATED, markeredgecolor=HALO,
        markeredgewidth=0.5, elinewidth=1.2, capsize=1.5, zorder=5, label=label,
    )  # fmt: skip


def _drawn(predicted: Any) -> list[tuple[float, int]]:
    exponents = predicted.coordinates["exponent"].tolist()
    return [(exponent, exponents.index(exponent)) for exponent in _MARKERS]


RECIPE = Recipe(
    meaning="The in-context share with Zipf frequencies falls like a power of the steps: law, sum and simulation",
    results=results,
    draw=draw,
    reading=(
        "Class frequencies fall like rank^-a over 10,000 classes; the rarer a class, the longer it is answered in "
        "context. Left: share of the query mass answered in context against the steps N. Dotted: the predicted power "
        "law N^-(1-1/a) of infinitely many classes; solid: predicted, summed over the classes that there are; red: "
        "simulated, mean over replicates with 95 % intervals (circles, squares and triangles for the three exponents), "
        "and below simulated / predicted - 1. There the three points of the same N stand side by side: the middle one "
        "is at its N, the others are moved by 9 % so that they can be told apart. Right: slope of a line through the "
        "logarithms over the last decade and a half, predicted (dashes) and simulated (diamonds: the same line through "
        "the mean shares, 95 % intervals by the jackknife), and below simulated / predicted - 1: above 0 the share "
        "falls faster than predicted. Nothing is fitted between the two. With a near 1 the last class is felt early: "
        "slopes are steeper than those of the pure law."
    ),
)
