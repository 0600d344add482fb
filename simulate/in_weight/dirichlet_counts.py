"""The Dirichlet table: counts of labels for every query class."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.in_weight.occurrences import DenseCounts, SparseCounts
from simulate.lanes import Lanes
from simulate.protocols import Needs

Array = NDArray[np.float64]

LARGEST_DENSE = 1 << 24
"""Counts (lanes times classes times labels) up to which they are held in an array; beyond, only those that occur."""


class DirichletTableState:
    r"""Learning state of :class:`theory.setting.DirichletTable`: :math:`g_x(y) = (N_y + b)/(n + Cb)` in every lane.

    Parameters
    ----------
    lanes : Lanes
        The learners.

    Examples
    --------
    >>> from theory.setting import DirichletTable, GatedPredictor, TaskDistribution
    >>> task = TaskDistribution(num_high=1, num_low=2, p_high=0.5)
    >>> model = GatedPredictor(in_weight=DirichletTable(pseudo_count=1.0))
    >>> state = DirichletTableState(Lanes((task,), (model,), replicates=1))
    >>> one = np.ones((2, 1), dtype=np.intp)
    >>> np.exp(state.advance(PromptBlock(one, one, one, one, 0 * one))).round(4).ravel().tolist()  # 1/3, then 2/4
    [0.3333, 0.5]
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._classes, self._labels = lanes.classes, lanes.labels
        self._pseudo_count = lanes.numbers("in_weight", "pseudo_count")
        cells = lanes.count * lanes.classes
        self._first_cell = np.arange(lanes.count, dtype=np.int64) * lanes.classes
        self._visits = DenseCounts(cells)
        pairs = cells * lanes.labels
        self._seen: DenseCounts | SparseCounts = DenseCounts(pairs) if pairs <= LARGEST_DENSE else SparseCounts()

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        cell = self._first_cell + block.query
        visits = self._visits.count(cell)
        seen = self._seen.count(cell * self._labels + block.label)
        # What all other labels have over what this one has: a small loss keeps its digits.
        others = (visits - seen) + (self._labels - 1) * self._pseudo_count
        return np.asarray(-np.log1p(others / (seen + self._pseudo_count)), dtype=np.float64)

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        cell = self._first_cell + block.query
        seen = self._seen.ranges(cell * self._labels, self._labels)
        total = self._visits.seen[cell] + self._labels * self._pseudo_count
        return np.asarray((seen + self._pseudo_count[:, None]) / total[..., None], dtype=np.float64)
