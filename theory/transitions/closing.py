r"""Where the window of in-context learning closes: emergence meets disappearance as a parameter changes.

The window is open while the mean gate :math:`E\alpha(N)` falls below 1/2 at some number of steps :math:`N \ge 1`; it
closes where :math:`\min_N E\alpha(N)` reaches 1/2.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq

from theory.checks import real
from theory.errors import SettingError
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import assemble_task, override_setting, to_dict
from theory.solver import step_gate
from theory.transitions.window import LEVEL, lowest_gate

_WIDE_RANGE = 10.0
_TOLERANCE = 1e-5


def closing_value(
    task: TaskDistribution, model: GatedPredictor, parameter: str, low: float, high: float, *, name: str | None = None
) -> float:
    r"""Value of one parameter of the setting at which the window of in-context learning closes.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting; its own value of the parameter does not matter.
    parameter : str
        Dotted name of a real-valued setting: ``label_noise``, ``model.gate.prior_in_weight``,
        ``model.in_context.learning_rate``.
    low, high : float
        Between which to look, ``low < high``.
    name : str, optional
        Name of the group or class; needed where there is more than one.

    Returns
    -------
    float
        A value at which :math:`\min_{N \ge 1} E\alpha(N) = 1/2`: the window is open on one side of it, and closed
        on the other.

    Raises
    ------
    SettingError
        The parameter is unknown or takes whole numbers or names only, one of the values is not admissible, the name is
        missing or unknown, or the window is open at both ends of the range, or closed at both (the message says which).
    NoTheoryError
        A part of the model has no theory.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=8, relevant_examples=4)
    >>> value = closing_value(task, GatedPredictor(), "model.gate.prior_in_weight", 0.5, 0.99, name="high")
    >>> round(value, 4)
    0.9856
    """
    name = _name(task, name)
    low, high = real("low", low, minimum=-math.inf), real("high", high, minimum=-math.inf)
    if low >= high:
        raise SettingError("high", high, f"more than low = {low:g}")

    def excess(value: float) -> float:
        """How far the mean gate stays above 1/2."""
        setting = to_dict(task, model)
        override_setting(setting, parameter, value)
        gate = step_gate(*assemble_task(setting), name)
        return lowest_gate(gate.at, gate.last) - LEVEL

    at_low, at_high = excess(low), excess(high)
    if (at_low < 0) == (at_high < 0):
        state = "open" if at_low < 0 else "closed"
        raise SettingError(
            parameter,
            (low, high),
            f"a range with the window open at one end and closed at the other (it is {state} at both)",
        )
    if low > 0 and high > _WIDE_RANGE * low:
        # Over a wide range, such as that of a learning rate, steps are in proportion.
        ends = math.log(low), math.log(high)
        return math.exp(brentq(lambda log: excess(min(max(math.exp(log), low), high)), *ends, xtol=_TOLERANCE))
    return float(brentq(excess, low, high, xtol=_TOLERANCE * (high - low)))


def _name(task: TaskDistribution, name: str | None) -> str:
    if name is not None:
        return name
    raise SettingError(
        "name", None, "high or low" if task.grouped else f"the name of a class, such as {task.name_of(0)!r}"
    )
