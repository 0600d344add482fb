"""Which words of a real text are answered in context after how many tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.word_tables import counts_digest, predicted_words, simulated_shares, simulated_words, word_setting
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = ("the", "is", "object", "function", "python", "yield", "lambda", "semicolon")
"""Words that are labelled; the line is predicted at these and at those of ``ALONG``."""
ALONG = ("and", "value", "loop", "padding")
FIRST, SHOWN = 100, 40


def results(workbench: Workbench, quick: bool) -> Results:
    """Predictions for a few words and for all tokens together, and runs."""
    tokens, replicates = (300_000, 8) if quick else (2_000_000, 32)
    steps = sorted({round(value) for value in np.geomspace(FIRST, tokens, 60).tolist()})
    asked = {"counts": counts_digest(), "words": [*NAMED, *ALONG], "steps": steps}
    grid = Grid(setting=word_setting(), axes=(), steps=tokens, replicates=replicates, options={"curve_points": 60})
    simulated = workbench.sweep(f"real-counts-{'quick' if quick else 'full'}", grid)
    return {
        "predicted": workbench.table("predicted-words", asked, predicted_words),
        "words": simulated_words(simulated),
        "shares": simulated_shares(simulated),
    }


def draw(results: Results) -> Figure:
    """Words against tokens, and the share of all tokens."""
    figure, axes = canvas(TWO_COLUMNS, 3.4, 1, 2, gridspec_kw={"width_ratios": [1.5, 1]})
    draw_words(axes[0, 0], results)
    draw_share(axes[0, 1], results)
    _legend(figure)
    return figure


def draw_words(axis: Axes, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """The predicted boundary as a line, words where they change over in the simulation."""
    from matplotlib.ticker import FormatStrFormatter

    predicted, words, last = results["predicted"].quantities, results["words"], _last(results)
    order = np.argsort(-predicted["class_probability"].values)
    frequency, boundary = (predicted[name].values[order] for name in ("class_probability", "predicted_steps"))
    drawn: dict[str, Any] = {}
    (drawn["predicted"],) = axis.plot(boundary, 100 * frequency, color=PREDICTED, linewidth=1.6, gid="predicted")
    shown = _shown(words)
    lowest = 100 * float(words.quantities["class_probability"].values[shown].min())
    found = {name: values.masked[shown] for name, values in words.quantities.items()}
    reach = np.abs(np.ma.stack([found["simulated_low"], found["simulated_high"]]) - found["simulated_steps"])
    drawn["simulated"] = axis.errorbar(
        found["simulated_steps"], 100 * found["class_probability"], xerr=reach.filled(0), fmt="o", color=SIMULATED,
        markersize=3.4, markeredgecolor=HALO, markeredgewidth=0.5, elinewidth=0.9, linestyle="none", zorder=3,
    )  # fmt: skip
    drawn["names"] = [_name(axis, word, *at) for word, at in _named(results["predicted"], last)]
    axis.set(xscale="log", yscale="log", xlim=(boundary[0] / 6, last), ylim=(lowest / 3, 300 * frequency[0]))
    axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.text(0.2, 0.2, "answered\nin context", transform=axis.transAxes, ha="center", color="0.35")
    axis.text(0.86, 0.82, "answered\nfrom weights", transform=axis.transAxes, ha="center", color="0.35")
    axis.set_xlabel("tokens of the text, $N$")
    axis.set_ylabel("frequency of the word, % of tokens")
    axis.set_title("(a) where each word changes over")
    return drawn


def draw_share(axis: Axes, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Share of tokens that is answered in context: predicted line, simulated points with two standard errors."""
    predicted, shares = results["predicted"], results["shares"]
    drawn: dict[str, Any] = {}
    (drawn["predicted"],) = axis.plot(
        predicted.coordinates["steps"], 100 * predicted.quantities["context_share"].values,
        color=PREDICTED, linewidth=1.6, gid="predicted",
    )  # fmt: skip
    steps = shares.coordinates["steps"]
    few = np.flatnonzero(steps >= FIRST)[::3]
    share, error = (
        100 * shares.quantities[name].values[few] for name in ("context_share", "context_share_standard_error")
    )
    drawn["simulated"] = axis.errorbar(
        steps[few], share, yerr=2 * error, fmt="o", color=SIMULATED, markersize=3.4, markeredgecolor=HALO,
        markeredgewidth=0.5, elinewidth=0.9, linestyle="none", zorder=3,
    )  # fmt: skip
    axis.set(xscale="log", xlim=(FIRST, _last(results)), ylim=(0, 100))
    axis.set_xlabel("tokens of the text, $N$")
    axis.set_ylabel("tokens answered in context, %")
    axis.set_title("(b) all words together")
    return drawn


def _last(results: Mapping[str, Any]) -> float:
    return float(results["shares"].coordinates["steps"][-1])


def _shown(words: Any) -> list[int]:
    """The named words, and some more that are evenly spread over the logarithm of the frequency."""
    names = words.coordinates["word"].tolist()
    logs = np.log(words.quantities["class_probability"].values)
    spread = [int(np.abs(logs - wish).argmin()) for wish in np.linspace(logs[0], logs[-1], SHOWN)]
    known = ~np.ma.getmaskarray(words.quantities["simulated_high"].masked)
    return [place for place in sorted({*spread, *map(names.index, NAMED)}) if known[place]]


def _named(predicted: Any, last: float) -> list[tuple[str, tuple[float, float]]]:
    """Words with a label and where it goes: those whose boundary is in the picture."""
    boundary, frequency = (predicted.quantities[name].values for name in ("predicted_steps", "class_probability"))
    places = zip(predicted.coordinates["word"].tolist(), boundary.tolist(), (100 * frequency).tolist(), strict=True)
    return [(word, (steps, percent)) for word, steps, percent in places if word in NAMED and steps < last]


def _name(axis: Axes, word: str, steps: float, percent: float) -> Any:
    return axis.annotate(
        word, (steps, percent), (-14, -3), textcoords="offset points", ha="right", va="top", fontsize=8,
        arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.5", "shrinkA": 0, "shrinkB": 3},
    )  # fmt: skip


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = {
        "predicted, nothing fitted": Line2D([], [], color=PREDICTED, linewidth=1.6),
        "simulated: (a) 95 % interval, (b) two standard errors": Line2D(
            [], [], color=SIMULATED, marker="o", markersize=3.4, linestyle="none"
        ),
    }
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=8)


RECIPE = Recipe(
    meaning="Which words of a real text are answered in context after how many tokens",
    results=results,
    draw=draw,
    reading=(
        "3,092 words with the counts of Python's own documentation (`examples/count_words.py`), preset `words`. (a) "
        "The line is predicted: where the mean gate of a word of this frequency last rises through 1/2; left of it the "
        "word is answered in context, right of it from weights. Points: simulated boundaries of single words, with "
        "95 % bootstrap intervals over replicates. (b) Share of all tokens that is answered in context, one minus the "
        "mean gate weighted by frequency: predicted line, simulated points with two standard errors."
    ),
)
