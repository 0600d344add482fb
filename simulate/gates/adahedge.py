"""AdaHedge: Hedge that sets its rate by the losses seen so far."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells
from simulate.gates.mixing import both_log_weights, both_weights, path_of_log_odds, weight
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]

_NO_GAP = 1e-300
"""A sum of mixability gaps that counts as none: the rate is as good as infinite, and the gate follows the leader."""


class AdaHedgeState:
    r"""Hedge at the rate :math:`\log 2/\Delta`, where :math:`\Delta` sums the mixability gaps of a cell's visits.

    Parameters
    ----------
    lanes : Lanes
        Learners with an :class:`~theory.setting.AdaHedgeGate`.

    Notes
    -----
    Source: ``derooij2014follow``, with the two predictors' losses at a visit for the losses of two experts.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        self._lead, self._gaps = np.zeros((2, self._cells.count))

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        gains = in_weight - in_context
        sizes, sides = np.abs(gains), np.sign(gains)
        before, after = np.empty((2, *gains.shape))
        for row, place in enumerate(self._cells.places(block)):
            lead, gaps = self._lead.take(place), self._gaps.take(place)
            rate = _rate(gaps)
            before[row] = rate * lead
            gaps = gaps + mixability_gap(sides[row] * before[row], sizes[row], rate)
            lead = lead + gains[row]
            after[row] = _rate(gaps) * lead
            self._lead[place], self._gaps[place] = lead, gaps
        return path_of_log_odds(before, after, in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        places = self._cells.places(block)
        return weight(_rate(self._gaps[places]) * self._lead[places])


def _rate(gaps: Array) -> Array:
    return np.asarray(np.log(2) / np.maximum(gaps, _NO_GAP))


def mixability_gap(log_odds: Array, size: Array, rate: Array) -> Array:
    r"""Mean loss minus the loss of the exponential mixture, for losses 0 (weight :math:`b`) and ``size`` (:math:`v`).

    .. math:: v\,d + \tfrac1\eta\log(b + v e^{-\eta d}), \qquad b = \sigma(\text{log-odds}),\; v = 1 - b

    Parameters
    ----------
    log_odds : ndarray
        Log-odds of the predictor that is better at the visit, in nats.
    size : ndarray
        :math:`d \ge 0`: what the other one loses more, in nats.
    rate : ndarray
        :math:`\eta > 0`, per nat.

    Returns
    -------
    ndarray
        At least 0, in nats.

    Notes
    -----
    Both ends of the range have a form of their own, in which the small weight comes out of the logarithm.

    Examples
    --------
    >>> gap = mixability_gap(np.array([0.0, 0.0, -800.0]), np.array([0.0, 2.0, 2.0]), np.array([1.0, 1e300, 1.0]))
    >>> gap.tolist()
    [0.0, 1.0, 0.0]
    """
    scaled = rate * size
    better, worse = both_weights(log_odds)
    log_better, log_worse = both_log_weights(log_odds)
    lost = worse * -np.expm1(-scaled)
    won = np.exp(np.minimum(log_better + scaled, 0.0)) - better
    apart = worse * size + np.logaddexp(log_better, log_worse - scaled) / rate
    sure = worse * size + np.log1p(-np.minimum(lost, 0.5)) / rate
    wrong = np.log1p(np.clip(won, 0.0, 0.5)) / rate - better * size
    gap = np.where(lost < 0.5, sure, np.where((log_better + scaled < 0) & (won < 0.5), wrong, apart))
    return np.asarray(np.maximum(gap, 0.0))
