r"""The floor that every in-context predictor has: :math:`(1 - C\varepsilon)\,h + \varepsilon`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.lanes import Lanes
from theory.errors import SettingError
from theory.in_context import check_attention, check_floor
from theory.setting import TaskDistribution

Array = NDArray[np.float64]


def checked_floors(lanes: Lanes, copies: bool) -> Array:
    r"""Floor of every lane, shape (lanes,), once every setting is known to have finite losses.

    Parameters
    ----------
    lanes : Lanes
        The learners.
    copies : bool
        Whether the predictor gives a label mass only where the context has it, so that a floor of 0 is infinitely
        surprised by one that the context lacks.

    Raises
    ------
    SettingError
        If :math:`C\varepsilon \ge 1`, or the floor is 0 and the context can lack the query's label.
    """
    for task, model in zip(lanes.tasks, lanes.models, strict=True):
        _check(task, model.in_context, copies)
    return lanes.numbers("in_context", "floor")


def _check(task: Any, part: Any, copies: bool) -> None:
    if not copies or part.floor > 0:
        check_floor(task, part)
    elif isinstance(task, TaskDistribution):
        check_attention(task, part)
    else:
        allowed = "a positive floor: only a TaskDistribution can rule out that a context lacks the query's label"
        raise SettingError("model.in_context.floor", part.floor, allowed)


def floored(law: Array, floor: Array) -> Array:
    """A law of the labels, shape (rows, lanes, labels), with the floor of every lane; sums to one as the law does."""
    return np.asarray((1 - law.shape[-1] * floor[:, None]) * law + floor[:, None], dtype=np.float64)


def floored_log(probability: Array, labels: int, floor: Array) -> Array:
    """Log of a label's probability, shape (rows, lanes), with the floor of every lane."""
    return np.asarray(np.log((1 - labels * floor) * probability + floor), dtype=np.float64)


def copied_law(weights: Array, context_labels: NDArray[np.intp], labels: int) -> Array:
    """Law of the labels that copies each example's label by its weight; shape (rows, lanes, labels), without floor.

    Examples
    --------
    >>> copied_law(np.array([[[1.0, 1.0, 2.0]]]), np.array([[[0, 2, 2]]]), 3).tolist()
    [[[0.25, 0.0, 0.75]]]
    """
    shape = weights.shape[:2]
    first = np.arange(shape[0] * shape[1]).reshape(*shape, 1) * labels
    mass = np.bincount((first + context_labels).ravel(), weights.ravel(), minlength=first.size * labels)
    return np.asarray(mass.reshape(*shape, labels) / weights.sum(axis=-1, keepdims=True), dtype=np.float64)
