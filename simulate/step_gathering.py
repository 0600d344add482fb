"""What the step engine keeps of one setting: gate curves, late losses and regret."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.cell_curves import CellCurves
from simulate.episodes.stored_rows import SampleShares
from simulate.gate_cells import GateCells
from simulate.group_results import group_results
from simulate.lanes import Lanes
from simulate.learner import LearnedBlock
from simulate.prompt_curves import PromptCurves
from simulate.run_result import Outcome
from simulate.scan_records import GateChanges
from simulate.two_expert_bounds import worst_regret

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class StepGathered:
    """The lanes of one setting, and what is kept of them.

    Parameters
    ----------
    lanes : Lanes
        All settings that run side by side.
    number : int
        Which of them this is.
    per : str or None
        What has a gate cell; ``None`` for a gate without cells.
    prior : float
        Gate before any step.
    points : ndarray of int, shape (k,)
        Checkpoints.
    """

    def __init__(self, lanes: Lanes, number: int, per: str | None, prior: float, points: NDArray[np.int64]) -> None:
        self._task = task = lanes.tasks[number]
        self._gate = lanes.models[number].gate
        self._replicates = replicates = lanes.replicates
        self._lanes = slice(number * replicates, (number + 1) * replicates)
        self._steps = int(points[-1])
        # Without cells, regret is that of a lane as a whole.
        self._cells = GateCells.of(task, per or "shared")
        self._curves: CellCurves | PromptCurves
        if per is None:
            self._curves = PromptCurves(task, replicates, prior, points)
        else:
            self._curves = CellCurves(task, self._cells, replicates, prior, points)
        self._regret = np.zeros((2, replicates * self._cells.total))
        self._visits = np.zeros(replicates * self._cells.total, dtype=np.int64)
        self._late = np.zeros((4, task.total_classes))

    def add(self, block: PromptBlock, learned: LearnedBlock, interval: Indices, *, late: bool) -> None:
        """Take a block of all lanes; ``interval`` is the index of the checkpoint that ends each row's interval."""
        query = block.query[:, self._lanes]
        shape = query.shape
        replicate = np.broadcast_to(np.arange(self._replicates), shape).ravel()
        checkpoint = np.broadcast_to(interval[:, None], shape).ravel()
        cell = self._cells.find(query, block.relevant_examples[:, self._lanes]).ravel()
        before, after = learned.path.before[:, self._lanes], learned.path.after[:, self._lanes]
        if isinstance(self._curves, PromptCurves):
            self._curves.add(replicate, query.ravel(), checkpoint, before.ravel())
        else:
            self._curves.add(replicate, GateChanges(cell, checkpoint, (after - before).ravel()))
        losses = [part[:, self._lanes] for part in (learned.in_weight, learned.in_context, learned.gated)]
        place = replicate * self._cells.total + cell
        np.add.at(self._visits, place, 1)
        for regret, other in zip(self._regret, losses[:2], strict=True):
            np.add.at(regret, place, (losses[2] - other).ravel())
        if late:
            for total, values in zip(self._late, (np.ones(shape), *losses), strict=True):
                np.add.at(total, query.ravel(), values.ravel())

    def outcome(self, seed: int, samples: tuple[SampleShares, ...]) -> Outcome:
        """Results, once all steps were taken; the realised shares of finite samples are passed on."""
        entries, strata = group_results(self._task, self._curves, self._late, self._steps, seed)
        in_weight, in_context = self._regret.max(axis=1).tolist()
        regret = worst_regret(self._gate, in_weight, in_context, int(self._visits.max()))
        return Outcome(entries=entries, strata=strata, regret=regret, samples=samples)
