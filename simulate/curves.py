"""Mean gates against steps: gathered at checkpoints while the engine runs, for groups of classes or for every class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.scan_records import GateChanges

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SMALLEST_CHANGE = 1e-9


@dataclass(frozen=True, eq=False)
class GateCurve:
    """Mean gate of a group or class in every replicate.

    Parameters
    ----------
    steps : ndarray of int, shape (k,)
        Checkpoints; between two of them that are not neighbours in the run the gate does not move.
    gate : ndarray, shape (replicates, k)
        Gate, mean over the classes, in each replicate.
    """

    steps: NDArray[np.int64]
    gate: Array

    @property
    def mean(self) -> Array:
        """Mean over the replicates, shape (k,)."""
        return np.asarray(self.gate.mean(axis=0), dtype=np.float64)

    @property
    def standard_error(self) -> Array | None:
        """Standard error of the mean, shape (k,); ``None`` for one replicate."""
        replicates = self.gate.shape[0]
        if replicates < 2:
            return None
        return np.asarray(self.gate.std(axis=0, ddof=1) / np.sqrt(replicates), dtype=np.float64)

    def mean_after(self, start: int) -> float:
        """Mean over replicates and over the steps from ``start`` to the last checkpoint."""
        later = self.steps >= start
        steps, gate = self.steps[later].astype(np.float64), self.mean[later]
        return float(np.trapezoid(gate, steps) / (steps[-1] - steps[0])) if steps.size > 1 else float(gate[-1])


class GroupCurves:
    """Gathers the mean gate of groups of classes, dense in the checkpoints.

    Parameters
    ----------
    group : ndarray of int, shape (classes,)
        Group of each class, or -1 for a class of none.
    groups, replicates : int
        How many there are.
    prior : float
        Gate of a class that was not visited yet.
    checkpoints : ndarray of int, shape (k,)
        Where curves are kept.
    """

    def __init__(
        self, group: Indices, groups: int, replicates: int, prior: float, checkpoints: NDArray[np.int64]
    ) -> None:
        self._group = group
        self._sizes = np.bincount(group[group >= 0], minlength=groups)
        self._prior = prior
        self._checkpoints = checkpoints
        self._moved = np.zeros((replicates, groups, checkpoints.size))

    def add(self, replicate: int | Indices, classes: Indices, changes: GateChanges, change: Array) -> None:
        """Take the changes of a block, of one replicate or of one for each change.

        ``change`` is that of the class's gate, ``classes`` the class of the changed cell.
        """
        row = self._group.take(classes)
        if row.size and row.min() < 0:
            raise ValueError("a class outside all groups was visited")
        start, end = (replicate, replicate + 1) if isinstance(replicate, int) else _range(replicate)
        first, last = _range(changes.checkpoint)
        # Only the replicates and intervals that the changes are of, or time would grow with the square of them all.
        moved = self._moved[start:end, :, first:last]
        if not isinstance(replicate, int):
            row += (replicate - start) * moved.shape[1]
        row *= moved.shape[2]
        row += changes.checkpoint
        row -= first
        moved += np.bincount(row, weights=change, minlength=moved.size).reshape(moved.shape)

    def curves(self) -> list[GateCurve]:
        """One curve for each group."""
        running = self._prior + self._moved.cumsum(axis=2) / np.maximum(self._sizes, 1)[None, :, None]
        # Sums of many small changes may leave [0, 1] by rounding.
        np.clip(running, 0.0, 1.0, out=running)
        return [GateCurve(self._checkpoints, running[:, group]) for group in range(running.shape[1])]


def _range(numbers: Indices) -> tuple[int, int]:
    """Smallest number, and one more than the largest."""
    return int(numbers.min()), int(numbers.max()) + 1


class ClassCurves:
    """Gathers the gate of every class, only where it moves by more than 1e-9: a settled class costs no memory."""

    def __init__(
        self, classes: int, replicates: int, prior: float, checkpoints: NDArray[np.int64], always: tuple[int, ...] = ()
    ) -> None:
        self._classes = classes
        # Checkpoints that every curve keeps: the first, the last, and those that the caller wants.
        self._always = np.array([0, *np.searchsorted(checkpoints, always), checkpoints.size - 1])
        self._replicates = replicates
        self._prior = prior
        self._checkpoints = checkpoints
        self._unreported = np.zeros((replicates, classes))
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int64], Array]] = []

    def add(self, replicate: int | Indices, classes: Indices, changes: GateChanges, change: Array) -> None:
        """Take the changes of a block, as :meth:`GroupCurves.add`."""
        rows = np.broadcast_to(np.asarray(replicate, dtype=np.int32), classes.shape)
        large = np.abs(change) > _SMALLEST_CHANGE
        small = ~large
        np.add.at(self._unreported, (rows[small], classes[small]), change[small])
        key = classes[large].astype(np.int64) * self._checkpoints.size + changes.checkpoint[large]
        self._parts.append((rows[large], key, change[large]))
        # Small changes that have added up are reported at the block's last checkpoint.
        row, waiting = np.nonzero(np.abs(self._unreported) > _SMALLEST_CHANGE)
        if waiting.size:
            key = waiting * self._checkpoints.size + int(changes.checkpoint.max())
            self._parts.append((row.astype(np.int32), key, self._unreported[row, waiting]))
            self._unreported[row, waiting] = 0.0

    def curves(self) -> Iterator[GateCurve]:
        """One curve for each class, in order; made one at a time, so that they never are in memory together."""
        points = self._checkpoints.size
        replicate, key, change = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(key, kind="stable")
        replicate, key, change = replicate[order], key[order], change[order]
        ends = np.searchsorted(key, np.arange(self._classes + 1) * points)
        for label in range(self._classes):
            part = slice(ends[label], ends[label + 1])
            moved = key[part] - label * points
            # The checkpoint before each move is kept too: between the two the gate rises, before it is flat.
            kept = np.union1d(np.append(moved, self._always), np.maximum(moved - 1, 0))
            gate = np.zeros((self._replicates, kept.size))
            np.add.at(gate, (replicate[part], np.searchsorted(kept, moved)), change[part])
            yield GateCurve(self._checkpoints[kept], np.clip(self._prior + gate.cumsum(axis=1), 0.0, 1.0))
