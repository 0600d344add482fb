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
        return 100 * (predicted / np.ma.masked_less_equal(steps, 0) - 1)

    ends = "end of a 95 % interval of the simulated boundary"
    return Table(
        coordinates=dict(cases.coordinates),
        quantities={
            "predicted": column(predicted, "steps", "predicted boundary"),
            "simulated": column(found["steps"], "steps", "simulated boundary"),
            "simulated_low": column(found["low"], "steps", f"lower {ends}"),
            "simulated_high": column(found["high"], "steps", f"upper {ends}"),
            "error": column(error(found["steps"]), "%", "predicted over simulated boundary, minus 1"),
            "error_low": column(error(found["high"]), "%", f"the same for the upper {ends}"),
            "error_high": column(error(found["low"]), "%", f"the same for the lower {ends}"),
            "inside": column(inside, "", "the interval holds the prediction"),
        },
    )


def draw(results: Results) -> Figure:
    """The identity line, the relative errors, and their distribution."""
    boundaries = _columns(results["boundaries"])
    figure, axes = canvas(TWO_COLUMNS, 3.2, 1, 3, gridspec_kw={"width_ratios": [1.0, 1.15, 0.45]})
    identity, errors, spread = axes[0]
    draw_identity(identity, boundaries)
    draw_errors(errors, boundaries)
    draw_spread(spread, boundaries)
    _legend(figure)
    return figure


def draw_identity(axis: Axes, boundaries: Mapping[str, Any]) -> Mapping[str, Any]:
    """Simulated boundaries with 95 % intervals against predicted ones; on the line they are equal."""
    predicted, known = boundaries["predicted"], boundaries["known"]
    ends = np.array([predicted[known].min() / 1.6, predicted[known].max() * 1.6])
    drawn: dict[str, Any] = {}
    (drawn["identity"],) = axis.plot(ends, ends, color=PREDICTED, linewidth=1.0, gid="identity")
    reach = np.abs(np.stack([boundaries["simulated_low"], boundaries["simulated_high"]]) - boundaries["simulated"])
    for place, name in enumerate(MARKERS):
        of_group = known & (boundaries["group"] == place)
        drawn[name] = axis.errorbar(
            predicted[of_group], boundaries["simulated"][of_group], yerr=reach[:, of_group], **_bars(name, known.size)
        )
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
    centre, low, high = (boundaries[name] for name in ("error", "error_low", "error_high"))
    reach = np.stack([centre - low, high - centre])
    for place, name in enumerate(MARKERS):
        of_group = boundaries["known"] & (boundaries["group"] == place)
        shown = centre[of_group].clip(-SHOWN_ERROR, SHOWN_ERROR)
        drawn[name] = axis.errorbar(
            boundaries["predicted"][of_group], shown, yerr=reach[:, of_group], **_bars(name, known)
        )
    axis.set(xscale="log", ylim=(-SHOWN_ERROR * 1.05, SHOWN_ERROR * 1.05))
    axis.set_xlabel("predicted boundary, steps")
    axis.set_ylabel("predicted / simulated $-$ 1, %")
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
    _title(axis, "(c) how often", f"median size {float(np.median(np.abs(errors))):.1f} %")
    return {"counts": counts, "bars": bars}


def _title(axis: Axes, name: str, finding: str) -> None:
    axis.set_title(f"{name}\n", loc="left")
    # Not in the layout, which would make room for it to the right of the panel.
    axis.text(0, 1.03, finding, transform=axis.transAxes, fontsize=7.5).set_in_layout(False)


def _columns(table: Any) -> dict[str, Any]:
    """Flat columns, one entry for each setting and group; ``known``: both boundaries and the interval are there."""
    columns = {name: found.masked for name, found in table.quantities.items()}
    missing = np.ma.getmaskarray(columns["simulated"]) | np.ma.getmaskarray(columns["simulated_high"])
    # A lower end at 0 steps: there is no limit to the relative error.
    columns["error_high"] = columns["error_high"].filled(10 * SHOWN_ERROR)
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


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = {"predicted = simulated": Line2D([], [], color=PREDICTED, linewidth=1.0)}
    for name, marker in MARKERS.items():
        handles[f"{name}-frequency classes, 95 % interval"] = Line2D([], [], marker=marker, **_look(name))
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=7.5)


RECIPE = Recipe(
    meaning="Predicted against simulated boundaries of random settings, and their relative errors",
    results=results,
    draw=draw,
    reading=(
        "Each point: one group of classes of a setting drawn at random over the box of `figures.random_settings` "
        "(classes, frequencies, contexts, label noise, attention, gates), among those whose boundaries are between 3 "
        "visits and a quarter of the simulated steps. Across: the predicted boundary, where the exact mean gate last "
        "rises through 1/2; nothing is fitted. Up: the simulated one, with a 95 % bootstrap interval over replicates. "
        "(b) and (c): their relative difference in per cent, Monte Carlo error included; points beyond 40 % are drawn "
        "at the edge."
    ),
)
