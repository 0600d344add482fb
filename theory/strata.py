"""Strata: classes of similar frequency, so that many classes fit in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.setting import AnyTask

MOST_STRATA = 16


@dataclass(frozen=True, eq=False)
class Strata:
    """A partition of the classes that can occur.

    Parameters
    ----------
    names : tuple of str
        One for each stratum, from the most frequent classes on.
    of_class : ndarray of int, shape (classes,)
        Stratum of each class; -1 for a class that never occurs.
    """

    names: tuple[str, ...]
    of_class: NDArray[np.intp]


def strata(task: AnyTask) -> Strata:
    """The two groups of a two-level task; else up to 16 intervals of class probability, equal in its logarithm.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> strata(TaskDistribution(num_high=1, num_low=3, p_high=0.5)).of_class.tolist()
    [0, 1, 1, 1]
    >>> task = TaskDistribution(frequencies="counts", counts=[64, 8, 8, 1, 0])
    >>> strata(task).of_class[[0, 1, 3, 4]].tolist()
    [0, 1, 2, -1]
    """
    if task.num_high is not None and task.num_low is not None:
        held_out = task.total_classes - task.num_high - task.num_low
        return Strata(("high", "low"), np.repeat([0, 1, -1], [task.num_high, task.num_low, held_out]))
    probabilities = task.class_probabilities
    possible = probabilities > 0
    logs = np.log(probabilities[possible])
    width = max((logs.max() - logs.min()) / MOST_STRATA, 1e-12)
    bins = np.minimum(((logs.max() - logs) / width * (1 + 1e-12)).astype(np.intp), MOST_STRATA - 1)
    occupied, compact = np.unique(bins, return_inverse=True)
    of_class = np.full(probabilities.size, -1)
    of_class[possible] = compact.reshape(-1)
    names = tuple(f"p = {probabilities[of_class == i].mean():.2g}" for i in range(occupied.size))
    return Strata(names, of_class)
