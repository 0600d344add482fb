"""Steps grouped by a key, in their order: running sums within groups, and sums over earlier steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Counts = NDArray[np.int64]


def stable_order(keys: Indices) -> tuple[Indices, Indices]:
    """Keys in increasing order, and the steps that they come from; equal keys keep their order.

    Key and step are packed into one integer, so that a plain sort, which NumPy vectorises, does the work of a stable
    argsort (a third of the time of its radix sort of 16-bit keys, a tenth of that of its merge sort).

    Examples
    --------
    >>> [part.tolist() for part in stable_order(np.array([7, 3, 7, 3]))]
    [[3, 3, 7, 7], [1, 3, 0, 2]]
    """
    bits = keys.size.bit_length()
    packed = keys.astype(np.int64) << bits
    packed |= np.arange(keys.size)
    packed.sort()
    return packed >> bits, packed & ((1 << bits) - 1)


def segments(ordered: Indices) -> tuple[Indices, Indices]:
    """Where each segment of equal values begins, and the number of the segment of each entry.

    Examples
    --------
    >>> [part.tolist() for part in segments(np.array([3, 3, 7, 7, 7, 9]))]
    [[0, 2, 5], [0, 0, 1, 1, 1, 2]]
    """
    begins = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    number = begins.cumsum()
    number -= 1
    return np.flatnonzero(begins), number


def segment_lengths(starts: Indices, size: int) -> Counts:
    """How long each segment is, of a sequence of the given size."""
    lengths = np.empty(starts.size, dtype=np.int64)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1:] = size - starts[-1:]
    return lengths


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of the same cell in a sorted sequence; what happened before the block is carried by cell."""

    cells: Indices
    starts: Indices
    lengths: Indices
    number: Indices

    @classmethod
    def of(cls, cell: Indices) -> Runs:
        """Runs of the entries of a sorted sequence."""
        starts, number = segments(cell)
        return cls(cell.take(starts), starts, segment_lengths(starts, cell.size), number)

    @cached_property
    def _last(self) -> Indices:
        """Last entry of each run."""
        return np.asarray(self.starts + self.lengths - 1)

    def running(self, gained: NDArray[Any], carried: NDArray[Any]) -> NDArray[Any]:
        """Carried value plus running sum within each run."""
        total = gained.cumsum()
        offset = carried.take(self.cells) - (total.take(self.starts) - gained.take(self.starts))
        # Each entry looks its run up: several times faster than repeating the offsets by the runs' lengths.
        return np.asarray(total + offset.take(self.number))

    def previous(self, values: Array, carried: Array) -> Array:
        """The value one entry earlier, which for the first of a run is the carried one."""
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[self.starts] = carried.take(self.cells)
        return shifted

    def keep_last(self, carried: NDArray[Any], values: NDArray[Any]) -> None:
        """Carry the last value of each run into the next block."""
        carried[self.cells] = values.take(self._last)


@dataclass(frozen=True, eq=False)
class EarlierSteps:
    """Sums over earlier steps with the same key; make one for a block's keys with :func:`earlier_steps`."""

    runs: Runs
    order: Indices

    def counts(self, carried: Counts) -> Counts:
        """How often each step's key occurred before it; ``carried`` counts earlier blocks, by key."""
        runs = self.runs
        in_order = np.arange(self.order.size) + np.repeat(carried.take(runs.cells) - runs.starts, runs.lengths)
        return self._in_time(in_order)

    def sums(self, marks: NDArray[Any], carried: NDArray[Any]) -> NDArray[Any]:
        """Sum of the marks of earlier steps with the same key; ``carried`` has those of earlier blocks, by key."""
        in_order = marks.take(self.order)
        return self._in_time(self.runs.running(in_order, carried) - in_order)

    def add_counts(self, carried: Counts) -> None:
        """Count the block's steps in."""
        carried[self.runs.cells] += self.runs.lengths

    def add_sums(self, marks: NDArray[Any], carried: NDArray[Any]) -> None:
        """Add the block's marks."""
        carried[self.runs.cells] += np.add.reduceat(marks.take(self.order), self.runs.starts)

    def _in_time(self, in_order: NDArray[Any]) -> NDArray[Any]:
        result = np.empty_like(in_order)
        result[self.order] = in_order
        return result


def earlier_steps(keys: Indices) -> EarlierSteps:
    """Grouping of a block's steps by their keys.

    Examples
    --------
    >>> earlier_steps(np.array([1, 0, 1, 1])).counts(np.array([5, 0])).tolist()
    [0, 5, 1, 2]
    """
    ordered, order = stable_order(keys)
    return EarlierSteps(Runs.of(ordered), order)


def earlier_occurrences(keys: Indices, carried: Counts) -> Counts:
    """How often each step's key occurred before it; ``carried`` counts earlier blocks, shape (number of keys,).

    Examples
    --------
    >>> earlier_occurrences(np.array([1, 0, 1, 1]), np.array([5, 0])).tolist()
    [0, 5, 1, 2]
    """
    return earlier_steps(keys).counts(carried)
