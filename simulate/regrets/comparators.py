r"""What a gate's loss is held against: the best constant gate, and the best one that switches a few times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulate.gates.gradient import quotients
from simulate.gates.mixing import both_weights, log_mixture

Array = NDArray[np.float64]

_SMALLEST_SHARE = 1e-150


def best_constant(gains: Array) -> tuple[float, float]:
    r"""The best constant gate in hindsight, by a search for the zero of the loss's increasing slope.

    Parameters
    ----------
    gains : ndarray, shape (visits,)
        :math:`D_i = \log g_i(y_i) - \log h_i(y_i)`, in nats.

    Returns
    -------
    log_odds : float
        Its log-odds; infinite for one of the predictors alone.
    loss : float
        What it loses more than the better predictor of every visit, in nats.

    Examples
    --------
    >>> log_odds, loss = best_constant(np.array([800.0, -800.0]))
    >>> round(abs(log_odds), 12), round(loss, 12)
    (0.0, 1.38629436112)
    >>> best_constant(np.array([1.0, 2.0]))
    (inf, 0.0)
    """
    side, left, advantage = quotients(gains, np.zeros(gains.shape))

    def rise(log_odds: float) -> float:
        """How fast the loss falls with the weight."""
        better, worse = both_weights(side * log_odds)
        return float((advantage / np.maximum(better + left * worse, _SMALLEST_SHARE)).sum())

    farthest = float(np.abs(gains).max()) + 50.0
    # Without a product of 0 and infinity where both predictors are alike.
    if rise(farthest) >= 0:
        log_odds = np.inf
    elif rise(-farthest) <= 0:
        log_odds = -np.inf
    else:
        log_odds = float(brentq(rise, -farthest, farthest, xtol=1e-12))
    mixed = log_mixture(np.full(gains.shape, log_odds), np.minimum(gains, 0.0), np.minimum(-gains, 0.0))
    return log_odds, float(np.abs(mixed).sum())


def least_switching_loss(pays: tuple[Array, Array], switches: int) -> float:
    """Loss of the best sequence of predictors that starts with the first one and switches a given number of times.

    By dynamic programming: the best way to switch once more after any visit is a running minimum.

    Parameters
    ----------
    pays : tuple of two ndarray, shape (visits,)
        Losses of the predictor to start with, and of the other one.
    switches : int
        At least 0; fewer than there are visits.

    Examples
    --------
    >>> least_switching_loss((np.array([0.0, 5.0, 5.0]), np.array([9.0, 1.0, 1.0])), 1)
    2.0
    """
    totals = [np.concatenate([[0.0], np.cumsum(losses)]) for losses in pays]
    least = totals[0]
    for number in range(1, switches + 1):
        current = totals[number % 2]
        before = least - current
        before[:number] = np.inf
        least = np.concatenate([[np.inf], current[1:] + np.minimum.accumulate(before)[:-1]])
    return float(least[-1])
