"""How tight every bound of the catalogue is: its ratio to what it bounds, along its main variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.tables import Table, quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_LABELS = "C=10 label_noise=0.1"
_VISITS = "n=1:1e6:7:log"
_UP_TO_100 = "n=1,2,5,10,20,50,100"
_UP_TO_64 = "n=1,2,4,8,16,32,64"
_CONTEXT = "irrelevant_distance=0,0.5,1,2,3,3.5,4 L=8 k=3 temperature=1 relevant_distance=0"
_COPIES = "m=0,1,2,3,4,6,8"
_COMPOSED = f"{_UP_TO_100} {_LABELS} copied=0.7"
_SLOPES = f"{_UP_TO_64} S=0 G=2 rate=0.2 gap=1"
SETTINGS = {
    "laplace_upper_seen": f"{_VISITS} {_LABELS}",
    "laplace_upper_log": f"{_VISITS} {_LABELS}",
    "laplace_upper_linear": f"{_VISITS} {_LABELS}",
    "pseudo_count_upper": f"{_VISITS} {_LABELS} b=0.5",
    "in_weight_lower": f"{_VISITS} {_LABELS} b=0.5",
    "unvisited_floor": f"N=0,1,2,3,4,6,8 {_LABELS} p_x=0.1",
    "pointwise_vertex": f"{_VISITS} {_LABELS}",
    "kt_pointwise": f"{_VISITS} {_LABELS}",
    "pointwise_support": f"{_VISITS} {_LABELS} b=0.1",
    "high_probability_root": f"{_UP_TO_100} {_LABELS} delta=0.05",
    "high_probability_fast": f"{_UP_TO_100} {_LABELS} delta=0.05",
    "attention_mass_lower": _CONTEXT,
    "attention_mass_upper": _CONTEXT,
    "in_context_loss_lower_log": _CONTEXT,
    "in_context_loss_lower": _CONTEXT,
    "in_context_loss_upper": _CONTEXT,
    "floor_cost": "floor=1e-4:0.05:7:log C=10 mass=0.5",
    "bayes_in_context_floor": f"{_COPIES} {_LABELS}",
    "bayes_in_context_rate": f"{_COPIES} {_LABELS}",
    "bayes_in_context_ceiling": f"{_COPIES} {_LABELS}",
    "attention_above_bayes": f"{_COPIES} L=8 label_noise=0.1",
    "convexity": "alpha=0.01,0.1,0.25,0.5,0.75,0.9,0.99 g=0.9 h=0.5",
    "bayes_regret": "loss_g=1,2,5,10,20,50,100 loss_h=10",
    "hedge_regret": f"{_UP_TO_64} S=0 rate=0.5 B=1 gap=1",
    "hedge_slow_regret": f"{_UP_TO_64} S=0 rate=0.5 gap=1",
    "decreasing_hedge_regret": f"{_UP_TO_64} S=0 rate=1 B=1 gap=1",
    "adahedge_regret": f"{_UP_TO_64} S=0 gap=1",
    "fixed_share_regret": "n=2,3,4,8,16,32,64 S=1 rate=0.05 gap=1",
    "universal_mixture_regret_sharp": "n=2,4,10,20,50,100,200 k=1 gap=1",
    "universal_mixture_regret": "n=2,4,10,20,50,100,200 k=1 gap=1",
    "gradient_bound": "alpha=0,1e-6,1e-5,1e-4,1e-3,0.01,0.1 n=10 C=10 floor=1e-4 k=10 copied=0",
    "exponentiated_gradient_regret": _SLOPES,
    "online_gradient_regret": _SLOPES,
    "composition": _COMPOSED,
    "composition_closed_form": _COMPOSED,
    "boundary_upper": "gap=0.001:1:7:log log_weight=1 constant=10",
    "boundary_lower": "gap=0.001:1:7:log log_weight=1 constant=10",
}
"""For each bound with an exact side: its main variable with seven values, and the other parameters."""
FAMILIES = ("in-weight", "in-context", "gate", "transition")
_ATTAINED = 1e-4
"""Excess of a ratio over 1 below which a bound is drawn as attained."""
_ONE, _BREAK = 2e-5, (3.6e-5, 5.6e-5)
"""Where such bounds are drawn on the scale of ratio - 1, which has no place for 0, and the gap before the scale."""
_RATIOS = (1.001, 1.01, 1.1, 2.0, 10.0, 100.0, 1e4, 1e6)
_WORDS = {
    "n": "visits",
    "N": "examples",
    "irrelevant_distance": "distance",
    "m": "relevant",
    "floor": "floor",
    "alpha": "gate",
    "loss_g": "loss of $g$",
    "gap": "risk gap",
}
"""Main variables as the figure calls them."""
_MARKERS = {"upper": ("o", PREDICTED), "lower": ("o", HALO), "high probability": ("s", PREDICTED)}
_LEGEND = "computed exactly, nothing simulated;\ndots grow with the variable\nnamed at the right"
_ROW, _MARGIN = 0.165, 0.95


def results(workbench: Workbench, quick: bool) -> Results:  # noqa: ARG001 (it is quick)
    """Bounds and exact values by the catalogue's calculator."""
    return {"bounds": workbench.table("tightness", {"settings": SETTINGS, "version": 1}, bounds)}


