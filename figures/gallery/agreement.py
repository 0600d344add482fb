"""Predicted against simulated boundaries of many random settings, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.random_settings import BASE, axis_of_cases, random_settings
from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.setting_file import read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {"high": "s", "low": "o"}
SHOWN_ERROR = 40.0
"""Per cent; points beyond are drawn at the edge."""
MANY = 100
CARET_DOWN, CARET_UP = 7, 6
"""Matplotlib's arrow heads whose tip is at the point: ``CARETDOWN`` and ``CARETUP``."""
_ERRORS = np.linspace(-SHOWN_ERROR, SHOWN_ERROR, 33)


def results(workbench: Workbench, quick: bool) -> Results:
    """Random settings with their predictions, runs of them, and both side by side."""
    number, most_steps, steps, replicates = (24, 6_000, 24_000, 48) if quick else (200, 40_000, 160_000, 64)
    asked = {"seed": 1, "number": number, "most_steps": most_steps}
    cases = workbench.table("random-settings", asked, random_settings)
    grid = Grid(
        setting=read(BASE),
        axes=(axis_of_cases(cases),),
        steps=steps,
        replicates=replicates,
        seed=1,
        options={"curve_points": 0},
    )
    simulated = workbench.sweep(f"agreement-{'quick' if quick else 'full'}", grid)
    return {"settings": cases, "boundaries": side_by_side(cases, simulated)}


def side_by_side(cases: Table, simulated: SweepTable) -> Table:
    """Predicted and simulated boundaries, how far apart they are, and whether the interval holds the prediction."""
    predicted = cases.quantities["predicted_steps"].values
    found = {name: simulated.values(f"crossing_{name}") for name in ("steps", "low", "high")}
    dimensions = ["case", "class"]
    inside = (found["low"] <= predicted) & (predicted <= found["high"])

    def column(values: Any, unit: str, meaning: str) -> Any:
        return quantity(dimensions, values, unit, meaning)

    def error(steps: Any) -> Any:
        return 100 * (steps / predicted - 1)

    ends = "end of a 95 % interval of the simulated boundary"
    return Table(
        coordinates=dict(cases.coordinates),
        quantities={
            "predicted": column(predicted, "steps", "predicted boundary"),
            "simulated": column(found["steps"], "steps", "simulated boundary"),
            "simulated_low": column(found["low"], "steps", f"lower {ends}"),
            "simulated_high": column(found["high"], "steps", f"upper {ends}"),
            "error": column(error(found["steps"]), "%", "simulated over predicted boundary, minus 1"),
            "error_low": column(error(found["low"]), "%", f"the same for the lower {ends}"),
            "error_high": column(error(found["high"]), "%", f"the same for the upper {ends}"),
            "inside": column(inside, "", "the interval holds the prediction"),
        },
    )


def draw(results: Results) -> Figure:
    """The identity line, the relative errors, and their distribution."""
    boundaries = _columns(results["boundaries"])
    figure, axes = canvas(TWO_COLUMNS, 3.2, 1, 3, gridspec_kw={"width_ratios": [1.0, 1.15, 0.45]})
    identity, errors, spread = axes[0]
    draw_identity(identity, boundaries)
    drawn = draw_errors(errors, boundaries)
    draw_spread(spread, boundaries)
    _legend(figure, drawn)
    return figure


def draw_identity(axis: Axes, boundaries: Mapping[str, Any]) -> Mapping[str, Any]:
    """Simulated boundaries with 95 % intervals against predicted ones; on the line they are equal."""
    predicted, known = boundaries["predicted"], boundaries["known"]
    ends = np.array([predicted[known].min() / 1.6, predicted[known].max() * 1.6])
    drawn: dict[str, Any] = {}
    (drawn["identity"],) = axis.plot(ends, ends, color=PREDICTED, linewidth=1.0, gid="identity")
    heights = {"centre": "simulated", "low": "simulated_low", "high": "simulated_high"}
    for place, name in enumerate(MARKERS):
        of_group = known & (boundaries["group"] == place)
        points = {end: boundaries[column][of_group] for end, column in heights.items()}
        drawn[name] = _points(axis, name, known.size, predicted[of_group], points, (ends[0], ends[1]))
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal", anchor="N")
    axis.set_xlabel("predicted boundary, steps")
    axis.set_ylabel("simulated boundary, steps")
    _title(axis, "(a) boundaries", f"{known.size // len(MARKERS)} random settings, nothing fitted")
    return drawn


def draw_errors(axis: Axes, boundaries: Mapping[str, Any]) -> Mapping[str, Any]:
    """Relative errors with the same intervals against the predicted boundary."""
    inside, known = int(boundaries["inside"][boundaries["known"]].sum()), int(boundaries["known"].sum())
    expected = f"{0.95 * known:.0f} $\\pm$ {(known * 0.95 * 0.05) ** 0.5:.0f}"
    drawn: dict[str, Any] = {}
    drawn["zero"] = axis.axhline(0, color=PREDICTED, linewidth=1.0, gid="zero")
    heights = {"centre": "error", "low": "error_low", "high": "error_high"}
    for place, name in enumerate(MARKERS):
        of_group = boundaries["known"] & (boundaries["group"] == place)
        points = {end: boundaries[column][of_group] for end, column in heights.items()}
        across, ends = boundaries["predicted"][of_group], (-SHOWN_ERROR, SHOWN_ERROR)
        drawn[name] = _points(axis, name, boundaries["known"].size, across, points, ends)
    axis.set(xscale="log", ylim=(-SHOWN_ERROR * 1.05, SHOWN_ERROR * 1.05))
    axis.set_xlabel("predicted boundary, steps")
    axis.set_ylabel("simulated / predicted $-$ 1, %")
    _title(axis, "(b) relative error", f"0 in {inside} of {known} intervals (expect {expected})")
    return drawn


