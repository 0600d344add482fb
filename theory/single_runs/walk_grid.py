"""Cells of the log-odds: functions of them on a line of equal cells, averaged over random steps by Fourier transform.

A function of the log-odds is 0 below the first cell (the gate is below 1/2 there) and constant above the last one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from theory.in_context import LossLaw

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class WalkGrid:
    """Cells of equal width, with as much room below and above as the steps of a walk need.

    Parameters
    ----------
    width : float
        Width of a cell, in nats.
    start : float
        Lower edge of the first cell.
    cells : int
        Number of cells.
    below, above : int
        Cells of room below, where functions are 0, and above, where they are constant.
    """

    width: float
    start: float
    cells: int
    below: int
    above: int

    @cached_property
    def length(self) -> int:
        """Cells with all room, a length whose Fourier transform is quick."""
        return int(fft.next_fast_len(self.cells + self.below + self.above, real=True))

    @cached_property
    def centres(self) -> Array:
        """Centres of the cells, shape (cells,)."""
        return np.asarray(self.start + (np.arange(self.cells) + 0.5) * self.width, dtype=np.float64)

    @cached_property
    def frequencies(self) -> Array:
        """Frequencies of the transform, shape (length // 2 + 1,)."""
        return np.asarray(2 * math.pi * np.arange(self.length // 2 + 1) / (self.length * self.width))

    @cached_property
    def not_below(self) -> Array:
        """Share of each cell that is at 0 or above."""
        return np.asarray(np.clip(self.centres / self.width + 0.5, 0.0, 1.0))

    def transform(self, values: Array) -> ComplexArray:
        """Transform of functions on the cells, shape (..., cells)."""
        whole = np.zeros((*values.shape[:-1], self.length))
        whole[..., : self.cells] = values
        whole[..., self.cells : self.length - self.below] = values[..., -1:]
        return np.asarray(fft.rfft(whole, axis=-1))

    def inverse(self, transformed: ComplexArray) -> Array:
        """Functions on all cells with their room, shape (..., length): what is below comes last."""
        return np.asarray(fft.irfft(transformed, self.length, axis=-1))

    def expectation(self, transformed: ComplexArray, characteristic: ComplexArray) -> Array:
        """Expectation of a transformed function, given the characteristic function of the log-odds."""
        product = (transformed * characteristic * np.exp(-1j * self.frequencies * (self.start + self.width / 2))).real
        total = 2 * product.sum(axis=-1) - product[..., 0]
        if self.length % 2 == 0:
            total = total - product[..., -1]
        return np.asarray(total / self.length)

    def shift(self, distance: ArrayLike) -> ComplexArray:
        """Characteristic functions of fixed steps, each split between two neighbouring cells; one more axis."""
        place = np.asarray(distance, dtype=np.float64)[..., None] / self.width
        whole = np.floor(place)
        part = place - whole
        turn = self.frequencies * self.width
        return np.asarray(np.exp(1j * turn * whole) * (1 - part + part * np.exp(1j * turn)))

    def characteristic(self, law: LossLaw, refinement: int = 0) -> ComplexArray:
        """Characteristic function of a step, its values split between neighbours of a 2^refinement times finer grid."""
        length = self.length << refinement
        place = law.values / (self.width / 2.0**refinement)
        whole = np.floor(place)
        part = place - whole
        cell = (whole % length).astype(np.int64)
        mass = np.bincount(cell, weights=law.probabilities * (1 - part), minlength=length)
        mass += np.bincount((cell + 1) % length, weights=law.probabilities * part, minlength=length)
        return np.asarray(np.conj(fft.rfft(mass)[: self.length // 2 + 1]))

    def clipped(self, law: LossLaw) -> LossLaw:
        """The law with steps no longer than the grid: they lead out of it all the same."""
        reach = self.cells * self.width
        return LossLaw(np.clip(law.values, -reach, reach), law.probabilities)
