"""The explorer's window: a panel for each group, a slider for each parameter, and what is predicted in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.explore.knobs import KNOBS, Knob, setting_with, value_in
from figures.explore.phase_words import phase_words
from figures.explore.quick_prediction import QuickPrediction, quick_predictions
from figures.explore.redraw import MovingArtists
from figures.style import PREDICTED, style
from theory.errors import NoTheoryError, SettingError
from theory.setting import AnyTask, GatedPredictor, TaskDistribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text
    from matplotlib.widgets import Slider

STEPS = tuple(np.unique(np.rint(np.geomspace(1, 1e8, 160)).astype(int)).tolist())
"""Steps of the stream at which the mean gate is shown."""
SIZE = (9.6, 6.6)
BEFORE = "0.45"
_FADED = 0.2


@dataclass(frozen=True, eq=False)
class GroupPanel:
    """What moves in the panel of a group: the mean gate, both boundaries, and the words above."""

    name: str
    curve: Line2D
    sharp: Line2D
    instantaneous: Line2D
    words: Text

    @property
    def artists(self) -> tuple[Line2D | Text, ...]:
        """Lines and words."""
        return self.curve, self.sharp, self.instantaneous, self.words

    def show(self, entry: QuickPrediction, num_classes: int) -> None:
        """Move everything to a prediction."""
        self.curve.set_ydata(entry.gate)
        for line, steps in ((self.sharp, entry.sharp_steps), (self.instantaneous, entry.instantaneous_steps)):
            # 0 and infinity are no boundaries: nothing is drawn for them.
            line.set_xdata([steps, steps] if 0 < steps < np.inf else [np.nan, np.nan])
        title = f"{self.name}-frequency classes ({num_classes:,}), $p_x$ = {entry.class_probability:.3g}"
        self.words.set_text(f"{title}\n{phase_words(entry)}")

    def fade(self, faded: bool) -> None:
        """Fade what is no longer the prediction of what the sliders say."""
        for artist in self.artists:
            artist.set_alpha(_FADED if faded else None)


@dataclass(frozen=True, eq=False)
class Explorer:
    """The window.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        All of it.
    task, model : TaskDistribution, GatedPredictor
        What the sliders change.
    sliders : dict of str to matplotlib.widgets.Slider
        By the key of the setting.
    panels : tuple of GroupPanel
        One for each group.
    message : matplotlib.text.Text
        Why the sliders' values are no setting; empty where they are one.
    moving : MovingArtists
        Redraws what follows the sliders, and nothing else.
    """

    figure: Figure
    task: TaskDistribution
    model: GatedPredictor
    sliders: Mapping[str, Slider]
    panels: tuple[GroupPanel, ...]
    message: Text
    moving: MovingArtists

    def values(self) -> dict[str, float]:
        """What the sliders say, in units of the settings."""
        return {knob.key: knob.value(self.sliders[knob.key].val) for knob in KNOBS}

    def follow(self, _: float | None = None) -> None:
        """Show what is predicted for the values of the sliders, or why there is nothing to predict."""
        self._follow()
        self.moving.redraw()

    def _follow(self) -> None:
        values = self.values()
        for knob in KNOBS:
            self.sliders[knob.key].valtext.set_text(knob.text(values[knob.key]))
        try:
            task, model = setting_with(self.task, self.model, values)
            predictions = quick_predictions(task, model, STEPS)
        except (SettingError, NoTheoryError) as error:
            self.message.set_text(f"No such setting: {fill(str(error), 110)}")
            self._fade(True)
            return
        self.message.set_text("")
        self._fade(False)
        for panel, entry in zip(self.panels, predictions, strict=True):
            panel.show(entry, (task.num_high if panel.name == "high" else task.num_low) or 0)

    def _fade(self, faded: bool) -> None:
        for panel in self.panels:
            panel.fade(faded)


def explorer_on(figure: Figure, task: AnyTask, model: GatedPredictor) -> Explorer:
    """Build the explorer on an empty figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        With a canvas; interactive, if its sliders are to be moved by hand.
    task, model : TaskDistribution, GatedPredictor
        Where the sliders start: a two-level task, attention with fixed odds, a gate per query.

    Raises
    ------
    SettingError, NoTheoryError
        The setting is another one.

    Examples
    --------
    >>> import theory
    >>> from matplotlib.figure import Figure
    >>> explorer = explorer_on(Figure(figsize=SIZE), *theory.load("transient"))
    >>> explorer.sliders["label_noise"].set_val(0.1)
    >>> print(explorer.panels[0].words.get_text().splitlines()[-1])
    from about 3,040 steps on
    """
    if not isinstance(task, TaskDistribution) or not task.grouped:
        raise SettingError("task", task, "one with high- and low-frequency classes (frequencies = 'two-level')")
    quick_predictions(task, model, STEPS)
    with style():
        axes, panels = _panels(figure)
        # In axes rather than in the figure, which leaves out what moves when it is saved.
        message = axes.text(0.5, 0.385, "", transform=figure.transFigure, ha="center", va="center", fontweight="bold")
        sliders = {
            knob.key: _slider(figure, place, knob, value_in(knob, task, model)) for place, knob in enumerate(KNOBS)
        }
    lines_and_words = [artist for panel in panels for artist in panel.artists]
    of_sliders = [
        artist for slider in sliders.values() for artist in (*slider.ax.patches, *slider.ax.lines, slider.valtext)
    ]
    explorer = Explorer(
        figure=figure, task=task, model=model, sliders=sliders, panels=panels, message=message,
        moving=MovingArtists(figure, [*lines_and_words, message, *of_sliders]),
    )  # fmt: skip
    for slider in sliders.values():
        slider.on_changed(explorer.follow)
    explorer.follow()
    return explorer


def _panels(figure: Figure) -> tuple[Axes, tuple[GroupPanel, ...]]:
    """The first panel's axes, and what moves in both."""
    figure.set_layout_engine("none")
    grid = figure.add_gridspec(1, 2, left=0.09, right=0.985, top=0.87, bottom=0.53, wspace=0.06)
    left = figure.add_subplot(grid[0, 0])
    right = figure.add_subplot(grid[0, 1], sharey=left)
    right.tick_params(labelleft=False)
    left.set_ylabel("predicted mean gate $\\alpha$\n(0: in context, 1: in weights)")
    panels = _panel(left, "high"), _panel(right, "low")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, bbox_to_anchor=(0.5, 0.42))
    return left, panels


