r"""Classes that share labels: the probability that the classes of one label have together.

Class :math:`x` has the label :math:`x \bmod C`, with :math:`C` labels in all, so that label :math:`y` is that of the
classes :math:`y, y + C, y + 2C, \dots` and has the *mass* :math:`P_y = \sum_{x \equiv y} p_x`. In a two-level task the
numbers of high- and of low-frequency classes with a label take at most two values each, on intervals of labels:
nothing here grows with the number of classes then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory.setting import TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabelMasses:
    """Probabilities of labels without noise, and what a class shares its label with.

    Parameters
    ----------
    task : TaskDistribution
        Any task.

    Examples
    --------
    >>> masses = LabelMasses(TaskDistribution(num_high=2, num_low=4, p_high=0.5, num_labels=4))
    >>> masses.of_labels(np.arange(4)).tolist(), masses.of_companions(np.arange(6)).tolist()
    ([0.375, 0.375, 0.125, 0.125], [0.125, 0.125, 0.0, 0.0, 0.25, 0.25])
    """

    task: TaskDistribution

    def of_classes(self, classes: Indices) -> Array:
        """Probabilities :math:`p_x`, shape as ``classes``."""
        if self.task.grouped:
            high, low = self.task.level_probabilities
            return np.where(classes < (self.task.num_high or 0), high, low)
        return np.asarray(self.task.class_probabilities[classes], dtype=np.float64)

    def of_labels(self, labels: Indices) -> Array:
        """Masses :math:`P_y`, shape as ``labels``."""
        if self.task.grouped:
            return self._mass_of(*members(self.task, labels))
        return np.asarray(self._listed[0][labels], dtype=np.float64)

    def of_companions(self, classes: Indices) -> Array:
        """Masses :math:`P_y - p_x` of the other classes with a class's label, shape as ``classes``; 0 if it has none.

        No digits cancel, however large the class's share of its label is.
        """
        labels = classes % self.task.total_labels
        if self.task.grouped:
            high, low = members(self.task, labels)
            is_high = classes < (self.task.num_high or 0)
            return self._mass_of(high - is_high, low - ~is_high)
        mass, remainder = (part[labels] for part in self._listed)
        return np.asarray((mass - self.of_classes(classes)) + remainder, dtype=np.float64)

    def distinct(self) -> tuple[Array, Array]:
        """Distinct masses of labels, shape (k,), and how many labels have each."""
        if not self.task.grouped:
            values, counts = np.unique(self._listed[0], return_counts=True)
            return values, counts.astype(np.float64)
        numbers: dict[float, float] = {}
        for start, end in pairwise(_edges(self.task)):
            mass = float(self.of_labels(np.array([start]))[0])
            numbers[mass] = numbers.get(mass, 0.0) + (end - start)
        return np.array(list(numbers)), np.array(list(numbers.values()))

    def _mass_of(self, num_high: Indices, num_low: Indices) -> Array:
        high, low = self.task.level_probabilities
        return np.asarray(num_high * high + num_low * low, dtype=np.float64)

    @cached_property
    def _listed(self) -> tuple[Array, Array]:
        """Masses of all labels, exactly rounded, and what rounding left; the same in whatever order classes come."""
        probabilities, number = self.task.class_probabilities, self.task.total_labels
        if number == probabilities.size:
            return probabilities, np.zeros(number)
        mass, remainder = np.empty(number), np.empty(number)
        for label in range(number):
            own = probabilities[label::number].tolist()
            mass[label] = math.fsum(own)
            remainder[label] = math.fsum([*own, -mass[label]])
        return mass, remainder


def members(task: TaskDistribution, labels: Indices) -> tuple[Indices, Indices]:
    """Two-level: how many high- and low-frequency classes have each label, shapes as ``labels``.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=5, p_high=0.5, num_labels=3)
    >>> [numbers.tolist() for numbers in members(task, np.arange(3))]
    [[1, 1, 0], [2, 1, 2]]
    """
    number = task.total_labels
    up_to_high, in_all = (-(-(end - labels) // number) for end in (task.num_high or 0, task.total_classes))
    return np.asarray(up_to_high), np.asarray(in_all - up_to_high)


def label_runs(task: TaskDistribution) -> list[tuple[int, int]]:
    """Two-level: runs of labels, as pairs (first label, number of labels), that are alike and whose neighbours are.

    Within a run every label, the one before and the one after it belong to the same numbers of high- and of
    low-frequency classes each; the runs cover all labels, in order.

    Examples
    --------
    >>> label_runs(TaskDistribution(num_high=5, num_low=95, p_high=0.9))
    [(0, 1), (1, 3), (4, 1), (5, 1), (6, 93), (99, 1)]
    """
    runs: list[tuple[int, int]] = []
    for start, end in pairwise(_edges(task)):
        # Only the ends of an interval can have neighbours of another interval.
        sizes = {start: 1, start + 1: end - start - 2, end - 1: 1}
        runs.extend((first, size) for first, size in sizes.items() if size > 0 and first < end)
    return runs


def _edges(task: TaskDistribution) -> list[int]:
    """Two-level: where the numbers of classes of a label change, from 0 to the number of labels."""
    number = task.total_labels
    return sorted({0, (task.num_high or 0) % number, task.total_classes % number, number})