def draw_spread(axis: Axes, boundaries: Mapping[str, Any]) -> Mapping[str, Any]:
    """How often which relative error occurs."""
    errors = boundaries["error"][boundaries["known"]].clip(-SHOWN_ERROR, SHOWN_ERROR)
    counts, _, bars = axis.hist(errors, bins=_ERRORS.tolist(), orientation="horizontal", color=SIMULATED, alpha=0.75)
    axis.axhline(0, color=PREDICTED, linewidth=1.0)
    axis.set(ylim=(-SHOWN_ERROR * 1.05, SHOWN_ERROR * 1.05))
    axis.set_yticklabels([])
    axis.set_xlabel("boundaries")
    _title(axis, "(c) how often", "both classes")
    sizes = np.abs(boundaries["error"][boundaries["known"]])
    said = f"|error|:\nmedian {np.median(sizes):.1f} %\nlargest {sizes.max():.0f} %"
    axis.text(0.97, 0.97, said, transform=axis.transAxes, ha="right", va="top", fontsize=7.5)
    return {"counts": counts, "bars": bars}


def _points(
    axis: Axes, name: str, number: int, across: Any, heights: Mapping[str, Any], ends: tuple[float, float]
) -> Any:
    """Points with bars; what goes beyond the ends of the panel is drawn up to there, with an arrow."""
    centre, low, high = (heights[end].clip(*ends) for end in ("centre", "low", "high"))
    drawn = axis.errorbar(across, centre, yerr=np.stack([centre - low, high - centre]), **_bars(name, number))
    arrow: dict[str, Any] = {"color": SIMULATED, "markersize": 4, "markeredgewidth": 0, "linestyle": "none"}
    below, above = heights["low"] < ends[0], heights["high"] > ends[1]
    axis.plot(across[below], np.full(below.sum(), ends[0]), marker=CARET_DOWN, gid=f"below-{name}", **arrow)
    axis.plot(across[above], np.full(above.sum(), ends[1]), marker=CARET_UP, gid=f"above-{name}", **arrow)
    return drawn


def _title(axis: Axes, name: str, finding: str) -> None:
    axis.set_title(f"{name}\n", loc="left")
    # Not in the layout, which would make room for it to the right of the panel.
    axis.text(0, 1.03, finding, transform=axis.transAxes, fontsize=7.5).set_in_layout(False)


def _columns(table: Any) -> dict[str, Any]:
    """Flat columns, one entry for each setting and group; ``known``: both boundaries and the interval are there."""
    columns = {name: found.masked for name, found in table.quantities.items()}
    missing = np.ma.getmaskarray(columns["simulated"]) | np.ma.getmaskarray(columns["simulated_high"])
    flat = {name: np.ma.getdata(values).ravel() for name, values in columns.items()}
    groups = np.broadcast_to(np.arange(missing.shape[1]), missing.shape)
    return flat | {"known": ~missing.ravel(), "group": groups.ravel()}


def _look(name: str, number: int = 0) -> dict[str, Any]:
    """Marks of a group; lighter where there are many."""
    many = number > MANY
    return {
        "color": SIMULATED, "markerfacecolor": SIMULATED if name == "high" else HALO, "linestyle": "none",
        "markersize": 2.4 if many else 3.2, "markeredgewidth": 0.5 if many else 0.8, "alpha": 0.6 if many else 0.85,
    }  # fmt: skip


def _bars(name: str, number: int) -> dict[str, Any]:
    return {"fmt": MARKERS[name], "elinewidth": 0.5 if number > MANY else 0.8, **_look(name, number)}


def _legend(figure: Figure, drawn: Mapping[str, Any]) -> None:
    handles = {"predicted = simulated": drawn["zero"]}
    handles |= {f"{name}-frequency classes, 95 % interval": drawn[name] for name in MARKERS}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=7.5)


RECIPE = Recipe(
    meaning="Predicted against simulated boundaries of random settings, and their relative errors",
    results=results,
    draw=draw,
    reading=(
        "Each point: one group of classes of a setting drawn at random over the box of `figures.random_settings` "
        "(classes, frequencies, contexts, label noise, attention, gates), among those whose boundaries are between 3 "
        "visits and a quarter of the simulated steps. Across: the predicted boundary, where the exact mean gate last "
        "rises through 1/2; nothing is fitted. Up: the simulated one, with a 95 % bootstrap interval over 64 runs (48 "
        "with --quick); 0 steps where resampled runs are never below 1/2. (b) and (c): simulated over predicted "
        "boundary minus 1, Monte Carlo error included. What goes beyond a panel is drawn up to its edge, with an "
        "arrow."
    ),
)