def _panel(axis: Axes, name: str) -> GroupPanel:
    axis.set_xscale("log")
    axis.set_xlim(STEPS[0], STEPS[-1])
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("steps of the stream, $N$")
    axis.axhline(0.5, color="0.75", linewidth=0.8, zorder=0)
    (curve,) = axis.plot(STEPS, np.full(len(STEPS), np.nan), color=PREDICTED, linewidth=2, label="mean gate")
    sharp = axis.axvline(1.0, color=PREDICTED, linewidth=1.2, linestyle="-.", label="boundary: it crosses 1/2")
    instantaneous = axis.axvline(1.0, color=BEFORE, linewidth=1.2, linestyle="--", label="$g$ becomes the better one")
    return GroupPanel(name, curve, sharp, instantaneous, axis.set_title("", loc="left", fontweight="normal"))


def _slider(figure: Figure, place: int, knob: Knob, start: float) -> Slider:
    from matplotlib.widgets import Slider

    column, row = divmod(place, (len(KNOBS) + 1) // 2)
    axis = figure.add_axes((0.215 + 0.49 * column, 0.285 - 0.075 * row, 0.2, 0.04))
    ends: dict[str, Any] = {
        "valmin": knob.position(min(knob.low, start)),
        "valmax": knob.position(max(knob.high, start)),
        "valstep": 1 if knob.whole and knob.scale == "linear" else None,
    }
    slider = Slider(axis, knob.label, valinit=knob.position(start), color=BEFORE, initcolor=PREDICTED, **ends)
    # A move would draw the whole figure; the explorer draws what moves.
    slider.drawon = False
    slider.valtext.set_x(1.06)
    return slider
