"""Pictures of a report, inside the page, with words for those who cannot see them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figures.overlay_figure import overlay
from figures.report.simulated_figure import simulated_figure
from figures.report.tables import data_link
from simulate.run_result import Run
from theory.command import number
from theory.prediction import Prediction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 160


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture.

    Parameters
    ----------
    link : str
        The PNG file, as a ``data:`` address.
    width, height : int
        In pixels.
    words : str
        What is to be seen, for those who cannot.
    caption : str
        What stands below.
    """

    link: str
    width: int
    height: int
    words: str
    caption: str


def overlay_picture(prediction: Prediction, run: Run) -> Picture:
    """Predicted and simulated mean gates or boundaries over each other."""
    if run.task.grouped:
        caption = (
            "Mean gate α against the steps of the stream (0: answers in context, 1: in weights): simulated, with a "
            "band of two standard errors where there are several replicates, and predicted. The boundary is the last "
            "rise through 1/2."
        )
    else:
        caption = (
            "Predicted and simulated boundaries of the classes, from frequent (top) to rare, over the simulated mean "
            "gate (light: in context, dark: in weights)."
        )
    found = [
        f"{entry.name}: predicted {_steps(entry.vanish_steps)}, simulated {_steps(result.boundary.steps)}"
        for entry, result in zip(prediction.entries[:3], run.entries[:3], strict=True)
    ]
    more = "" if len(run.entries) <= len(found) else f" These are the first of {len(run.entries):,} classes."
    words = f"Predicted and simulated mean gates over each other. Boundaries: {'; '.join(found)}.{more}"
    return picture(overlay(prediction, run), words, caption)


def _steps(steps: float | None) -> str:
    return "none" if steps is None else f"{number(steps)} steps"


def simulated_picture(run: Run) -> Picture:
    """Simulated mean gates alone, where there is nothing to lay over them."""
    figure, ends = simulated_figure(run)
    caption = (
        "Simulated mean gate α against the steps of the stream (0: answers in context, 1: in weights), with a band of "
        "two standard errors where there are several replicates."
    )
    found = "; ".join(f"{name}: {gate:.2f}" for name, gate in ends)
    words = f"Simulated mean gates. After {run.steps:,} steps they are {found}."
    return picture(figure, words, caption)


def picture(figure: Figure, words: str, caption: str) -> Picture:
    """A figure as a picture; the same figure gives the same bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    width, height = (round(float(inches) * DOTS_PER_INCH) for inches in figure.get_size_inches())
    link = data_link("image/png", content.getvalue())
    return Picture(link=link, width=width, height=height, words=words, caption=caption)
