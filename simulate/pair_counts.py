"""Running counts of (class, noisy label): what a Dirichlet table knows where noise spreads over several labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.runs import earlier_occurrences, earlier_steps

Indices = NDArray[np.intp]
Counts = NDArray[np.int64]

_LARGEST_ARRAY = 1 << 22
"""Pairs up to which all of them are counted in one array; beyond, memory grows with the pairs that occur."""


class LabelCounts:
    """How often each class was seen with each noisy label.

    Parameters
    ----------
    classes, labels : int
        How many there are.

    Examples
    --------
    >>> counts = LabelCounts(classes=2, labels=3)
    >>> counts.count(np.array([1, 1, 0, 1]), np.array([2, 2, 2, 1])).tolist()
    [0, 1, 0, 0]
    >>> counts.count(np.array([1]), np.array([2])).tolist()
    [2]
    """

    def __init__(self, classes: int, labels: int) -> None:
        self._labels = labels
        self._all = classes * labels <= _LARGEST_ARRAY
        self._keys = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros(classes * labels if self._all else 0, dtype=np.int64)

    def count(self, query: Indices, offset: Indices) -> Counts:
        """Earlier occurrences of each step's pair; the steps are counted in."""
        key = query.astype(np.int64) * self._labels + offset
        return self._count_in_array(key) if self._all else self._count_in_list(key)

    def _count_in_array(self, key: Indices) -> Counts:
        earlier = earlier_steps(key)
        before = earlier.counts(self._counts)
        earlier.add_counts(self._counts)
        return before

    def _count_in_list(self, key: Indices) -> Counts:
        keys, pair = np.unique(key, return_inverse=True)
        merged = np.union1d(self._keys, keys)
        counts = np.zeros(merged.size, dtype=np.int64)
        counts[np.searchsorted(merged, self._keys)] = self._counts
        here = np.searchsorted(merged, keys)
        before = earlier_occurrences(pair, counts[here])
        counts[here] += np.bincount(pair, minlength=keys.size)
        self._keys, self._counts = merged, counts
        return before
