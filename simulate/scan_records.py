"""What the scan engine tells: how gate cells moved, and what was lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GateChanges:
    """How gate cells moved: one entry for each gate cell and checkpoint interval with a visit.

    Parameters
    ----------
    cell : ndarray of int, shape (k,)
        Gate cell, in increasing order; cells of one class lie together.
    checkpoint : ndarray of int, shape (k,)
        Index of the checkpoint that ends the interval, increasing within a cell.
    change : ndarray, shape (k,)
        Gate after the interval minus gate before it.
    """

    cell: Indices
    checkpoint: Indices
    change: Array


@dataclass(frozen=True, eq=False)
class LossTotals:
    """Sums over the steps so far, losses and regrets in nats, of every lane's cells or classes.

    A regret is the gated predictor's loss minus that of one of its two parts.

    Parameters
    ----------
    visits, in_weight, in_context, gated : ndarray, shape (cells,), for a gate that all queries share (classes,)
        Steps and losses.
    regret_in_weight, regret_in_context : ndarray, shape (cells,)
        Regrets of the gate cells.
    cell_visits : ndarray of int, shape (cells,)
        Steps of the gate cells.
    """

    visits: NDArray[np.int64]
    in_weight: Array
    in_context: Array
    gated: Array
    regret_in_weight: Array
    regret_in_context: Array
    cell_visits: NDArray[np.int64]
