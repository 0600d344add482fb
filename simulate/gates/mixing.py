r"""What a gate predicts: :math:`\log[\alpha g(y) + (1-\alpha) h(y)]`, without loss of digits however sure the gate is.

A weight close to 1 has lost its complement in double precision, and the complement is what a surprised gate pays: so
the mixture is formed from log-odds, or from the two weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulate.protocols import GatePath

Array = NDArray[np.float64]
Places = tuple[NDArray[np.intp], ...]

_FEW_DIGITS = 1e-290
"""A share below which the doubles run out."""


def path_of_log_odds(before: Array, after: Array, in_weight: Array, in_context: Array) -> GatePath:
    """The gate along a block from its log-odds, in nats, before and after each prompt; shape (rows, lanes) each."""
    weights = both_weights(before)
    predicted = _log_mixture(weights, lambda at: both_log_weights(before[at]), in_weight, in_context)
    return GatePath(weights[0], weight(after), predicted)


def weight(log_odds: Array) -> Array:
    r"""The weight :math:`\sigma(x)`, which keeps its digits however small it is.

    Examples
    --------
    >>> weight(np.array([np.log(3), -700.0])).tolist() == [0.75, np.exp(-700.0)]
    True
    """
    larger, smaller = _by_size(log_odds)
    return np.where(log_odds > 0, larger, smaller)


def both_weights(log_odds: Array) -> tuple[Array, Array]:
    r"""The weights :math:`\sigma(x)` and :math:`\sigma(-x)`, neither formed from the other, by one exponential.

    Examples
    --------
    >>> [float(weight) for weight in both_weights(np.array(-np.log(3)))]
    [0.25, 0.75]
    """
    larger, smaller = _by_size(log_odds)
    positive = log_odds > 0
    return np.where(positive, larger, smaller), np.where(positive, smaller, larger)


def both_log_weights(log_odds: Array) -> tuple[Array, Array]:
    r"""Logarithms of the weights :math:`\sigma(x)` and :math:`\sigma(-x)`, whose digits they keep.

    Examples
    --------
    >>> [float(log_weight) for log_weight in both_log_weights(np.array(800.0))]
    [0.0, -800.0]
    """
    of_larger = np.log1p(np.exp(-np.abs(log_odds)))
    return np.asarray(np.minimum(log_odds, 0.0) - of_larger), np.asarray(-np.maximum(log_odds, 0.0) - of_larger)


def _by_size(log_odds: Array) -> tuple[Array, Array]:
    """The larger weight, and the smaller one."""
    smaller = np.abs(np.asarray(log_odds, dtype=np.float64))[...]
    np.negative(smaller, out=smaller)
    np.exp(smaller, out=smaller)
    larger = 1 / (1 + smaller)
    smaller *= larger
    return larger, smaller


def log_mixture(log_odds: Array, in_weight: Array, in_context: Array) -> Array:
    r"""Log of the mixed probability, from the log-odds of the in-weight predictor.

    Parameters
    ----------
    log_odds : ndarray
        :math:`\log\frac{\alpha}{1-\alpha}` in nats; infinite for a gate that trusts one predictor alone.
    in_weight, in_context : ndarray
        :math:`\log g(y)` and :math:`\log h(y)` in nats.

    Examples
    --------
    >>> log_mixture(np.array([100.0]), np.array([-700.0]), np.array([0.0])).tolist()
    [-100.0]
    """
    return _log_mixture(both_weights(log_odds), lambda at: both_log_weights(log_odds[at]), in_weight, in_context)


def log_mixture_of_weights(weights: tuple[Array, Array], in_weight: Array, in_context: Array) -> Array:
    r"""Log of the mixed probability, from the weights of both predictors, which sum to 1.

    Examples
    --------
    >>> alone = (np.array([0.0]), np.array([1.0]))
    >>> log_mixture_of_weights(alone, np.array([-1.0]), np.array([-800.0])).tolist()
    [-800.0]
    """

    def logs(at: Places) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            return np.log(weights[0][at]), np.log(weights[1][at])

    return _log_mixture(weights, logs, in_weight, in_context)


def _log_mixture(
    weights: tuple[Array, Array],
    log_weights: Callable[[Places], tuple[Array, Array]],
    in_weight: Array,
    in_context: Array,
) -> Array:
    """The better predictor's, times what is left of it: 1 minus the lost share where that is small."""
    gap = np.asarray(in_weight - in_context)
    in_weight_better = gap > 0
    better, worse = np.where(in_weight_better, *weights), np.where(in_weight_better, *reversed(weights))
    np.abs(gap, out=gap)
    np.negative(gap, out=gap)
    # The share that is lost, counted negative.
    share = np.asarray(np.expm1(gap))
    share *= worse
    surprised = np.flatnonzero(share < -0.5)
    np.maximum(share, -0.5, out=share)
    np.log1p(share, out=share)
    predicted = np.asarray(np.maximum(in_weight, in_context) + share)
    if surprised.size:
        left = better.take(surprised) + worse.take(surprised) * np.exp(gap.take(surprised))
        at = np.unravel_index(surprised, share.shape)
        predicted[at] = np.maximum(in_weight[at], in_context[at]) + np.log(np.maximum(left, _FEW_DIGITS))
        few = tuple(place[left < _FEW_DIGITS] for place in at)
        of_g, of_h = log_weights(few)
        predicted[few] = np.logaddexp(of_g + in_weight[few], of_h + in_context[few])
    return predicted
