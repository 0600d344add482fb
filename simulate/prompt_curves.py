"""Gate curves of a gate without cells: its mean over the prompts that it met between two checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulate.curves import GateCurve
from theory.setting import AnyTask
from theory.strata import strata

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class PromptCurves:
    """Mean gate over the prompts of every group, and of every class of a task without groups.

    Between two checkpoints without a prompt of the group or class its curve stays where it was.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What is simulated.
    replicates : int
        How many there are.
    prior : float
        Gate before any step.
    points : ndarray of int, shape (k,)
        Checkpoints.
    """

    def __init__(self, task: AnyTask, replicates: int, prior: float, points: NDArray[np.int64]) -> None:
        self._points, self._prior = points, prior
        self._group = strata(task).of_class
        self._of_groups = _Means((replicates, int(self._group.max()) + 1, points.size))
        self._of_classes = None if task.grouped else _Means((replicates, task.total_classes, points.size))

    def add(self, replicate: Indices, query: Indices, checkpoint: Indices, gate: Array) -> None:
        """Take the gates with which prompts were predicted; all of shape (prompts,)."""
        self._of_groups.add((replicate, self._group[query], checkpoint), gate)
        if self._of_classes is not None:
            self._of_classes.add((replicate, query, checkpoint), gate)

    def groups(self) -> list[GateCurve]:
        """One curve for each group or stratum."""
        return list(self._of_groups.curves(self._points, self._prior))

    def classes(self) -> Iterator[GateCurve]:
        """One curve for each class of a task without groups."""
        return iter(()) if self._of_classes is None else self._of_classes.curves(self._points, self._prior)


class _Means:
    """Means over the prompts that fell into each place."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._total = np.zeros(shape)
        self._prompts = np.zeros(shape)

    def add(self, place: tuple[Indices, Indices, Indices], values: Array) -> None:
        # Adding at one index is several times faster than at three.
        flat = np.ravel_multi_index(place, self._total.shape)
        np.add.at(self._total.reshape(-1), flat, values)
        np.add.at(self._prompts.reshape(-1), flat, 1.0)

    def curves(self, points: NDArray[np.int64], prior: float) -> Iterator[GateCurve]:
        for i in range(self._total.shape[1]):
            seen = self._prompts[:, i] > 0
            mean = np.divide(self._total[:, i], self._prompts[:, i], out=np.full(seen.shape, prior), where=seen)
            # Place of the last checkpoint with a prompt so far; before the first one the prior.
            latest = np.maximum.accumulate(np.where(seen, np.arange(points.size), -1), axis=1)
            held = np.take_along_axis(mean, np.maximum(latest, 0), axis=1)
            yield GateCurve(points, np.where(latest < 0, prior, held))
