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

from simulate.runs import segment_lengths, segments, stable_order

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Counts = NDArray[np.int64]

_FEW_INTERVALS = 32
"""Intervals up to which it is faster to number them one after the other."""
_DENSE_LIMIT = 4
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
        lengths = ends.copy()
        lengths[1:] -= ends[:-1]
        by_lane += np.repeat(np.arange(ends.size), lengths)
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
    steps : ndarray of int, shape (k,)
        How many steps each pair has.
    counts : ndarray of int, shape (outcomes, k)
        Steps with each outcome.
    """

    cell: Indices
    interval: Indices
    steps: Counts
    counts: Counts

    def sums(self, values: Array) -> Array:
        """Sum over each pair's steps of what their outcomes are worth, shape (k,)."""
        worth = values[:, None]
        if not np.isfinite(values).all():
            # An outcome of infinite loss that has not come costs nothing.
            worth = np.where(self.counts > 0, worth, 0.0)
        # Not a product of matrices, whose rounding may depend on how many pairs there are.
        return np.asarray((self.counts * worth).sum(axis=0))


def outcome_pairs(key: Indices, outcome: Indices, possible: tuple[int, int], outcomes: int) -> OutcomePairs:
    """Pairs of a block of steps with few outcomes; ``possible`` are the numbers of cells and intervals.

    Examples
    --------
    >>> pairs = outcome_pairs(np.array([2, 0, 2, 3]), np.array([0, 1, 1, 0]), (2, 2), 2)
    >>> pairs.cell.tolist(), pairs.counts.tolist(), pairs.sums(np.array([0.5, 2.0])).tolist()
    ([0, 1, 1], [[0, 1, 1], [1, 1, 0]], [2.0, 2.5, 0.5])
    """
    cells, intervals = possible
    # Outcome by outcome, so that the sums over outcomes add whole rows.
    place = outcome * (cells * intervals)
    place += key
    counts = np.bincount(place, minlength=outcomes * cells * intervals).reshape(outcomes, -1)
    steps = counts.sum(axis=0)
    touched = np.flatnonzero(steps > 0)
    if touched.size < steps.size:
        counts, steps = counts[:, touched], steps.take(touched)
    return OutcomePairs(*_places(touched, intervals), steps, counts)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The steps of a block under the numbers of their pairs, of which those that are touched are told.

    Where all possible pairs are counted, some are not touched; where the steps were sorted, there are no others.
    """

    cell: Indices
    interval: Indices
    steps: Counts
    number: Indices
    numbers: int
    touched: Indices | None

    def sums(self, weights: Array) -> Array:
        return np.asarray(self._told(np.bincount(self.number, weights, self.numbers)), dtype=np.float64)

    def sums_at(self, steps: Indices, weights: Array | None = None) -> NDArray[Any]:
        return self._told(np.bincount(self.number.take(steps), weights, self.numbers))

    def _told(self, sums: NDArray[Any]) -> NDArray[Any]:
        return sums if self.touched is None else sums.take(self.touched)


def _counted(key: Indices, possible: int, intervals: int) -> _Pairs:
    steps = np.bincount(key, minlength=possible)
    touched = np.flatnonzero(steps > 0)
    return _Pairs(*_places(touched, intervals), steps.take(touched), key, possible, touched)


def _sorted(key: Indices, intervals: int) -> _Pairs:
    ordered, order = stable_order(key)
    starts, owner = segments(ordered)
    number = np.empty_like(order)
    number[order] = owner
    lengths = segment_lengths(starts, key.size)
    return _Pairs(*_places(ordered.take(starts), intervals), lengths, number, starts.size, None)


def _places(keys: Indices, intervals: int) -> tuple[Indices, Indices]:
    """Cells and intervals of pairs; NumPy divides by one number several times faster than ``divmod`` does."""
    cell = keys // intervals
    return cell, keys - cell * intervals
