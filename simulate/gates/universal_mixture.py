r"""The universal mixture: all constant gates, averaged under the prior Beta(1/2, 1/2) and the data.

The constant gates are those at Chebyshev's nodes :math:`a_k = \sin^2\frac{(2k+1)\pi}{4K}`, all of the same prior
weight: the Gauss rule of the prior. Each has the product of its predictions for a likelihood, of which both the
logarithm and what it gained since that was last taken are kept, so that a visit costs no logarithm.
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

_MOST_SPENT = 200.0
"""Nats that a node may fall behind until the logarithm of its likelihood is brought up to date."""
_NEGLIGIBLE = 1e-200
"""A likelihood, relative to the largest one, that cannot matter before that happens again."""


class UniversalMixtureState:
    r"""Mean of the constant gates at ``nodes`` nodes, weighted by what they predicted at a cell's earlier visits.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.UniversalMixtureGate`.

    Notes
    -----
    Source: ``cover1996universal``. Cells take memory when they are first visited: three numbers for each node.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        angle = np.pi * (2 * np.arange(lanes.common("gate", "nodes")) + 1) / (4 * lanes.common("gate", "nodes"))
        self._in_weight, self._in_context = np.sin(angle) ** 2, np.cos(angle) ** 2
        # No node falls behind by more at one visit, whatever the losses.
        self._most_at_once = -np.log(self._in_weight[0])
        self._row = np.full(self._cells.count, -1)
        self._visited = 0
        self._log_likelihood, self._since, self._relative = np.empty((3, 0, angle.size))
        self._spent = np.empty(0)
        self._weights = np.full((2, self._cells.count), 0.5)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        places = self._cells.places(block)
        self._make_room(places)
        gains = in_weight - in_context
        sizes = np.abs(gains)
        left, spent = np.exp(-sizes), np.minimum(sizes, self._most_at_once)
        before, after = np.empty((2, 2, *gains.shape))
        for row, place in enumerate(places):
            before[:, row] = self._weights[:, place]
            self._learn(self._row[place], gains[row] > 0, left[row], -np.expm1(-sizes[row]), spent[row])
            self._weights[:, place] = after[:, row] = self._means(self._row[place])
        predicted = log_mixture_of_weights((before[0], before[1]), in_weight, in_context)
        return GatePath(before[0], after[0], predicted)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return np.asarray(self._weights[0][self._cells.places(block)])

    def _learn(
        self, rows: Indices, in_weight_better: NDArray[np.bool_], left: Array, lost: Array, spent: Array
    ) -> None:
        """Multiply the likelihoods by the nodes' predictions, relative to the better predictor's."""
        of_better = np.where(in_weight_better[:, None], self._in_weight, self._in_context)
        of_better *= lost[:, None]
        of_better += left[:, None]
        of_better *= self._since[rows]
        self._since[rows] = of_better
        self._spent[rows] += spent
        due = rows[self._spent[rows] > _MOST_SPENT]
        if due.size:
            self._take_logarithms(due)

    def _take_logarithms(self, rows: Indices) -> None:
        logs = self._log_likelihood[rows] + np.log(self._since[rows])
        relative = np.exp(logs - logs.max(axis=1, keepdims=True))
        relative[relative < _NEGLIGIBLE] = 0.0
        self._log_likelihood[rows], self._relative[rows] = logs, relative
        self._since[rows], self._spent[rows] = 1.0, 0.0

    def _means(self, rows: Indices) -> Array:
        """Posterior weights of both predictors, shape (2, lanes); neither is formed from the other."""
        weights = self._relative[rows] * self._since[rows]
        sums = np.stack([(weights * share).sum(axis=1) for share in (self._in_weight, self._in_context)])
        return np.asarray(sums / sums.sum(axis=0))

    def _make_room(self, places: Indices) -> None:
        """Give the cells that are visited for the first time a row of nodes each."""
        new = np.unique(places[self._row[places] < 0])
        if not new.size:
            return
        self._row[new] = self._visited + np.arange(new.size)
        self._visited += new.size
        missing = self._visited - self._spent.size
        if missing > 0:
            more = max(missing, self._spent.size // 2)
            nodes = self._in_weight.size
            self._log_likelihood = np.concatenate([self._log_likelihood, np.zeros((more, nodes))])
            self._since = np.concatenate([self._since, np.ones((more, nodes))])
            self._relative = np.concatenate([self._relative, np.ones((more, nodes))])
            self._spent = np.concatenate([self._spent, np.zeros(more)])
