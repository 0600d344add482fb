"""How often a key came up before each prompt: by ranks for few lanes, row by row for many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.runs import earlier_occurrences

Keys = NDArray[np.int64]
Counts = NDArray[np.int64]

MANY_LANES = 24
"""Lanes from which a loop over the rows is cheaper than sorting the block."""


class DenseCounts:
    """Occurrences of keys from 0 up to, not including, ``size``; every lane has keys of its own."""

    def __init__(self, size: int) -> None:
        self.seen: Counts = np.zeros(size, dtype=np.int64)

    def count(self, keys: Keys) -> Counts:
        """Earlier occurrences of each key, shape (rows, lanes) as the keys; these are counted in.

        Examples
        --------
        >>> DenseCounts(4).count(np.array([[1, 2], [0, 2], [1, 2]])).tolist()
        [[0, 0], [0, 1], [1, 2]]
        """
        if keys.shape[1] >= MANY_LANES:
            return self._row_by_row(keys)
        before = earlier_occurrences(keys.ravel(), self.seen)
        np.add.at(self.seen, keys.ravel(), 1)
        return np.asarray(before.reshape(keys.shape))

    def _row_by_row(self, keys: Keys) -> Counts:
        before = np.empty(keys.shape, dtype=np.int64)
        for here, found in zip(keys, before, strict=True):
            # The keys of a row are all different, since each is of another lane.
            self.seen.take(here, out=found, mode="clip")
            self.seen[here] = found + 1
        return before

    def ranges(self, first: Keys, length: int) -> Counts:
        """Occurrences of the ``length`` keys from each of ``first`` on, shape (..., length)."""
        return np.asarray(self.seen[first[..., None] + np.arange(length)])


class SparseCounts:
    """The same for any keys: memory grows with the keys that occur, not with all of them."""

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(0, dtype=np.int64)
        self._counts: Counts = np.zeros(0, dtype=np.int64)

    def count(self, keys: Keys) -> Counts:
        """Earlier occurrences of each key, shape (rows, lanes) as the keys; these are counted in.

        Examples
        --------
        >>> SparseCounts().count(np.array([[10**12], [5], [10**12]])).tolist()
        [[0], [0], [1]]
        """
        distinct, place = np.unique(keys, return_inverse=True)
        merged = np.union1d(self._keys, distinct)
        counts = np.zeros(merged.size, dtype=np.int64)
        counts[np.searchsorted(merged, self._keys)] = self._counts
        here = np.searchsorted(merged, distinct)
        before = earlier_occurrences(place.ravel(), counts[here])
        counts[here] += np.bincount(place.ravel(), minlength=distinct.size)
        self._keys, self._counts = merged, counts
        return np.asarray(before.reshape(keys.shape))

    def ranges(self, first: Keys, length: int) -> Counts:
        """Occurrences of the ``length`` keys from each of ``first`` on, shape (..., length)."""
        start = np.searchsorted(self._keys, first.ravel())
        number = np.searchsorted(self._keys, first.ravel() + length) - start
        owner = np.repeat(np.arange(start.size), number)
        # The found keys of each range one after the other: its start plus a rank within the range.
        place = start[owner] + np.arange(owner.size) - np.repeat(number.cumsum() - number, number)
        found = np.zeros((start.size, length), dtype=np.int64)
        found[owner, self._keys[place] - first.ravel()[owner]] = self._counts[place]
        return found.reshape(*first.shape, length)
