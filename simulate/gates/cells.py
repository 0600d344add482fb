"""Gate cells of all lanes in one row of numbers, and going through a block's visits to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gate_cells import cell_of, number_of_cells
from simulate.lanes import Lanes

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class LaneCells:
    """Where the gate cells of every lane are, in flat arrays that hold the cells of one lane after another.

    Parameters
    ----------
    lanes : Lanes
        The learners; all their gates have the same kind of cells.
    """

    def __init__(self, lanes: Lanes) -> None:
        self.per: str = lanes.common("gate", "per")
        of_lane = number_of_cells(self.per, lanes.classes)
        self._first = np.arange(lanes.count) * of_lane
        self.count = lanes.count * of_lane

    def places(self, block: PromptBlock) -> Indices:
        """Place of each prompt's cell, shape (rows, lanes)."""
        return cell_of(self.per, block.query, block.relevant_examples) + self._first


def add_in_order(held: Array, places: Indices, gains: Array) -> Array:
    """Add the gains to their cells row by row; what each cell held before is returned.

    Parameters
    ----------
    held : ndarray, shape (cells,)
        Sums so far; they are brought up to date.
    places : ndarray of int, shape (rows, lanes)
        Cells; those of one row differ.
    gains : ndarray, shape (rows, lanes)
        What is added.

    Examples
    --------
    >>> held = np.array([10.0, 0.0])
    >>> add_in_order(held, np.array([[0], [1], [0]]), np.array([[1.0], [2.0], [3.0]])).ravel().tolist()
    [10.0, 0.0, 11.0]
    >>> held.tolist()
    [14.0, 2.0]
    """
    before = np.empty(gains.shape)
    for place, found, gain in zip(places, before, gains, strict=True):
        # The places are right by construction; any other mode would copy.
        held.take(place, out=found, mode="clip")
        held[place] = found + gain
    return before
