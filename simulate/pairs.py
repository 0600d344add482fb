"""Sums over (gate cell, interval) pairs: what turns a block of steps into a few running sums, without a loop over time.

Where a block has more steps than there could be pairs, all possible pairs are counted in a dense array; else the steps
are sorted by their pair, so that neither memory nor time grows with the number of cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.runs import segment_lengths, segment_starts, stable_order

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Counts = NDArray[np.int64]

_FEW_INTERVALS = 32
"""Intervals up to which it is faster to number them one after the other."""
_DENSE_LIMIT = 2
"""Possible pairs for each step of a block up to which they are counted in a dense array."""


class PairSums(Protocol):
    """Pairs that occur, in increasing order of their cell and then of their interval, and sums over their steps."""

    @property
    def cell(self) -> Indices:
        """Gate cell of each pair."""

    @property
    def interval(self) -> Indices:
        """Interval of each pair."""

    @property
    def steps(self) -> Counts:
        """How many steps each pair has."""

    def sums(self, weights: Array) -> Array:
        """Sum of the steps' weights in each pair."""

    def sums_at(self, steps: Indices, weights: Array | None = None) -> NDArray[Any]:
        """The same over some of the steps only, given in increasing order, each with its weight (by default 1)."""


def pair_keys(cell: Indices, ends: Indices, lanes: int) -> Indices:
    """Number of each step's pair: its cell's number times the number of intervals, plus its interval's.

    Parameters
    ----------
    cell : ndarray of int, shape (lanes * steps,)
        Gate cell of each step, lane after lane.
    ends : ndarray of int, shape (intervals,)
        Where the intervals end, increasing; the last one is the number of steps of a lane.
    lanes : int
        How many sequences of steps there are.

    Examples
    --------
    >>> pair_keys(np.array([1, 0, 1, 3, 2, 3]), np.array([2, 3]), lanes=2).tolist()
    [2, 0, 3, 6, 4, 7]
    """
    key = np.asarray(cell * ends.size)
    by_lane = key.reshape(lanes, -1)
    if ends.size > _FEW_INTERVALS:
        by_lane += np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
        return key
    for interval, (start, end) in enumerate(pairwise(ends.tolist()), start=1):
        by_lane[:, start:end] += interval
    return key


def pair_sums(key: Indices, cells: int, intervals: int) -> PairSums:
    """Pairs of a block of steps.

    Parameters
    ----------
    key : ndarray of int, shape (steps,)
        Number of each step's pair, as :func:`pair_keys` has it.
    cells, intervals : int
        How many there could be.

    Examples
    --------
    >>> pairs = pair_sums(np.array([2, 0, 2, 3]), 2, 2)
    >>> pairs.cell.tolist(), pairs.interval.tolist(), pairs.steps.tolist()
    ([0, 1, 1], [0, 0, 1], [1, 2, 1])
    >>> pairs.sums(np.array([0.5, 1.0, 2.0, 4.0])).tolist()
    [1.0, 2.5, 4.0]
    """
    if cells * intervals <= _DENSE_LIMIT * key.size:
        return _counted(key, cells * intervals, intervals)
    return _sorted(key, intervals)


@dataclass(frozen=True, eq=False)
class OutcomePairs:
    """Pairs and how often each had each outcome: one count of the steps in place of several sums over them.

    Parameters
    ----------
    cell, interval : ndarray of int, shape (k,)
        Gate cell and interval of each pair, as for :class:`PairSums`.
    counts : ndarray of int, shape (k, outcomes)
        Steps with each outcome.
    """

    cell: Indices
    interval: Indices
    counts: Counts

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sum over each pair's steps of what their outcomes are worth, shape (k,)."""
        if not np.isfinite(values).all():
            # An outcome of infinite loss that has not come costs nothing.
            values = np.where(self.counts > 0, values, 0.0)
        return np.asarray((self.counts * values).sum(axis=1))


def outcome_pairs(key: Indices, outcome: Indices, possible: tuple[int, int], outcomes: int) -> OutcomePairs:
    """Pairs of a block of steps with few outcomes; ``possible`` are the numbers of cells and intervals.

    Examples
    --------
    >>> pairs = outcome_pairs(np.array([2, 0, 2, 3]), np.array([0, 1, 1, 0]), (2, 2), 2)
    >>> pairs.cell.tolist(), pairs.counts.tolist(), pairs.sums(np.array([0.5, 2.0])).tolist()
    ([0, 1, 1], [[0, 1], [1, 1], [1, 0]], [2.0, 2.5, 0.5])
    """
    cells, intervals = possible
    place = key * outcomes
    place += outcome
    counts = np.bincount(place, minlength=cells * intervals * outcomes).reshape(-1, outcomes)
    touched = np.flatnonzero(counts.any(axis=1))
    cell, interval = np.divmod(touched, intervals)
    return OutcomePairs(cell, interval, counts[touched])


@dataclass(frozen=True, eq=False)
class _CountedPairs:
    """All possible pairs have a place; those that occur are picked from the dense sums."""

    cell: Indices
    interval: Indices
    steps: Counts
    touched: Indices
    key: Indices
    possible: int

    def sums(self, weights: Array) -> Array:
        return np.asarray(np.bincount(self.key, weights, self.possible).take(self.touched), dtype=np.float64)

    def sums_at(self, steps: Indices, weights: Array | None = None) -> NDArray[Any]:
        return np.bincount(self.key.take(steps), weights=weights, minlength=self.possible).take(self.touched)


def _counted(key: Indices, possible: int, intervals: int) -> _CountedPairs:
    steps = np.bincount(key, minlength=possible)
    touched = np.flatnonzero(steps > 0)
    cell, interval = np.divmod(touched, intervals)
    return _CountedPairs(cell, interval, steps.take(touched), touched, key, possible)


@dataclass(frozen=True, eq=False)
class _SortedPairs:
    """Steps in the order of their pairs, which are segments of it."""

    cell: Indices
    interval: Indices
    steps: Counts
    starts: Indices
    order: Indices

    def sums(self, weights: Array) -> Array:
        return np.add.reduceat(weights.take(self.order), self.starts)

    def sums_at(self, steps: Indices, weights: Array | None = None) -> NDArray[Any]:
        marks = np.zeros(self.order.size, dtype=np.int64 if weights is None else np.float64)
        marks[steps] = 1 if weights is None else weights
        return np.add.reduceat(marks.take(self.order), self.starts)


def _sorted(key: Indices, intervals: int) -> _SortedPairs:
    ordered, order = stable_order(key)
    starts = segment_starts(ordered)
    cell, interval = np.divmod(ordered.take(starts), intervals)
    return _SortedPairs(cell, interval, segment_lengths(starts, key.size), starts, order)
