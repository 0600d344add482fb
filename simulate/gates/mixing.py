r"""What a gate predicts: :math:`\log[\alpha g(y) + (1-\alpha) h(y)]`, without loss of digits however sure the gate is.

A weight close to 1 has lost its complement in double precision, and the complement is what a surprised gate pays: so
the mixture is formed from log-odds, or from the two weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from simulate.protocols import GatePath

Array = NDArray[np.float64]

_FEW_DIGITS = 1e-290
"""A share below which the doubles run out."""


def path_of_log_odds(before: Array, after: Array, in_weight: Array, in_context: Array) -> GatePath:
    """The gate along a block from its log-odds, in nats, before and after each prompt; shape (rows, lanes) each."""
    weights = both_weights(before)
    predicted = _log_mixture(weights, lambda at: (log_expit(before[at]), log_expit(-before[at])), in_weight, in_context)
    return GatePath(weights[0], both_weights(after)[0], predicted)


def both_weights(log_odds: Array) -> tuple[Array, Array]:
    r"""The weights :math:`\sigma(x)` and :math:`\sigma(-x)`, neither formed from the other, by one exponential.

    Examples
    --------
    >>> [float(weight) for weight in both_weights(np.array(-np.log(3)))]
    [0.25, 0.75]
    """
    odds = np.exp(-np.abs(log_odds))
    larger = 1 / (1 + odds)
    smaller = odds * larger
    positive = log_odds > 0
    return np.where(positive, larger, smaller), np.where(positive, smaller, larger)


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
    return _log_mixture(
        both_weights(log_odds), lambda at: (log_expit(log_odds[at]), log_expit(-log_odds[at])), in_weight, in_context
    )


def log_mixture_of_weights(weights: tuple[Array, Array], in_weight: Array, in_context: Array) -> Array:
    r"""Log of the mixed probability, from the weights of both predictors, which sum to 1.

    Examples
    --------
    >>> alone = (np.array([0.0]), np.array([1.0]))
    >>> log_mixture_of_weights(alone, np.array([-1.0]), np.array([-800.0])).tolist()
    [-800.0]
    """

    def logs(at: NDArray[np.bool_]) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            return np.log(weights[0][at]), np.log(weights[1][at])

    return _log_mixture(weights, logs, in_weight, in_context)


def _log_mixture(
    weights: tuple[Array, Array],
    log_weights: Callable[[NDArray[np.bool_]], tuple[Array, Array]],
    in_weight: Array,
    in_context: Array,
) -> Array:
    """The better predictor's, times what is left of it: 1 minus the lost share where that is small."""
    gap = np.abs(in_weight - in_context)
    in_weight_better = in_weight > in_context
    better, worse = np.where(in_weight_better, *weights), np.where(in_weight_better, *reversed(weights))
    left, lost = better + worse * np.exp(-gap), worse * -np.expm1(-gap)
    share = np.where(lost < 0.5, np.log1p(-np.minimum(lost, 0.5)), np.log(np.maximum(left, _FEW_DIGITS)))
    predicted = np.maximum(in_weight, in_context) + share
    few = left < _FEW_DIGITS
    if few.any():
        of_g, of_h = log_weights(few)
        predicted[few] = np.logaddexp(of_g + in_weight[few], of_h + in_context[few])
    return np.asarray(predicted)
