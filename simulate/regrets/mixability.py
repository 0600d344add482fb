"""The mixability gaps of AdaHedge along one sequence, number by number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NO_GAP = 1e-300


def cumulative_mixability_gaps(gains: Array) -> Array:
    r"""Sums :math:`\Delta_i` of the mixability gaps that AdaHedge meets (``derooij2014follow``).

    Parameters
    ----------
    gains : ndarray, shape (visits,)
        :math:`\log g_i(y_i) - \log h_i(y_i)`, in nats.

    Returns
    -------
    ndarray, shape (visits,)
        In nats.

    Examples
    --------
    >>> cumulative_mixability_gaps(np.array([2.0, 2.0])).round(6).tolist()
    [1.0, 1.165535]
    """
    lead = total = 0.0
    totals = np.empty(gains.size)
    for i, gain in enumerate(gains.tolist()):
        rate = math.log(2) / max(total, _NO_GAP)
        total += _gap(math.copysign(1.0, gain) * rate * lead, abs(gain), rate)
        lead += gain
        totals[i] = total
    return totals


def _gap(log_odds: float, size: float, rate: float) -> float:
    """Mean loss minus the loss of the exponential mixture, for the log-odds of the better predictor."""
    log_better, log_worse = -_softplus(-log_odds), -_softplus(log_odds)
    worse = math.exp(log_worse)
    lost = worse * -math.expm1(-rate * size)
    if lost < 0.5:
        return max(worse * size + math.log1p(-lost) / rate, 0.0)
    far = log_worse - rate * size - log_better
    return max(worse * size + (log_better + _softplus(far)) / rate, 0.0)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
