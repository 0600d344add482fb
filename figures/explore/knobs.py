"""The parameters that the explorer has sliders for: their ranges, their scales, and where they are in a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit

from theory.setting import GatedPredictor, TaskDistribution

Scale = Literal["linear", "log", "logit"]
NATURAL = 0
"""Position of the slider of relevant examples that stands for the natural law."""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A parameter with a slider.

    Parameters
    ----------
    key : str
        Setting, dotted as in a settings file, without ``task.``.
    label : str
        What a reader calls it.
    low, high : float
        Ends of the slider, in units of the setting.
    scale : {"linear", "log", "logit"}
        What the slider's position is proportional to: the setting, its logarithm, or its log-odds.
    whole : bool
        Whether the setting is a whole number.

    Examples
    --------
    >>> knob = Knob(key="num_low", label="low-frequency classes", low=1, high=1000, scale="log", whole=True)
    >>> knob.value(knob.position(95)), knob.text(95)
    (95, '95')
    """

    key: str
    label: str
    low: float
    high: float
    scale: Scale = "linear"
    whole: bool = False

    def position(self, value: float) -> float:
        """Where on the slider a value is."""
        if self.scale == "log":
            return float(np.log(value))
        return float(logit(value)) if self.scale == "logit" else float(value)

    def value(self, position: float) -> float:
        """The value at a position of the slider."""
        found = float({"linear": float, "log": np.exp, "logit": expit}[self.scale](position))
        return round(found) if self.whole else found

    def text(self, value: float) -> str:
        """A value, as it stands beside the slider."""
        if self.key == "relevant_examples" and value == NATURAL:
            return "natural"
        return f"{value:,}" if self.whole else f"{value:.3g}"


KNOBS = (
    Knob(key="p_high", label="$p_{high}$ of the queries", low=0.01, high=0.99, scale="logit"),
    Knob(key="num_low", label="low-frequency classes", low=1, high=5000, scale="log", whole=True),
    Knob(key="context_length", label="context length $L$", low=1, high=16, whole=True),
    Knob(key="relevant_examples", label="relevant examples $m$", low=NATURAL, high=16, whole=True),
    Knob(key="label_noise", label="label noise", low=0.0, high=0.4),
    Knob(key="p_relevant", label="relevant contexts", low=0.0, high=1.0),
    Knob(key="model.in_context.odds", label="attention odds $\\rho$", low=1.0, high=10_000.0, scale="log"),
    Knob(key="model.gate.prior_in_weight", label="gate's prior $\\alpha_0$", low=0.001, high=0.999, scale="logit"),
)


def value_in(knob: Knob, task: TaskDistribution, model: GatedPredictor) -> float:
    """What a setting has for a knob.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=3, p_high=0.7)
    >>> [value_in(knob, task, GatedPredictor()) for knob in KNOBS[:4]]
    [0.7, 3, 1, 0]
    """
    owner, _, name = knob.key.rpartition(".")
    part = getattr(model, owner.removeprefix("model.")) if owner else task
    found = getattr(part, name)
    return NATURAL if found is None else found


def setting_with(
    task: TaskDistribution, model: GatedPredictor, values: Mapping[str, float]
) -> tuple[TaskDistribution, GatedPredictor]:
    """A setting with other values for some knobs.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The rest of the setting.
    values : mapping of str to float
        Values by the knobs' keys.

    Raises
    ------
    SettingError
        The values are impossible together.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=3, p_high=0.7, context_length=4)
    >>> setting_with(task, GatedPredictor(), {"relevant_examples": 2, "model.in_context.odds": 50.0})[1].in_context.odds
    50.0
    """
    own: dict[str, Any] = {key: value for key, value in values.items() if "." not in key}
    if own.get("relevant_examples") == NATURAL:
        own["relevant_examples"] = None
    for key, value in values.items():
        if "." in key:
            _, role, name = key.split(".")
            model = replace(model, **{role: replace(getattr(model, role), **{name: value})})
    return replace(task, **own), model