def bounds(settings: dict[str, str], version: int) -> Table:  # noqa: ARG001 (part of the key)
    """Every bound beside what it bounds, at the places of its main variable."""
    from theory.catalogue import find_theorem
    from theory.theorems.calculator import bound_table

    columns: dict[str, list[Array]] = {"main": [], "bound": [], "exact": [], "ratio": []}
    kinds, families = [], []
    for name, text in settings.items():
        found = bound_table(find_theorem(name), text.split())
        if found.other is None:
            raise ValueError(f"{name} has no exact side at {text}")
        columns["main"].append(found.parameters[main_variable(text)])
        columns["bound"].append(found.value)
        columns["exact"].append(found.other)
        lower = found.theorem.kind == "lower"
        columns["ratio"].append(found.other / found.value if lower else found.value / found.other)
        kinds.append(tuple(_MARKERS).index(found.theorem.kind))
        families.append(FAMILIES.index(found.theorem.family))
    labels = [f"{name}: {text}" for name, text in settings.items()]
    places = np.arange(1, columns["main"][0].size + 1)
    quantities = {
        name: quantity(["theorem", "place"], np.array(columns[name]), "", _MEANINGS[name]) for name in columns
    }
    quantities["kind"] = quantity(
        ["theorem"], np.array(kinds), "", "0: upper, 1: lower, 2: upper, with high probability"
    )
    quantities["family"] = quantity(["theorem"], np.array(families), "", "0: " + ", ".join(FAMILIES) + " :3")
    return Table(coordinates={"theorem": np.array(labels), "place": places}, quantities=quantities)


_MEANINGS = {
    "main": "the main variable, the first of the theorem's settings",
    "bound": "the bound (nats; for the boundary visits, for the attention mass a pure number)",
    "exact": "what it bounds, in the same unit",
    "ratio": "the larger of the two over the smaller: 1 where the bound is attained, never less",
}


def main_variable(text: str) -> str:
    """Name of the first setting.

    Examples
    --------
    >>> main_variable("n=1:1e6:7:log C=10")
    'n'
    """
    return text.partition("=")[0]


def draw(results: Results) -> Figure:
    """One row for each theorem."""
    table = results["bounds"]
    rows = table.coordinates["theorem"].size + len(FAMILIES)
    figure, axes = canvas(TWO_COLUMNS, _ROW * rows + _MARGIN)
    draw_panel(axes[0, 0], table)
    return figure


def draw_panel(axis: Axes, table: Any) -> dict[str, Any]:
    """Ratios of all bounds; the dots of each theorem by name."""
    families = table.quantities["family"].values
    found: dict[str, Any] = {}
    height, ticks, names = 0.0, [], []
    for place, label in enumerate(table.coordinates["theorem"].tolist()):
        if place == 0 or families[place] != families[place - 1]:
            axis.annotate(
                FAMILIES[families[place]], (0, height), xycoords=axis.get_yaxis_transform(), xytext=(-3.5, 0),
                textcoords="offset points", ha="right", va="center", fontsize=8, fontweight="bold",
            )  # fmt: skip
            height -= 1
        name, _, text = label.partition(": ")
        kind = tuple(_MARKERS)[int(table.quantities["kind"].values[place])]
        found[name] = draw_row(axis, height, table.quantities["ratio"].values[place], kind, name)
        said = range_text(main_variable(text), table.quantities["main"].values[place])
        axis.text(1.01, height, said, transform=axis.get_yaxis_transform(), va="center", fontsize=7)
        ticks.append(height)
        names.append(name)
        height -= 1
    axis.set_yticks(ticks, names, fontsize=7)
    _finish(axis, height)
    return found


