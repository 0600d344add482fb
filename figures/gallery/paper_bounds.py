"""The paper's theory: bounds on both risks against visits, exact values and simulation on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.gathered import Interval, along, stacked
from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PART_COLOURS, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.tables import Table, quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theory.setting import EpisodeDistribution

Array = NDArray[np.float64]

CONTEXT_LENGTH = 8
IRRELEVANT = (1, 3, 5, 7)
CLASSES = 10
DELTA = 0.05
"""Probability with which the bounds of high probability may fail, over all queries at once."""
FLOOR = 1e-12
"""Of the simulated attention, which has to have one; it moves no loss by more than 1e-11."""
_PIECES = 4096
"""Pieces of the circle, and of the integral over it: the integrands are smooth, the error is far below 1e-10."""
_IN_WEIGHT, _IN_CONTEXT = PART_COLOURS["in_weight"], PART_COLOURS["in_context"]
_FOOT = 2e-3
"""Where the line at the crossing ends: what stands below is text."""
_POSSIBLE = "#f4e3c6"
_LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Parts of the simulated prompts whose loss is at most a quantile; the ends are the smallest and the largest loss."""
_STRIP, _END = 2.5, 5.0
"""Where the strip of single losses and the panel end, in units of the last visit."""
_LINES = {
    "in_weight_root": (_IN_WEIGHT, (0, (1, 1.2)), "$g$: high probability, the paper's rate"),
    "in_weight_linear": (_IN_WEIGHT, "--", "$g$: upper bound $(C-1)/(n+1)$"),
    "in_weight_exact": (_IN_WEIGHT, "-", "$g$: predicted, exact"),
    "in_context_upper": (_IN_CONTEXT, "--", "$h$: bounds on every loss, corrected"),
    "in_context_lower": (_IN_CONTEXT, "--", None),
    "in_context_exact": (_IN_CONTEXT, "-", "$h$: predicted, exact mean"),
    "in_context_published": (PREDICTED, ":", "$h$: published lower bound (false)"),
}


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How much is simulated: visits of each class up to a power of 2, and repetitions."""

    most_visits: int
    replicates: int


QUICK, FULL = Sampling(most_visits=256, replicates=24), Sampling(most_visits=2048, replicates=96)


def results(workbench: Workbench, quick: bool) -> Results:
    """Bounds and exact values, and the losses of simulated learners, for each number of irrelevant examples."""
    how = QUICK if quick else FULL
    visits = [1 << power for power in range(how.most_visits.bit_length())]
    predicted = workbench.table("paper-bounds-predicted", {"visits": visits, "version": 2}, predictions)
    simulated = [
        workbench.table(
            "paper-bounds-simulated",
            {"irrelevant": k, "visits": visits, "replicates": how.replicates, "seed": 100 + k, "version": 2},
            simulation,
        )
        for k in IRRELEVANT
    ]
    return {"predicted": predicted, "simulated": stacked("irrelevant", np.array(IRRELEVANT), simulated)}


def predictions(visits: list[int], version: int) -> Table:  # noqa: ARG001 (part of the key)
    """Both risks and their bounds, by the catalogue."""
    from theory.catalogue import ERRATA, find_theorem

    n, k = np.array(visits, dtype=np.float64), np.array(IRRELEVANT, dtype=np.float64)
    root = find_theorem("high_probability_root").evaluate(n=n, C=CLASSES, M=CLASSES, delta=DELTA)
    (published,) = (erratum for erratum in ERRATA if erratum.name == "in_context_loss_factor_two")
    lower = find_theorem("in_context_loss_lower").evaluate(L=CONTEXT_LENGTH, k=k, temperature=1)
    exact = [mean_loss_on_circle(irrelevant) for irrelevant in IRRELEVANT]

    def of_visits(values: Any, meaning: str) -> Any:
        return quantity(["visits"], np.asarray(values), "nats", meaning)

    def of_context(values: Any, meaning: str) -> Any:
        return quantity(["irrelevant"], np.asarray(values), "nats", meaning)

    linear, noiseless = (find_theorem(name) for name in ("laplace_upper_linear", "in_weight_risk_noiseless"))
    upper = find_theorem("in_context_loss_upper").evaluate(L=CONTEXT_LENGTH, k=k)
    return Table(
        coordinates={"visits": np.array(visits), "irrelevant": np.array(IRRELEVANT)},
        quantities={
            "in_weight_root": of_visits(root, f"risk of g at most, for all queries, with probability {1 - DELTA:g}"),
            "in_weight_linear": of_visits(linear.evaluate(n=n, C=CLASSES), "risk of g at most"),
            "in_weight_exact": of_visits(noiseless.evaluate(n=n, C=CLASSES, b=1), "risk of g"),
            "in_context_upper": of_context(upper, "loss of h at most"),
            "in_context_lower": of_context(lower, "loss of h at least, for all inputs of unit norm"),
            "in_context_exact": of_context(exact, "mean loss of h over random inputs on the circle"),
            "crossing": quantity(
                ["irrelevant"], (CLASSES - 1) / np.expm1(exact) - 1, "visits", "after which g is exactly as good as h"
            ),
            "in_context_published": of_context(
                published.evaluate_right(L=np.asarray(CONTEXT_LENGTH), k=k), "published lower bound, twice too large"
            ),
        },
    )


def mean_loss_on_circle(irrelevant: int) -> float:
    r"""Mean loss of attention at temperature 1 where classes are random points of the unit circle, without noise.

    An irrelevant example at the angle :math:`\theta` has the squared distance :math:`2-2\cos\theta`, so that the loss
    is :math:`\log(1 + S)` with :math:`S = \frac1{L-k}\sum_{i\le k} e^{2\cos\theta_i-2}`, and by Frullani's integral
    :math:`E\log(1+S) = \int_0^\infty \frac{1-E e^{-tS}}t e^{-t} dt` with
    :math:`E e^{-tS} = [E e^{-t e^{2\cos\theta-2}/(L-k)}]^k` for different classes.

    Examples
    --------
    >>> from math import cos, exp, log, pi, fsum  # one irrelevant example: the mean over one angle
    >>> losses = [log(1 + exp(2 * cos(2 * pi * i / 999) - 2) / 7) for i in range(999)]
    >>> abs(mean_loss_on_circle(1) / (fsum(losses) / 999) - 1) < 1e-12
    True
    """
    angles = 2 * np.pi * np.arange(_PIECES // 16) / (_PIECES // 16)
    weights = np.exp(2 * np.cos(angles) - 2) / (CONTEXT_LENGTH - irrelevant)
    # With t = e^u the integrand falls at both ends faster than any power of the step: the trapezoidal rule is exact.
    u = np.linspace(-45, 5, _PIECES)
    t = np.exp(u)
    shortfall = np.expm1(-t[:, None] * weights).mean(axis=1)
    terms = -np.expm1(irrelevant * np.log1p(shortfall)) * np.exp(-t)
    return float(terms.sum() * (u[1] - u[0]))


def task(irrelevant: int) -> EpisodeDistribution:
    """Ten equally frequent classes on the unit circle; contexts whose irrelevant examples are of different classes."""
    from theory.setting import ClassLaw, EpisodeDistribution, RowKind, SphereInputs

    row = RowKind(name="relevant", share=1.0, matches="exact", copies=CONTEXT_LENGTH - irrelevant, rest="unique")
    return EpisodeDistribution(
        classes=ClassLaw(frequencies="uniform", num_classes=CLASSES),
        rows=(row,),
        context_length=CONTEXT_LENGTH,
        inputs=SphereInputs(dimension=2),
    )


def simulation(irrelevant: int, visits: list[int], replicates: int, seed: int, version: int) -> Table:  # noqa: ARG001
    """Losses of simulated learners when a class is visited for the (n+1)st time."""
    from theory.catalogue import ERRATA

    query, in_weight, in_context = _learned(irrelevant, max(visits), replicates, seed)
    visit = _visit_numbers(query)
    (published,) = (erratum for erratum in ERRATA if erratum.name == "in_context_loss_factor_two")
    bound = float(published.evaluate_right(L=np.asarray(CONTEXT_LENGTH), k=np.asarray(irrelevant)))
    found: dict[str, Any] = {}
    for name, losses in (("in_weight", in_weight), ("in_context", in_context)):
        # A replicate has inputs of its own, which its prompts share.
        means = np.array([[losses[visit[:, r] == n, r].mean() for r in range(replicates)] for n in visits])
        found |= along("visits", name, Interval.of_means(means), "nats", f"mean loss after so many visits: {name}")
    below = quantity([], float((in_context < bound).mean()), "", "share of prompts below the published lower bound")
    single = np.quantile(in_context, _LEVELS)
    quantiles = quantity(["part"], single, "nats", "loss of h that this part of the prompts has at most")
    return Table(
        coordinates={"visits": np.array(visits), "part": np.array(_LEVELS)},
        quantities={**found, "below_published": below, "in_context_quantiles": quantiles},
    )


def _learned(irrelevant: int, most: int, replicates: int, seed: int) -> tuple[NDArray[np.intp], Array, Array]:
    """Queries and losses of both predictors, shape (steps, replicates)."""
    from simulate.lanes import Lanes
    from simulate.learner import Learner
    from simulate.sources import PromptSource
    from theory.setting import DirichletTable, GatedPredictor, KernelAttention

    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=1.0), in_context=KernelAttention(temperature=1.0, floor=FLOOR)
    )
    lanes = Lanes((task(irrelevant),), (model,), replicates)
    learner = Learner(lanes)
    source = PromptSource(lanes, learner.needs, seed)
    parts = []
    # Enough steps for the last visit of nearly every class.
    for _ in range(-(-CLASSES * (most + 8 * int(most**0.5) + 8) // 512)):
        block = source.draw(512)
        learned = learner.advance(block)
        parts.append((block.query, learned.in_weight, learned.in_context))
    query, in_weight, in_context = (np.concatenate(part) for part in zip(*parts, strict=True))
    return query, in_weight, in_context


def _visit_numbers(query: NDArray[np.intp]) -> NDArray[np.intp]:
    """How often each row's query was visited before, in its own replicate."""
    found = np.zeros(query.shape, dtype=np.intp)
    for label in range(CLASSES):
        own = query == label
        found += np.where(own, own.cumsum(axis=0) - 1, 0)
    return found


