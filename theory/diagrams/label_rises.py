r"""How often one label came, and what that does to the table's loss, for many settings at once.

A label that came :math:`N` times lowers the table's cumulative loss by the rise
:math:`\log\Gamma(N+b)/\Gamma(b)`. Where labels are rare and the pseudo-count :math:`b` is small, this is far from a
parabola on the scale of :math:`N`'s spread (the first visit alone adds :math:`\log b`, the second one
:math:`\log(1+b)`): its law is then summed, not expanded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.numerics.special import log_rising

Array = NDArray[np.float64]

_FEW = 8.0
_MOST, _NEGLIGIBLE = 40, 1e-15


@dataclass(frozen=True, eq=False)
class LabelRises:
    r"""Rise of a label that came a binomial number of times; arrays of any one shape.

    Parameters
    ----------
    mean : ndarray
        :math:`E\log\Gamma(N+b)/\Gamma(b)`.
    slope : ndarray
        What one more visit with this label adds: the regression of the rise on :math:`N`.
    rest : ndarray
        Variance of the rise beyond this regression.
    """

    mean: Array
    slope: Array
    rest: Array


def label_rises(visits: Array, probability: Array, pseudo_count: Array) -> LabelRises:
    r"""Moments of the rise: summed for labels that are expected up to 8 times, to second order beyond.

    Parameters
    ----------
    visits, probability, pseudo_count : ndarray, shape (k,)
        Visits of a class, the probability of the label at each, and :math:`b`.

    Examples
    --------
    >>> one = label_rises(np.array([2.0]), np.array([0.5]), np.array([1.0]))
    >>> bool(np.isclose(one.mean[0], 0.25 * np.log(2)))  # the label came twice with probability 1/4
    True
    """
    mean, slope, rest = _expanded(visits, probability, pseudo_count)
    few = np.flatnonzero((visits * probability <= _FEW) & (probability > 0) & (probability < 1))
    if few.size:
        mean[few], slope[few], rest[few] = _summed(visits[few], probability[few], pseudo_count[few])
    return LabelRises(mean, slope, rest)


def _expanded(visits: Array, probability: Array, b: Array) -> tuple[Array, Array, Array]:
    """Of a label that came often, or whose number is known."""
    count = visits * probability
    variance, third = count * (1 - probability), count * (1 - probability) * (1 - 2 * probability)
    # The derivatives of the log-gamma function at count + b are nearly powers of this.
    centre = np.maximum(count + b - 0.5, 0.5)
    ratio = variance / centre
    beyond = 0.5 * ratio - third / (6 * centre * centre) + 0.25 * ratio * ratio / centre
    return log_rising(b, count) + beyond, np.log(count + b), 0.5 * ratio * ratio


def _summed(visits: Array, probability: Array, b: Array) -> tuple[Array, Array, Array]:
    """Of a label that came a few times, by summing the binomial law."""
    odds, mean = probability / (1 - probability), visits * probability
    weight, rise = np.exp(visits * np.log1p(-probability)), np.zeros_like(visits)
    first, second, joint = (np.zeros_like(visits) for _ in range(3))
    for count in range(_MOST):
        if count > _FEW and float(weight.max()) < _NEGLIGIBLE:
            break
        first += weight * rise
        second += weight * rise * rise
        joint += weight * rise * (count - mean)
        weight = weight * odds * np.maximum(visits - count, 0.0) / (count + 1)
        rise = rise + np.log(b + count)
    variance = mean * (1 - probability)
    slope = joint / variance
    return first, slope, np.maximum(second - first * first - slope * joint, 0.0)
