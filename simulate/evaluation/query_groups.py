"""Groups of query classes that an evaluation tells apart: frequent, rare, and never seen in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryGroup:
    """Classes that are asked for together.

    Parameters
    ----------
    name : {"high", "low", "all", "held-out"}
        Name of the group.
    classes : ndarray of int, shape (k,)
        Its classes.
    probabilities : ndarray, shape (k,)
        How often each is asked for; sums to one.
    """

    name: str
    classes: Indices
    probabilities: Array


def query_groups(task: Any) -> tuple[QueryGroup, ...]:
    r"""Groups of a task's classes; within a group, queries follow the task's law :math:`p_x` restricted to it.

    A two-level task has its two levels. In another one ``high`` are the most frequent classes that together hold at
    least half of the probability (of equally frequent ones those with the smaller number first), ``low`` all others
    that can occur; where all have the same probability there is one group, ``all``. Held-out classes, which never occur
    in training, are a further group, ``held-out``, each asked for as often as the others.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> task = TaskDistribution(frequencies="weights", weights=[0.1, 0.4, 0.0, 0.2, 0.3])
    >>> [(group.name, group.classes.tolist()) for group in query_groups(task)]
    [('high', [1, 4]), ('low', [0, 3])]
    """
    probabilities = np.asarray(task.class_probabilities, dtype=np.float64)
    held_out = int(getattr(task, "held_out_classes", 0))
    if task.grouped:
        members = {"high": np.arange(task.num_high), "low": np.arange(task.num_high, task.num_high + task.num_low)}
    else:
        members = _by_frequency(probabilities)
    groups = [_group(name, classes, probabilities[classes]) for name, classes in members.items()]
    if held_out:
        never = np.arange(task.total_classes - held_out, task.total_classes)
        groups.append(_group("held-out", never, np.ones(held_out)))
    return tuple(groups)


def _group(name: str, classes: Indices, weights: Array) -> QueryGroup:
    return QueryGroup(name=name, classes=classes, probabilities=weights / weights.sum())


def _by_frequency(probabilities: Array) -> dict[str, Indices]:
    order = np.argsort(-probabilities, kind="stable")
    order = order[probabilities[order] > 0]
    falling = probabilities[order]
    if falling[0] - falling[-1] <= _ROUNDING * falling[0]:
        return {"all": np.sort(order)}
    # The least frequent of several classes holds less than half, so that "low" is never empty.
    num_high = 1 + int(np.searchsorted(falling.cumsum(), 0.5 - _ROUNDING))
    return {"high": np.sort(order[:num_high]), "low": np.sort(order[num_high:])}


def group_of_class(groups: tuple[QueryGroup, ...], classes: int) -> Indices:
    """Position of every class's group, shape (classes,); -1 for a class that is in none.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> groups = query_groups(TaskDistribution(frequencies="weights", weights=[0.1, 0.6, 0.0, 0.3]))
    >>> group_of_class(groups, 4).tolist()
    [1, 0, -1, 1]
    """
    place = np.full(classes, -1, dtype=np.intp)
    for i, group in enumerate(groups):
        place[group.classes] = i
    return place