def draw(results: Results) -> Figure:
    """One panel for each number of irrelevant examples."""
    figure, axes = canvas(TWO_COLUMNS, 3.3, 1, len(IRRELEVANT), sharey=True)
    for axis, k in zip(axes[0], IRRELEVANT, strict=True):
        draw_panel(axis, results["predicted"], results["simulated"], k)
    axes[0, 0].set_ylabel("loss, nats")
    how: dict[str, Any] = {"fontsize": 7.3, "handlelength": 2.4, "columnspacing": 1.2}
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, **how)
    return figure


def draw_panel(axis: Axes, predicted: Any, simulated: Any, irrelevant: int) -> dict[str, Any]:
    """Bounds, exact values and simulated losses for one number of irrelevant examples; artists by quantity."""
    place = IRRELEVANT.index(irrelevant)
    visits = predicted.coordinates["visits"].astype(np.float64)
    found = draw_lines(axis, predicted, place)
    for name, marker, letter, order in (("in_weight", "o", "g", 6), ("in_context", "s", "h", 5)):
        interval = Interval.read(simulated.quantities, name, place)
        found[f"{name}_simulated"] = axis.errorbar(
            visits, interval.mean, yerr=interval.reach, fmt=marker, markersize=3.6, color=SIMULATED,
            markeredgecolor=HALO, markeredgewidth=0.5, elinewidth=1.1, zorder=order, gid=f"{name}_simulated",
            label=f"${letter}$: simulated mean, 95 % interval",
        )  # fmt: skip
    found |= draw_single_losses(axis, visits[-1] * _STRIP, simulated.quantities["in_context_quantiles"].values[place])
    share = simulated.quantities["below_published"].values[place]
    said = f"{100 * share:.2g} % of single losses\nbelow the false bound"
    how: dict[str, Any] = {"fontsize": 7, "transform": axis.transAxes}
    found["below"] = axis.text(0.03, 0.02, said, color=SIMULATED, va="bottom", **how)
    axis.set(xscale="log", yscale="log", xlim=(0.8, visits[-1] * _END), ylim=(1.5e-4, 20))
    powers = range(int(np.log10(visits[-1])) + 1)
    ticks = [*(10**power for power in powers), visits[-1] * _STRIP]
    axis.set_xticks(ticks, [*(f"$10^{power}$" for power in powers), "all"], fontsize=8)
    axis.minorticks_off()
    axis.set_xlabel("visits $n$ of the query")
    axis.set_title(f"$k$ = {irrelevant} of {CONTEXT_LENGTH} irrelevant")
    return found


