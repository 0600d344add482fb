"""Errors of g, h and the gated predictor against the number of examples, in-base and out-of-base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.exact_errors import GROUPS, predicted_errors
from figures.recipe import Recipe, Results, canvas
from figures.style import PART_COLOURS, PREDICTED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid
from theory.setting_file import read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST, LAST = 10, 10_000
QUESTIONS = (
    ("in-base", "relevant", "in base: labels as trained\ncontext: example of the class"),
    ("in-base", "irrelevant", "in base: labels as trained\ncontext: no example of the class"),
    ("out-of-base", "relevant", "out of base: labels moved\ncontext: example of the class"),
)
"""Base and context of each row, and what it says."""
NAMES_AT = (
    {
        "high": {"in_weight": (0.045, 0.36), "in_context": (0.83, 0.21), "gated": (0.24, 0.21)},
        "low": {"in_weight": (0.2, 0.68), "in_context": (0.83, 0.21), "gated": (0.05, 0.22)},
    },
    {
        "high": {"in_weight": (0.18, 0.17), "in_context": (0.83, 0.88), "gated": (0.26, 0.46)},
        "low": {"in_weight": (0.12, 0.42), "in_context": (0.83, 0.88), "gated": (0.5, 0.56)},
    },
    {
        "high": {"in_weight": (0.83, 0.88), "in_context": (0.83, 0.21), "gated": (0.25, 0.52)},
        "low": {"in_weight": (0.83, 0.88), "in_context": (0.83, 0.21), "gated": (0.34, 0.46)},
    },
)
"""Where the names of g, h and f stand in each row's panels, in parts of the panel."""
MARKERS = {"in_weight": "s", "in_context": "^", "gated": "o"}
LETTERS = {"in_weight": "$g$ (in weights)", "in_context": "$h$ (in context)", "gated": "$f$ (gated)"}


def results(workbench: Workbench, quick: bool) -> Results:
    """Exact errors, and answers of learners along their training."""
    setting = read("paper", overrides=["label_noise=0.05"])
    steps = sorted({round(value) for value in np.geomspace(FIRST, LAST, 80).tolist()})
    # Runs differ more than the answers of one run do: many runs, few questions each.
    options = {"prompts": 25, "checkpoints": 19} if quick else {"prompts": 50, "checkpoints": 25}
    replicates = 192 if quick else 1000
    grid = Grid(setting=setting, axes=(), steps=LAST, replicates=replicates, measure="trace", options=options)
    return {
        "predicted": workbench.table("exact-errors", {"setting": setting, "steps": steps}, predicted_errors),
        "simulated": workbench.sweep(f"errors-by-examples-{'quick' if quick else 'full'}", grid),
    }


def draw(results: Results) -> Figure:
    """Kinds of questions below each other, frequent classes beside rare ones."""
    figure, axes = canvas(TWO_COLUMNS, 5.2, len(QUESTIONS), len(GROUPS), sharex=True, sharey=True)
    for row, (base, context, meaning) in enumerate(QUESTIONS):
        for column, group in enumerate(GROUPS):
            drawn = draw_errors(axes[row, column], results, base, context, group)
            _name_parts(axes[row, column], NAMES_AT[row][group])
        axes[row, 0].set_ylabel("0-1 error")
        axes[row, 0].text(0.98, 0.57, meaning, transform=axes[row, 0].transAxes, ha="right", va="center", fontsize=8)
    for column, group in enumerate(GROUPS):
        axes[0, column].set_title(f"{group}-frequency classes")
        axes[-1, column].set_xlabel("steps of the stream, $N$")
    _legend(figure, drawn)
    return figure


