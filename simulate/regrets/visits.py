"""The visits of one gate cell, as far as regrets depend on them: everything relative to the better predictor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulate.gates.gradient import quotients

Array = NDArray[np.float64]

_STEEPEST = 300.0
"""Log of the steepest slope that is squared; a bound with a steeper one is beyond all losses anyway."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CellVisits:
    r"""The visits of one gate cell in order.

    Parameters
    ----------
    gains : ndarray, shape (visits,)
        :math:`D_i = \log g_i(y_i) - \log h_i(y_i)`, in nats.
    shortfalls : ndarray, shape (visits,)
        :math:`\max(\log g_i(y_i), \log h_i(y_i)) - \log f_i(y_i) \ge 0`, in nats.
    """

    gains: Array
    shortfalls: Array

    @property
    def count(self) -> int:
        """Number of visits."""
        return int(self.gains.size)

    def first(self, visits: int) -> CellVisits:
        """The same, cut after some visits."""
        return CellVisits(gains=self.gains[:visits], shortfalls=self.shortfalls[:visits])

    @cached_property
    def pays(self) -> tuple[Array, Array]:
        """What the in-weight and the in-context predictor lose more than the better one, visit by visit; nats."""
        return np.maximum(-self.gains, 0.0), np.maximum(self.gains, 0.0)

    @cached_property
    def paid(self) -> float:
        """What the gated predictor lost more than the better one of every visit, in nats."""
        return float(self.shortfalls.sum())

    @cached_property
    def squared_gains(self) -> Array:
        """Squares of the gains, in squared nats."""
        return np.asarray(self.gains**2)

    @cached_property
    def squared_slopes(self) -> float:
        r"""Sum of :math:`[(g_i - h_i)/f_i]^2`: the squared slopes of the loss in the weight where the gate was."""
        _, _, advantage = quotients(self.gains, np.zeros(self.gains.shape))
        return float(((advantage * np.exp(np.minimum(self.shortfalls, _STEEPEST))) ** 2).sum())