def draw_single_losses(axis: Axes, x: float, quantiles: Array) -> dict[str, Any]:
    """A strip beside the curves: thin the whole range of single losses, thick the middle parts, open the median."""
    lowest, low, lower, median, upper, high, highest = quantiles
    meaning = "$h$: single losses (range, 90 %, 50 %)"
    parts = ("range", lowest, highest, 0.9, ""), ("most", low, high, 2.6, meaning), ("half", lower, upper, 5.0, "")
    found: dict[str, Any] = {}
    for name, start, end, width, label in parts:
        how: dict[str, Any] = {"linewidth": width, "label": label, "gid": f"single_{name}"}
        found[f"single_{name}"] = axis.vlines(x, start, end, color=SIMULATED, zorder=4, **how)
    (found["single_median"],) = axis.plot(x, median, marker="_", color=HALO, markersize=5, zorder=5)
    return found


def draw_lines(axis: Axes, predicted: Any, place: int) -> dict[str, Any]:
    """What is predicted: falling lines of g, levels of h, and where g becomes the better one."""
    visits = predicted.coordinates["visits"].astype(np.float64)
    reach = np.array([visits[0], visits[-1] * _END])
    levels = {name: found.values for name, found in predicted.quantities.items() if found.dimensions == ("irrelevant",)}
    found: dict[str, Any] = {}
    for name, (colour, dashes, meaning) in _LINES.items():
        how: dict[str, Any] = {"linestyle": dashes, "linewidth": 1.4 if name.endswith("exact") else 1.1}
        if name in levels:
            x, values = reach, np.full(2, levels[name][place])
            # Across the strip of single losses, which is held against the bounds.
            how["zorder"] = 4.5 if name == "in_context_published" else 2
        else:
            x, values = visits, predicted.quantities[name].values
        (found[name],) = axis.plot(x, values, color=colour, label=meaning, gid=name, **how)
    ends = levels["in_context_lower"][place], levels["in_context_upper"][place]
    found["possible"] = axis.fill_between(reach, *ends, color=_POSSIBLE, zorder=0, linewidth=0)
    crossing, level = float(levels["crossing"][place]), float(levels["in_context_exact"][place])
    found["crossing"] = axis.vlines(crossing, _FOOT, level, color="0.45", linewidth=0.8, zorder=1)
    said = f"$g$ better beyond $n$ = {crossing:.{0 if crossing >= 10 else 1}f}"
    axis.text(0.03, 0.16, said, transform=axis.transAxes, fontsize=7, color="0.25", va="bottom")
    return found


RECIPE = Recipe(
    meaning="The paper's bounds on both risks against visits, with exact values and simulation on top",
    results=results,
    draw=draw,
    reading=(
        "Ten classes at random on the unit circle, no noise, attention at temperature 1 over eight examples, k of them "
        "irrelevant, and a Laplace table. Blue, falling: risk of the in-weight predictor g; amber, level: loss of the "
        "in-context predictor h, which does not learn. Solid: exact means; dashed: proved bounds; the amber band "
        "between h's two holds every single loss of h, for all inputs of unit norm, not only the mean. Finely dotted "
        "blue: the bound at the paper's rate with its constants, for all ten queries with probability 0.95. Black "
        "dotted: the lower bound on single losses with the factor 2 that a published script uses. It is false: the "
        "red strip at the right shows the simulated single losses of h over all prompts (thin: smallest to largest; "
        "thick: the middle 90 % and 50 %; white: median), and the share of them below the dotted line is printed. The "
        "mean is above it. Red markers: simulated means with 95 % intervals over replicates, each with inputs of its "
        "own; g without noise is the same in all. In context is better left of where blue and amber meet."
    ),
)
