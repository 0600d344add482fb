"""Gate curves of a gate that has cells: from the changes of its cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulate.checkpoints import last_part_start
from simulate.curves import ClassCurves, GateCurve, GroupCurves
from simulate.gate_cells import GateCells
from simulate.scan_records import GateChanges
from theory.setting import AnyTask
from theory.strata import strata

Indices = NDArray[np.intp]


class CellCurves:
    """Mean gate of every group, and of every class of a task without groups.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What is simulated.
    cells : GateCells
        Cells of the gate.
    replicates : int
        How many there are.
    prior : float
        Gate of a cell that was not visited yet.
    points : ndarray of int, shape (k,)
        Checkpoints.
    """

    def __init__(
        self, task: AnyTask, cells: GateCells, replicates: int, prior: float, points: NDArray[np.int64]
    ) -> None:
        self._task, self._cells = task, cells
        self._shared = cells.per == "shared"
        self._strata = strata(task)
        group = np.zeros(1, dtype=np.intp) if self._shared else self._strata.of_class
        groups = 1 if self._shared else len(self._strata.names)
        self._of_groups = GroupCurves(group, groups, replicates, prior, points)
        self._of_classes = None
        if not (self._shared or task.grouped):
            always = (last_part_start(int(points[-1])),)
            self._of_classes = ClassCurves(task.total_classes, replicates, prior, points, always)

    def add(self, replicate: int | Indices, changes: GateChanges) -> None:
        """Take changes of cells, of one replicate (at most one of a cell in an interval), or each with its own."""
        self._of_groups.add(replicate, *self._class_changes(changes))
        if self._of_classes is None:
            return
        if not isinstance(replicate, int):
            replicate, changes = _summed(replicate, changes, self._cells.total)
        self._of_classes.add(replicate, *self._class_changes(changes))

    def _class_changes(self, changes: GateChanges) -> tuple[Indices, GateChanges, NDArray[np.float64]]:
        """Class of every changed cell, and the change of the class's gate."""
        if self._cells.of_class == 1:
            return changes.cell, changes, changes.change
        classes, cell = np.divmod(changes.cell, self._cells.of_class)
        return classes, changes, changes.change * self._cells.share[classes, cell]

    def groups(self) -> list[GateCurve]:
        """One curve for each group or stratum; a shared gate's is the same for all."""
        return self._of_groups.curves() * (len(self._strata.names) if self._shared else 1)

    def classes(self) -> Iterator[GateCurve]:
        """One curve for each class of a task without groups."""
        if self._of_classes is None:
            return iter(self.groups()[:1] * self._task.total_classes)
        return self._of_classes.curves()


def _summed(replicate: Indices, changes: GateChanges, cells: int) -> tuple[Indices, GateChanges]:
    """One change for each replicate, cell and interval that occur."""
    first = int(changes.checkpoint.min())
    width = int(changes.checkpoint.max()) - first + 1
    key = (replicate * cells + changes.cell) * width + changes.checkpoint - first
    found, place = np.unique(key, return_inverse=True)
    change = np.bincount(place, weights=changes.change, minlength=found.size)
    lane_cell, interval = np.divmod(found, width)
    lane, cell = np.divmod(lane_cell, cells)
    return lane, GateChanges(cell, interval + first, change.astype(np.float64))
