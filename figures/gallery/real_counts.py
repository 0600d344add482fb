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
LAST = 30_000_000
"""Tokens up to which the share is predicted: by then nearly all words are answered from weights."""


def results(workbench: Workbench, quick: bool) -> Results:
    """Predictions for a few words and for all tokens together, and runs."""
    tokens, replicates = (1_000_000, 32) if quick else (3_000_000, 64)
    steps = sorted({round(value) for value in np.geomspace(FIRST, LAST, 80).tolist()})
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
    figure, axes = canvas(TWO_COLUMNS, 3.4, 1, 2, gridspec_kw={"width_ratios": [1.45, 1], "wspace": 0.06})
    draw_words(axes[0, 0], results)
    drawn = draw_share(axes[0, 1], results)
    _legend(figure, drawn)
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
    drawn["kink"] = _name_kink(axis, predicted)
    axis.set(xscale="log", xlim=(FIRST, float(predicted.coordinates["steps"][-1])), ylim=(0, 100))
    axis.set_xlabel("tokens of the text, $N$")
    axis.set_ylabel("mean of 1 $-$ gate over tokens, %")
    axis.set_title("(b) share answered in context")
    return drawn


def _name_kink(axis: Axes, predicted: Any) -> Any:
    """Say where the most frequent word changes over: its tokens alone are a visible share of all."""
    most = int(predicted.quantities["class_probability"].values.argmax())
    at = float(predicted.quantities["predicted_steps"].values[most])
    shares = 100 * predicted.quantities["context_share"].values
    height = float(np.interp(np.log(at), np.log(predicted.coordinates["steps"]), shares))
    word = str(predicted.coordinates["word"][most])
    return axis.annotate(
        f"\u201c{word}\u201d\nchanges over", (at, height), (-8, -38), textcoords="offset points", ha="center", va="top",
        fontsize=8, arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.5", "shrinkA": 0, "shrinkB": 3},
    )  # fmt: skip


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


def _legend(figure: Figure, drawn: Mapping[str, Any]) -> None:
    handles = {
        "predicted, nothing fitted": drawn["predicted"],
        "simulated: (a) 95 % interval, (b) two standard errors": drawn["simulated"],
    }
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=8)


RECIPE = Recipe(
    meaning="Which words of a real text are answered in context after how many tokens",
    results=results,
    draw=draw,
    reading=(
        "Frequencies of the 3,092 different words of at least two letters in a real text of 60,221 words, Python's "
        "own documentation (`pydoc_data.topics`, counted by `examples/count_words.py`); preset `words`. The simulated "
        "tokens are drawn independently with these frequencies. (a) The line is predicted: where the mean gate of a "
        "word of this frequency last rises through 1/2; left of it the word is answered in context, right of it from "
        "weights. Points: simulated boundaries of single words (of those that have one by the last simulated token), "
        "with 95 % percentile bootstrap intervals over 64 runs (32 with --quick). Most are smaller than the points; "
        "at a word's boundary most runs' gates are near 0 or 1, so that resampled boundaries move as a median does: "
        "intervals may be skewed. (b) Share of all tokens that is answered in context: the mean of 1 - gate over "
        "tokens, where every word's gate starts at 1/2. Predicted line; points: simulated, with two standard errors."
    ),
)
