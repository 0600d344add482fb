"""What is predicted for a group, in a few words."""

from __future__ import annotations

import math

from figures.explore.quick_prediction import QuickPrediction
from theory.command import number

_LAST = 1e15


def phase_words(entry: QuickPrediction) -> str:
    """The phase of a group and its boundary, as two lines.

    Examples
    --------
    >>> from theory.setting import GatedPredictor, TaskDistribution
    >>> from figures.explore.quick_prediction import quick_predictions
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8, relevant_examples=4)
    >>> high, low = quick_predictions(task, GatedPredictor(), (1, 1000))
    >>> print(phase_words(high))
    transient: in context at first, in weights
    from about 26,100 steps on
    """
    if entry.phase == "persistent":
        return "persistent: in context at last,\nhowever long the stream"
    if entry.phase == "in-weight" or entry.sharp_steps == 0:
        return "in-weight: answered from weights\nfrom the first visit on"
    if not math.isfinite(entry.sharp_steps) or entry.sharp_steps > _LAST:
        return f"transient: in context for more\nthan {_LAST:.0e} steps"
    return f"transient: in context at first, in weights\nfrom about {rounded(entry.sharp_steps)} steps on"


def rounded(steps: float) -> str:
    """Three digits of a number of steps: more are not sure here."""
    return number(float(f"{steps:.3g}"))
