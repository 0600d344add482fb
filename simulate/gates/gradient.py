r"""Gates that descend the gradient of the loss in the weight: exponentiated and projected gradient.

The slope of :math:`-\log f(y)` in :math:`\alpha` is :math:`-(g(y)-h(y))/f(y)`. It is formed from the quotient of the
two probabilities, which may both be far below the smallest double.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells
from simulate.gates.mixing import both_weights, log_mixture_of_weights, path_of_log_odds, weight
from simulate.gates.summing import prior_log_odds
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]

_SMALLEST_SHARE = 1e-150
"""Share of the better predictor's probability below which the slope stops growing: no weight is left to change."""


class ExponentiatedGradientState:
    r"""The log-odds gain :math:`\lambda\,(g(y) - h(y))/f(y)` at every visit of a cell.

    Parameters
    ----------
    lanes : Lanes
        Learners with an :class:`~theory.setting.ExponentiatedGradientGate`.

    Notes
    -----
    Source: ``kivinen1997exponentiated``. A gate that is sure of one predictor takes a step of up to the quotient of
    both probabilities when that one fails. Where steps exceed 1e16 nats, the sum of a few of them has no digits left.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        self._rate = lanes.numbers("gate", "learning_rate")
        self._log_odds = np.repeat(prior_log_odds(lanes), self._cells.count // lanes.count)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        side, left, advantage = quotients(in_weight, in_context)
        push = self._rate * advantage
        before, after = np.empty((2, *in_weight.shape))
        for row, place in enumerate(self._cells.places(block)):
            held = self._log_odds.take(place, out=before[row], mode="clip")
            better, worse = both_weights(side[row] * held)
            share = better + left[row] * worse
            self._log_odds[place] = after[row] = held + push[row] / np.maximum(share, _SMALLEST_SHARE)
        return path_of_log_odds(before, after, in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return weight(self._log_odds[self._cells.places(block)])


class ProjectedGradientState:
    r"""The weight moves by :math:`\lambda\,(g(y) - h(y))/f(y)` at every visit of a cell, and stays in [0, 1].

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.ProjectedGradientGate`.

    Notes
    -----
    Source: ``zinkevich2003online``.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        self._rate = lanes.numbers("gate", "learning_rate")
        prior = lanes.numbers("gate", "prior_in_weight")
        self._weight = np.repeat(prior, self._cells.count // lanes.count)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        side, left, advantage = quotients(in_weight, in_context)
        push = self._rate * advantage
        # The better predictor's weight is alpha or 1 - alpha: an offset and a sign.
        offset, sign = np.where(side > 0, 0.0, 1.0), np.where(side > 0, 1.0, -1.0)
        before, after = np.empty((2, *in_weight.shape))
        for row, place in enumerate(self._cells.places(block)):
            held = self._weight.take(place, out=before[row], mode="clip")
            better = offset[row] + sign[row] * held
            share = better + left[row] * (1 - better)
            moved = held + push[row] / np.maximum(share, _SMALLEST_SHARE)
            self._weight[place] = after[row] = np.minimum(np.maximum(moved, 0.0), 1.0)
        return GatePath(before, after, log_mixture_of_weights((before, 1 - before), in_weight, in_context))

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return self._weight[self._cells.places(block)]


def quotients(in_weight: Array, in_context: Array) -> tuple[Array, Array, Array]:
    r"""What the slope is made of, from the log probabilities of the label.

    Returns
    -------
    side : ndarray
        1 where the in-weight predictor is better, -1 where it is worse, 0 where both are alike.
    left : ndarray
        The worse predictor's probability over the better one's.
    advantage : ndarray
        :math:`(g(y) - h(y))/\max(g(y), h(y))`.
    """
    gains = in_weight - in_context
    side, size = np.sign(gains), np.abs(gains)
    return side, np.exp(-size), side * -np.expm1(-size)
