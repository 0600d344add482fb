r"""The universal mixture: all constant gates, averaged under the prior Beta(1/2, 1/2) and the data.

The constant gates are those at Chebyshev's nodes :math:`a_k = \sin^2\frac{(2k+1)\pi}{4K}`, all of the same prior
weight: the Gauss rule of the prior. Each has the product of its predictions for a likelihood. It is held relative to
the largest one, so that a visit costs no logarithm, and brought up to date before it can overflow. A node whose
likelihood is negligible until then is held relative to itself, and its sign is negative: it does not count, and keeps
its digits.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells
from simulate.gates.mixing import log_mixture_of_weights
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_MOST_GAINED = 400.0
"""Nats that a likelihood may gain until its logarithm is brought up to date."""
_NEGLIGIBLE = np.log(1e-200)
"""Log-likelihood, relative to the largest one, that cannot matter before that happens again."""
_ROOM = 1 << 22
"""Likelihoods that there is room for at first, unless the cells have fewer."""


class UniversalMixtureState:
    r"""Mean of the constant gates at ``nodes`` nodes, weighted by what they predicted at a cell's earlier visits.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.UniversalMixtureGate`.

    Notes
    -----
    Source: ``cover1996universal``. Cells take memory when they are first visited: two numbers for each node.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        angle = np.pi * (2 * np.arange(lanes.common("gate", "nodes")) + 1) / (4 * lanes.common("gate", "nodes"))
        # What a node gives the in-context predictor, and the in-weight predictor.
        self._shares = np.stack([np.cos(angle) ** 2, np.sin(angle) ** 2])
        # Gains beyond this one are in proportion to the shares, to the last digit.
        self._most_at_once = 45.0 - np.log(self._shares[1, 0])
        self._row = np.full(self._cells.count, -1)
        self._visited = 0
        # Relative likelihoods, and the logarithm of what they are relative to.
        self._held, self._unit = np.empty((2, 0, angle.size))
        self._gained = np.empty(0)
        self._some_negligible = False
        self._in_context, self._in_weight = np.full((2, self._cells.count), 0.5)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        places = self._cells.places(block)
        rows = self._rows(places)
        gains = in_weight - in_context
        sizes = np.minimum(np.abs(gains), self._most_at_once)
        advantage = np.expm1(sizes)
        better = (gains > 0).astype(np.intp)
        before, after = np.empty((2, 2, *gains.shape))
        factors, held = np.empty((2, block.lanes, self._shares.shape[1]))
        for number, place in enumerate(places):
            self._in_context.take(place, out=before[0, number], mode="clip")
            self._in_weight.take(place, out=before[1, number], mode="clip")
            # Every node's prediction, relative to the worse predictor's.
            self._shares.take(better[number], axis=0, out=factors, mode="clip")
            factors *= advantage[number, :, None]
            factors += 1.0
            self._learn(rows[number], factors, sizes[number], held)
            self._in_context[place], self._in_weight[place] = self._means(held, after[:, number])
        predicted = log_mixture_of_weights((before[1], before[0]), in_weight, in_context)
        return GatePath(before[1], after[1], predicted)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return np.asarray(self._in_weight[self._cells.places(block)])

    def _learn(self, rows: Indices, factors: Array, gained: Array, held: Array) -> None:
        """Multiply the likelihoods by what the nodes predicted; they are also written to ``held``."""
        self._held.take(rows, axis=0, out=held, mode="clip")
        held *= factors
        self._held[rows] = held
        total = self._gained.take(rows) + gained
        self._gained[rows] = total
        due = np.flatnonzero(total > _MOST_GAINED)
        if due.size:
            self._take_logarithms(rows[due])
            held[due] = self._held[rows[due]]

    def _take_logarithms(self, rows: Indices) -> None:
        logs = self._unit[rows] + np.log(np.abs(self._held[rows]))
        largest = logs.max(axis=1, keepdims=True)
        negligible = logs - largest < _NEGLIGIBLE
        self._held[rows] = np.where(negligible, -1.0, np.exp(logs - largest))
        self._unit[rows] = np.where(negligible, logs, largest)
        self._gained[rows] = 0.0
        self._some_negligible |= bool(negligible.any())

    def _means(self, held: Array, out: Array) -> Array:
        """Posterior weights of h and g, shape (2, lanes); neither is formed from the other."""
        if self._some_negligible:
            held = np.maximum(held, 0.0)
        # Unlike a product of matrices, these sums do not depend on how many lanes there are, to the last digit.
        np.einsum("ln,sn->sl", held, self._shares, out=out)
        out /= out[0] + out[1]
        return out

    def _rows(self, places: Indices) -> Indices:
        """Row of every cell's nodes; cells that are visited for the first time are given one."""
        rows = self._row.take(places)
        if rows.min(initial=0) < 0:
            self._make_room(np.unique(places[rows < 0]))
            self._row.take(places, out=rows, mode="clip")
        return rows

    def _make_room(self, new: Indices) -> None:
        """Give each of these cells a row of nodes."""
        first = self._visited
        self._visited += new.size
        self._row[new] = np.arange(first, self._visited)
        if self._visited > self._gained.size:
            self._held, self._unit, self._gained = (self._longer(old) for old in (self._held, self._unit, self._gained))
        self._held[first : self._visited] = 1.0

    def _longer(self, old: Array) -> Array:
        """The same rows, and zeros for more; memory that is not written to costs nothing."""
        least = _ROOM // self._shares.shape[1]
        new = np.zeros((min(self._cells.count, max(self._visited, 2 * len(old), least)), *old.shape[1:]))
        new[: len(old)] = old
        return new
