"""The overlay: simulated mean gate as a field, predicted boundaries as lines, simulated boundaries as points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.boundary_panel import COLUMNS, LINES, MEANINGS, Curve, Panel, Point, draw_panel, draw_points
from figures.style import PREDICTED, SIMULATED, style
from simulate.agreements import check_same_setting
from simulate.comparison import Comparison
from simulate.run_result import GroupResult, Run
from theory.errors import SettingError
from theory.prediction import ClassPrediction, Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

CURVE_POINTS = 120
MOST_PANELS = 3
MOST_POINTS = 24
PARAMETER_LABELS = {
    "label_noise": "label noise",
    "context_label_noise": "label noise in the context",
    "p_high": "$p_{high}$, share of the high-frequency classes",
    "p_relevant": "$p_{relevant}$, share of relevant contexts",
    "context_length": "context length $L$",
    "relevant_examples": "relevant examples $m$",
    "num_low": "number of low-frequency classes",
    "num_high": "number of high-frequency classes",
    "num_classes": "number of classes",
    "num_labels": "number of labels $C$",
    "zipf_exponent": "Zipf exponent",
    "model.in_context.odds": r"attention odds $\rho$",
    "model.in_context.floor": r"floor $\varepsilon$",
    "model.in_weight.pseudo_count": "pseudo-count $b$",
    "model.gate.rate": r"learning rate of the gate, $\lambda$",
    "model.gate.prior_in_weight": r"prior of the gate, $\alpha_0$",
}


def overlay(prediction: Prediction | Comparison, run: Run | None = None) -> Figure:
    """Draw an overlay; nothing is simulated or predicted here.

    Parameters
    ----------
    prediction : Prediction or Comparison
        One prediction: the mean gate of each group against steps, or for a task without groups the boundaries against
        the class probability. Or predictions and runs along a parameter: the boundaries against it.
    run : Run, optional
        The run of the same setting, with a single prediction.

    Returns
    -------
    matplotlib.figure.Figure
        Steps (logarithmic) across; a panel for each group, or for up to three classes of a task without groups.

    Raises
    ------
    SettingError
        A prediction without its run, or with the run of another setting.

    Examples
    --------
    >>> import theory, simulate
    >>> task = theory.TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> figure = overlay(theory.predict(task), simulate.run(task, steps=2000, replicates=4))
    >>> figure.axes[0].get_xlabel()
    'steps of the stream, $N$'
    """
    if isinstance(prediction, Prediction):
        if run is None:
            raise SettingError("run", run, "the run of the prediction's setting")
        check_same_setting(prediction, run)
        comparison = Comparison(parameter=None, values=(), predictions=(prediction,), runs=(run,))
    else:
        comparison = prediction
    if comparison.parameter is None and comparison.runs[0].task.grouped:
        return draw_group_curves(comparison.predictions[0], comparison.runs[0])
    return draw(panels(comparison), _vertical_label(comparison))


def panels(comparison: Comparison) -> list[Panel]:
    """What is drawn, as numbers."""
    if comparison.parameter is None:
        return [_frequency_panel(comparison.predictions[0], comparison.runs[0])]
    # Where the number of classes itself varies, those are shown that every setting has.
    number = min(len(prediction.entries) for prediction in comparison.predictions)
    if number <= MOST_PANELS:
        return [_parameter_panel(comparison, index) for index in range(number)]
    entries = comparison.predictions[0].entries[:number]
    by_frequency = sorted(range(number), key=lambda i: -entries[i].class_probability)
    return [_parameter_panel(comparison, by_frequency[rank]) for rank in _spread(number, MOST_PANELS)]


def _spread(number: int, wanted: int) -> list[int]:
    """Indices from first to last, evenly spaced in the logarithm of the rank."""
    return sorted({round(float(rank)) - 1 for rank in np.geomspace(1, number, wanted)})


def _frequency_panel(prediction: Prediction, run: Run) -> Panel:
    entries = [entry for entry in prediction.entries if entry.class_probability > 0]
    order = np.argsort([entry.class_probability for entry in entries], kind="stable")
    entries = [entries[i] for i in order]
    rows = sorted(run.strata, key=lambda stratum: stratum.class_probability)
    by_name = {result.name: result for result in run.entries}
    crossed = [entry for entry in reversed(entries) if by_name[entry.name].boundary.steps is not None]
    chosen = crossed if len(crossed) <= MOST_POINTS else [crossed[i] for i in _spread(len(crossed), MOST_POINTS)]
    shown = f", {len(chosen)} of {len(crossed)} simulated boundaries shown" if len(chosen) < len(crossed) else ""
    labels = "" if run.task.num_labels is None else f" with {run.task.num_labels:,} labels"
    return Panel(
        title=f"{run.task.total_classes:,} classes{labels}{shown}",
        rows=np.array([row.class_probability for row in rows]),
        curves=_curves(rows),
        positions=np.array([entry.class_probability for entry in entries]),
        predicted=_boundaries(entries),
        points=_points((entry.class_probability, by_name[entry.name]) for entry in chosen),
    )


def _parameter_panel(comparison: Comparison, index: int) -> Panel:
    results = [run.entries[index] for run in comparison.runs]
    values = np.asarray(comparison.values, dtype=np.float64)
    # Lines are predicted at more values than are simulated: a boundary is not straight between them.
    pairs = [*zip(comparison.values, comparison.predictions, strict=True), *comparison.between]
    pairs.sort(key=lambda pair: pair[0])
    entries = [prediction.entries[index] for _, prediction in pairs]
    kind = f"{entries[0].name}-frequency classes" if comparison.runs[0].task.grouped else f"class {entries[0].name}"
    probabilities = sorted({f"{entry.class_probability:.3g}" for entry in entries}, key=float)
    spread = probabilities[0] if len(probabilities) == 1 else f"{probabilities[0]} to {probabilities[-1]}"
    return Panel(
        title=f"{kind}\n$p_x$ = {spread}",
        rows=values,
        curves=_curves(results),
        positions=np.array([value for value, _ in pairs], dtype=np.float64),
        predicted=_boundaries(entries),
        points=_points(zip(values.tolist(), results, strict=True)),
    )


def _boundaries(entries: Sequence[ClassPrediction]) -> dict[str, Array]:
    """Predicted boundaries in steps; those known in visits only come at ``visits / p_x`` on average."""

    def steps(entry: ClassPrediction, kind: str) -> float:
        if kind == "sharp":
            return np.inf if entry.vanish_steps is None else entry.vanish_steps
        visits = getattr(entry.vanish_visits, kind)
        return np.inf if visits is None else visits / entry.class_probability

    return {kind: np.array([steps(entry, kind) for entry in entries]) for kind in LINES}


def _curves(results: Sequence[GroupResult]) -> list[Curve]:
    return [Curve(steps=result.curve.steps, mean=result.curve.mean) for result in results]


def _points(results: Iterable[tuple[float, GroupResult]]) -> list[Point]:
    """The boundaries that there are."""
    return [
        Point(position=position, steps=result.boundary.steps, interval=result.boundary.interval)
        for position, result in results
        if result.boundary.steps is not None
    ]


def draw(shown: Sequence[Panel], vertical_label: str) -> Figure:
    """Draw panels side by side with one colour bar and one legend."""
    with style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(max(5.8, 3.4 * len(shown) + 0.6), 4.1))
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        meshes = [draw_panel(axis, panel).mesh for axis, panel in zip(axes, shown, strict=True)]
        axes[0].set_ylabel(vertical_label)
        bar = figure.colorbar(meshes[0], ax=list(axes), pad=0.01, aspect=28)
        bar.set_label(r"simulated mean gate $\alpha$" + "\n(0: in context, 1: in weights)")
        bar.ax.axhline(0.5, color=SIMULATED, linewidth=1.5)
        _legend(figure, list(axes), columns=2)
        return figure


def _legend(figure: Figure, axes: Sequence[Axes], columns: int) -> None:
    """One legend for all panels, of what is really drawn in some of them."""
    found: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        found |= {label: handle for handle, label in zip(handles, labels, strict=True) if label not in found}
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=columns)


def draw_group_curves(prediction: Prediction, run: Run) -> Figure:
    """A panel for each group: predicted and simulated mean gate against steps, and both boundaries."""
    with style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3.7 * len(prediction.entries), 3.6))
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(prediction.entries), sharey=True, squeeze=False)[0]
        for axis, entry, result in zip(axes, prediction.entries, run.entries, strict=True):
            draw_curve_panel(axis, entry, result)
        axes[0].set_ylabel("mean gate $\\alpha$\n(0: in context, 1: in weights)")
        _legend(figure, list(axes), columns=2)
        return figure


def draw_curve_panel(axis: Axes, entry: ClassPrediction, result: GroupResult) -> None:
    """Mean gate of one group against steps, on an axis."""
    curve = result.curve
    places = np.unique(np.rint(np.geomspace(1, curve.steps.size, COLUMNS)).astype(int) - 1)
    steps, mean, error = curve.steps[places], curve.mean[places], curve.standard_error
    if error is not None:
        low, high = mean - 2 * error[places], mean + 2 * error[places]
        axis.fill_between(steps, low, high, color=SIMULATED, alpha=0.25, linewidth=0, label="2 standard errors")
    axis.plot(steps, mean, color=SIMULATED, linewidth=2.4, label="simulated mean gate", gid="simulated")
    few = np.append(steps[: -1 : max(1, steps.size // CURVE_POINTS)], steps[-1])
    axis.plot(few, entry.mean_gate(few), color=PREDICTED, linewidth=1.2, label="predicted mean gate", gid="predicted")
    axis.axhline(0.5, color="0.6", linewidth=0.8, zorder=0)
    for kind, boundary in _boundaries([entry]).items():
        if kind != "sharp" and np.isfinite(boundary[0]):
            axis.axvline(boundary[0], color="0.35", linestyle=LINES[kind], linewidth=1.0, label=MEANINGS[kind])
    draw_points(axis, _points([(0.5, result)]))
    axis.set_xscale("log")
    axis.set_xlim(1, float(curve.steps[-1]))
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("steps of the stream, $N$")
    axis.set_title(f"{entry.name}-frequency classes ({entry.num_classes})\n$p_x$ = {entry.class_probability:.3g}")


def _vertical_label(comparison: Comparison) -> str:
    if comparison.parameter is None:
        return "probability $p_x$ of a class"
    return PARAMETER_LABELS.get(comparison.parameter, comparison.parameter)
