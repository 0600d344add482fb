"""Whether the examples of a task have inputs, or are known by their class alone."""

from __future__ import annotations

from typing import Any

from simulate.lanes import Lanes
from theory.errors import SettingError


def input_dimension(task: Any) -> int | None:
    """Length of an input, or ``None`` where an example is known by its class alone.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> input_dimension(TaskDistribution(num_high=1, num_low=1, p_high=0.5)) is None
    True
    """
    dimension = getattr(getattr(task, "inputs", None), "dimension", None)
    return None if dimension is None else int(dimension)


def common_input_dimension(lanes: Lanes) -> int | None:
    """Length of an input in all settings that run side by side.

    Raises
    ------
    SettingError
        The settings differ in it.
    """
    dimensions = [input_dimension(task) for task in lanes.tasks]
    for dimension in dimensions:
        if dimension != dimensions[0]:
            allowed = f"{dimensions[0]!r}, as in the first of the settings that run side by side"
            raise SettingError("inputs.dimension", "none" if dimension is None else dimension, allowed)
    return dimensions[0]