def draw_row(axis: Axes, height: float, ratios: Array, kind: str, name: str) -> Any:
    """Dots of one theorem, growing with its main variable."""
    marker, face = _MARKERS[kind]
    excess = np.where(ratios - 1 < _ATTAINED, _ONE, ratios - 1)
    axis.hlines(height, excess.min(), excess.max(), color="0.7", linewidth=1.0, zorder=1)
    sizes = np.linspace(2.2, 6.5, ratios.size) ** 2
    edge = PREDICTED if face == HALO else HALO
    return axis.scatter(
        excess, np.full(ratios.size, height), s=sizes, marker=marker, facecolor=face, edgecolor=edge,
        linewidth=0.6, zorder=3, gid=name, clip_on=False,
    )  # fmt: skip


def range_text(name: str, values: Array) -> str:
    """A variable and the ends of its range.

    Examples
    --------
    >>> range_text("n", np.array([1.0, 5.0, 1e6]))
    'visits: 1 … $10^{6}$'
    """
    return f"{_WORDS[name]}: {_number_text(values[0])} … {_number_text(values[-1])}"


def _finish(axis: Axes, height: float) -> None:
    from matplotlib.lines import Line2D

    axis.set(xscale="log", xlim=(_ONE * 0.7, 2e6), ylim=(height + 0.3, 0.8))
    axis.axvspan(*_BREAK, ymin=-0.01, color=HALO, zorder=2.9, linewidth=0, clip_on=False, gid="break")
    for end in _BREAK:
        axis.plot(end, 0, marker=[(-0.5, -1), (0.5, 1)], markersize=8, color=PREDICTED, markeredgewidth=1,
                  transform=axis.get_xaxis_transform(), clip_on=False, zorder=4)  # fmt: skip
    axis.set_xticks([_ONE, *(ratio - 1 for ratio in _RATIOS)], ["1", *map(_number_text, _RATIOS)], fontsize=8.5)
    axis.minorticks_off()
    axis.grid(axis="x", color="0.9", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(
        "bound / exact value (for lower bounds exact / bound), logarithmic scale of ratio $-$ 1;\n"
        "before the break, at 1: attained to 1 in 10,000"
    )
    meanings = {"upper": "upper bound", "lower": "lower bound", "high probability": "upper bound, probability 0.95"}
    handles = [
        Line2D(
            [],
            [],
            marker=marker,
            markerfacecolor=face,
            markeredgecolor=PREDICTED,
            linestyle="none",
            label=meanings[kind],
        )
        for kind, (marker, face) in _MARKERS.items()
    ]
    axis.legend(
        handles=handles, loc="upper right", fontsize=7.5, title=_LEGEND,
        title_fontsize=7.5, alignment="left", frameon=True, framealpha=1, edgecolor="0.8",
    )  # fmt: skip


def _number_text(value: float) -> str:
    return f"{value:g}" if value < 1e4 else f"$10^{{{round(np.log10(value))}}}$"


RECIPE = Recipe(
    meaning="How tight every bound of the catalogue is, along its main variable",
    results=results,
    draw=draw,
    reading=(
        "Each row is a theorem of the catalogue with seven values of its main variable, named at the right with its "
        "range: small dots for small values, large dots for large ones; the other parameters are in the CSV file "
        "(mostly ten labels, noise 0.1). Across: the bound over the exact value (filled, upper bounds), or the exact "
        "value over the bound (open, lower bounds); the scale is logarithmic in the ratio - 1. Left of the break, at "
        "1, a bound is attained to 1 in 10,000; none is ever beyond it. All is computed exactly, nothing is simulated."
    ),
)
