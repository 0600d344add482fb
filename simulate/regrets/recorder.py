"""Regrets of all gate cells of a run: visits are kept while it goes on, and compared at its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells
from simulate.gates.mixing import log_mixture_of_weights
from simulate.lanes import Lanes
from simulate.protocols import GatePath
from simulate.regrets.rows import RegretRow, nearest_to_their_bounds, rows_of
from simulate.regrets.visits import CellVisits
from theory.errors import SettingError

Array = NDArray[np.float64]

MOST_KEPT = 50_000_000
"""Visits of all lanes together that are kept, at 24 bytes each."""


class RegretRecorder:
    """Keeps what the regrets of a run depend on, and compares them with their bounds.

    Parameters
    ----------
    lanes : Lanes
        The learners; their gates have cells.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes, self._cells = lanes, LaneCells(lanes)
        self._kept: list[tuple[NDArray[np.intp], Array, Array]] = []
        self._visits = 0

    def add(self, block: PromptBlock, in_weight: Array, in_context: Array, path: GatePath) -> None:
        """Keep a block: the log probabilities of its labels and what the gate made of them, shape (rows, lanes).

        Raises
        ------
        SettingError
            There are more visits than can be kept.
        """
        self._visits += in_weight.size
        if self._visits > MOST_KEPT:
            raise SettingError("steps * lanes", self._visits, f"at most {MOST_KEPT:,} where regrets are recorded")
        predicted = path.log_predicted
        if predicted is None:
            predicted = log_mixture_of_weights((path.before, 1 - path.before), in_weight, in_context)
        kept = (self._cells.places(block), in_weight - in_context, np.maximum(in_weight, in_context) - predicted)
        self._kept.append(kept)

    def rows(self, setting: int) -> tuple[RegretRow, ...]:
        """For each comparator the cell and replicate of one setting that come nearest to the bound; none if unvisited.

        Parameters
        ----------
        setting : int
            Number of the setting in the grid.
        """
        own = slice(setting * self._lanes.replicates, (setting + 1) * self._lanes.replicates)
        if not self._kept:
            return ()
        place, gains, shortfalls = (np.concatenate([kept[i][:, own].ravel() for kept in self._kept]) for i in range(3))
        order = np.argsort(place, kind="stable")
        ends = np.flatnonzero(np.diff(place[order])) + 1
        gate = self._lanes.models[setting].gate
        cells = zip(np.split(gains[order], ends), np.split(shortfalls[order], ends), strict=True)
        rows = (
            row
            for own_gains, own_shortfalls in cells
            if own_gains.size
            for row in rows_of(gate, CellVisits(gains=own_gains, shortfalls=own_shortfalls))
        )
        return nearest_to_their_bounds(rows)
