"""Simulated mean gates against steps, where no prediction can be laid over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.style import style
from simulate.run_result import GroupResult, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CURVES = 4
_LOOKS = (("#08306b", "-"), ("#d1495b", "--"), ("#2a7f62", "-."), ("#8a8a8a", ":"))
_POINTS = 400


def simulated_figure(run: Run) -> tuple[Figure, list[tuple[str, float]]]:
    """Draw the mean gates of groups, or of a few strata of similar classes.

    Parameters
    ----------
    run : Run
        What was simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
    ends : list of (str, float)
        What is drawn, and its mean gate after the last step.
    """
    chosen = shown_strata(run)
    with style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 3.7))
        FigureCanvasAgg(figure)
        axis = figure.subplots()
        for stratum, (colour, line) in zip(chosen, _LOOKS, strict=False):
            curve = stratum.curve
            places = np.unique(np.rint(np.geomspace(1, curve.steps.size, _POINTS)).astype(int) - 1)
            steps, mean = curve.steps[places], curve.mean[places]
            axis.plot(steps, mean, color=colour, linestyle=line, linewidth=2, label=curve_name(stratum, run))
            if curve.standard_error is not None:
                reach = 2 * curve.standard_error[places]
                axis.fill_between(steps, mean - reach, mean + reach, color=colour, alpha=0.2, linewidth=0)
        axis.axhline(0.5, color="0.6", linewidth=0.8, zorder=0)
        axis.set(xscale="log", xlim=(1, max(run.steps, 2)), ylim=(-0.02, 1.02), xlabel="steps of the stream, $N$")
        axis.set_ylabel("simulated mean gate $\\alpha$\n(0: in context, 1: in weights)")
        figure.legend(loc="outside lower center", ncols=2)
    return figure, [(curve_name(stratum, run), float(stratum.curve.mean[-1])) for stratum in chosen]


def shown_strata(run: Run) -> list[GroupResult]:
    """At most four of the strata, from frequent to rare."""
    places = np.unique(np.rint(np.linspace(0, len(run.strata) - 1, MOST_CURVES)).astype(int))
    return [run.strata[i] for i in places.tolist()]


def curve_name(stratum: GroupResult, run: Run) -> str:
    """How the legend calls a stratum."""
    if run.task.grouped:
        return f"{stratum.name}-frequency classes ({stratum.num_classes:,})"
    number = "1 class" if stratum.num_classes == 1 else f"{stratum.num_classes:,} classes"
    return f"{number} of about $p_x$ = {stratum.class_probability:.2g}"