def draw_errors(axis: Axes, results: Mapping[str, Any], base: str, context: str, group: str) -> Mapping[str, Any]:
    """Exact errors of g and h as lines, simulated ones of g, h and f as points, and the predicted change-over."""
    predicted, simulated = results["predicted"], results["simulated"]
    steps, lines = _exact(predicted, base, context, group)
    drawn: dict[str, Any] = {}
    for part, error in lines.items():
        (drawn[part],) = axis.plot(steps, error, color=PART_COLOURS[part], linewidth=1.6, gid=f"predicted-{part}")
    for part, marker in MARKERS.items():
        at = {"base": base, "context": context, "class": group}
        mean = simulated.values(f"error_{part}", **at)
        spread = simulated.values(f"error_{part}_standard_error", **at)
        drawn[f"simulated-{part}"] = axis.errorbar(
            simulated.coordinates["checkpoint"], mean, yerr=2 * spread, fmt=marker, color=PART_COLOURS[part],
            markersize=3.4, elinewidth=0.9, linestyle="none", clip_on=False, zorder=3,
        )  # fmt: skip
    crossing, low, high = (
        float(_of_group(predicted, name, group)) for name in ("crossing_steps", "band_low", "band_high")
    )
    drawn["band"] = axis.axvspan(max(low, float(steps[0])), high, color="0.92", zorder=0, gid="band")
    drawn["crossing"] = axis.axvline(crossing, color=PREDICTED, linewidth=1.0, linestyle="--", gid="crossing")
    axis.set(xscale="log", xlim=(float(steps[0]), float(steps[-1])), ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    return drawn


def _exact(predicted: Any, base: str, context: str, group: str) -> tuple[Any, dict[str, Any]]:
    at = [predicted.coordinates[name].tolist() for name in ("base", "context", "class")]
    base_at, context_at, group_at = at[0].index(base), at[1].index(context), at[2].index(group)
    steps = predicted.coordinates["steps"]
    copying = predicted.quantities["error_in_context"].values[base_at, context_at, group_at]
    table = predicted.quantities["error_in_weight"].values[base_at, group_at]
    return steps, {"in_weight": table, "in_context": np.full(steps.size, copying)}


def _of_group(predicted: Any, name: str, group: str) -> Any:
    return predicted.quantities[name].masked[predicted.coordinates["class"].tolist().index(group)]


def _name_parts(axis: Axes, places: Mapping[str, tuple[float, float]]) -> None:
    for part, place in places.items():
        letter, colour = LETTERS[part][:3], PART_COLOURS[part]
        axis.text(*place, letter, transform=axis.transAxes, color=colour, va="center", fontsize=9)


def _legend(figure: Figure, drawn: Mapping[str, Any]) -> None:
    handles = {
        f"{LETTERS[part]}, predicted (exact)": drawn[part] for part in ("in_weight", "in_context")
    } | {
        f"{LETTERS[part]}, simulated, 2 s.e.": drawn[f"simulated-{part}"] for part in MARKERS
    } | {
        "predicted change-over": drawn["crossing"],
        "95 % of single classes change over here": drawn["band"],
    }  # fmt: skip
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=7.5)


RECIPE = Recipe(
    meaning="Errors of g, h and the gated predictor against the number of examples, in-base and out-of-base",
    results=results,
    draw=draw,
    reading=(
        "Preset `paper`: 5 frequent classes with 90 % of the queries and 5 rare ones, contexts of one example, nine "
        "in ten of them relevant; here with 5 % cyclic label noise. Lines: 0-1 errors of g and h, computed exactly. "
        "Points: simulated learners after N steps of the stream, means over 1000 runs (192 with --quick) with two "
        "standard errors. All rows show the same runs, asked the same 50 (25) questions of a kind after each N: "
        "neighbouring points lie above or below their line together, and so do those of g in rows 1 and 2. f has no "
        "predicted curve: its error depends on the joint law of gate, table and context in single runs, of which the "
        "theory has the mean gate. Drawn instead is where f changes over: dashed, where the mean gate passes 1/2; "
        "grey, where 95 % of single classes do. f begins as h and ends as g: out of base that is when in-context "
        "learning is lost."
    ),
)
