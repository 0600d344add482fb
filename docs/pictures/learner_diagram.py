"""The one diagram of the pages: a prompt, the two predictors, the gate, and what each learns from the label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from figures.style import PART_COLOURS, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IN_WEIGHT, IN_CONTEXT, GATED = (PART_COLOURS[part] for part in ("in_weight", "in_context", "gated"))
# Amber is too light for letters on white.
COPIED = "#8f5a00"
PAPER, GREY = "#ffffff", "#555555"
CONTEXT = [("fox", "1"), ("owl", "2"), ("fox", "1"), ("hen", "3")]
QUERY = "fox"


def draw_learner_diagram() -> Figure:
    """A prompt on the left, g above and h below, the gate between them, the prediction and its label on the right."""
    with style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.4, 4.1), facecolor=PAPER, layout="none")
        FigureCanvasAgg(figure)
        axis = figure.add_axes((0, 0, 1, 1))
        axis.set_xlim(0, 84)
        axis.set_ylim(0, 41)
        axis.set_axis_off()
        _draw_prompt(axis)
        _draw_predictors(axis)
        _draw_answer(axis)
        _draw_learning(axis)
        return figure


def _box(axis: Axes, place: tuple[float, float, float, float], colour: str, **options: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y, width, height = place
    shape = {"boxstyle": "round,pad=0,rounding_size=0.8", "facecolor": PAPER, "linewidth": 1.6, **options}
    axis.add_patch(FancyBboxPatch((x, y), width, height, edgecolor=colour, **shape))


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, **options: Any) -> None:
    style_of_arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0, **options}
    axis.annotate("", xy=end, xytext=start, arrowprops=style_of_arrow)


def _draw_prompt(axis: Axes) -> None:
    _box(axis, (1.5, 5.5, 18, 31), GREY, linewidth=1.0)
    axis.text(10.5, 38, "a prompt", ha="center", weight="bold")
    for number, (name, label) in enumerate(CONTEXT):
        relevant = name == QUERY
        y = 31.5 - 4.2 * number
        axis.text(4, y, f"{name} → {label}", color=COPIED if relevant else GREY, va="center", size=10)
        axis.text(18.3, y, "relevant" if relevant else "irrelevant", color=GREY, va="center", ha="right", size=7.5)
    axis.plot([3, 18], [15.6, 15.6], color=GREY, linewidth=0.8)
    axis.text(4, 11.8, f"{QUERY} → ?", va="center", size=11, weight="bold")
    axis.text(18.3, 11.8, "query", color=GREY, va="center", ha="right", size=7.5)
    axis.text(10.5, 7.2, "$L = 4$,  $m = 2$,  $k = 2$", ha="center", va="center", size=8, color=GREY)


def _draw_predictors(axis: Axes) -> None:
    _box(axis, (28, 27.5, 23, 9), IN_WEIGHT)
    axis.text(39.5, 33.8, "in-weight predictor $g$", color=IN_WEIGHT, ha="center", va="center", weight="bold")
    axis.text(39.5, 30, "a table: labels seen at\nearlier visits of the query", ha="center", va="center", size=8)
    _box(axis, (28, 5.5, 23, 9), IN_CONTEXT)
    axis.text(39.5, 11.8, "in-context predictor $h$", color=COPIED, ha="center", va="center", weight="bold")
    axis.text(39.5, 8, "attention: copies the labels\nof the context's examples", ha="center", va="center", size=8)
    _arrow(axis, (19.6, 13), (27.8, 32), IN_WEIGHT)
    axis.text(25.6, 23.5, "query only", color=IN_WEIGHT, size=7.5, ha="left", va="center")
    _arrow(axis, (19.6, 10), (27.8, 10), IN_CONTEXT)
    axis.text(23.8, 8.3, "query and\ncontext", color=COPIED, size=7.5, ha="center", va="top")


def _draw_answer(axis: Axes) -> None:
    _box(axis, (53, 17.2, 15.5, 7.6), GATED)
    axis.text(60.75, 22.5, "gate $\\alpha$", ha="center", va="center", weight="bold")
    axis.text(60.75, 19.3, "$f = \\alpha g + (1-\\alpha)h$", ha="center", va="center", size=9)
    _arrow(axis, (51.2, 32), (58.8, 25), IN_WEIGHT)
    axis.text(56.8, 30.2, "weight $\\alpha$", color=IN_WEIGHT, size=8)
    _arrow(axis, (51.2, 10), (58.8, 17), IN_CONTEXT)
    axis.text(56.8, 11.2, "weight $1-\\alpha$", color=COPIED, size=8)
    _arrow(axis, (68.7, 21), (73.6, 21), GATED)
    _box(axis, (73.8, 17.2, 9, 7.6), GATED)
    axis.text(78.3, 22.4, "label $y$", ha="center", va="center", weight="bold", size=8.5)
    axis.text(78.3, 19.3, "$-\\log f(y)$", ha="center", va="center", size=8.5)


def _draw_learning(axis: Axes) -> None:
    dashed = {"linestyle": (0, (3, 2)), "linewidth": 1.2}
    axis.plot([78.3, 78.3], [25, 39], color=GREY, **dashed)
    axis.plot([39.5, 78.3], [39, 39], color=GREY, **dashed)
    _arrow(axis, (39.5, 39), (39.5, 36.7), GREY, **dashed)
    axis.text(64, 37.2, "learn: the table counts $y$", color=GREY, size=8, ha="center", va="center")
    axis.plot([78.3, 78.3], [17, 3.6], color=GREY, **dashed)
    axis.plot([64.5, 78.3], [3.6, 3.6], color=GREY, **dashed)
    _arrow(axis, (64.5, 3.6), (64.5, 17), GREY, **dashed)
    axis.text(
        83,
        1.6,
        "learn: log-odds of $\\alpha$  +=  $\\log g(y) - \\log h(y)$",
        color=GREY,
        size=8,
        ha="right",
        va="center",
    )
