r"""How the counts of noisy labels decide about the in-weight losses of the first visits.

Given that :math:`k` labels were noise, their counts :math:`N_y` are multinomial over the labels that share the noise,
and the table's losses depend on :math:`\sum_y \log[\Gamma(N_y+b)/\Gamma(b)]`; the next noisy label costs
:math:`-\log(N+b)` with :math:`N \sim \mathrm{Bin}(k, 1/J)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from theory.in_context import LossLaw
from theory.in_weight import LabelLaw
from theory.numerics.special import binomial_law, binomial_log_probability, log_rising

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelCounts:
    r"""Law of the label counts over the first visits, given how many labels were noise.

    Parameters
    ----------
    rise, rise_variance : ndarray, shape (k,)
        Mean and variance of :math:`\sum_y \log[\Gamma(N_y+b)/\Gamma(b)]` given 0, 1, ... noisy labels, exact.
    gains : tuple of LossLaw
        Law of what the next noisy label adds, given 0, 1, ... before it: the exact mean, and a variance such that the
        steps, taken as independent, add up to ``rise_variance`` while that grows.
    """

    rise: Array
    rise_variance: Array
    gains: tuple[LossLaw, ...]


@lru_cache(maxsize=64)
def label_counts(most: int, labels: int, pseudo_count: float) -> LabelCounts:
    """The law for up to so many noisy labels, spread uniformly over ``labels`` labels.

    Examples
    --------
    >>> counts = label_counts(2, 2, 1.0)
    >>> float(np.round(np.exp(2 * counts.rise[2]), 12))  # two labels: 2! or 1! 1!, with equal probability
    2.0
    """
    numbers = np.arange(most + 2, dtype=np.float64)
    gain = log_rising(pseudo_count, numbers)
    if labels == 1:
        rise, variance = gain, np.zeros_like(gain)
    else:
        first, second = _binomials(most + 1, 1 / labels), _binomials(most + 1, 1 / (labels - 1))
        mean, square = first @ gain, first @ gain**2
        # Given the first count, the second is binomial among the others.
        other = second @ gain
        product = np.array([first[k, : k + 1] @ (gain[: k + 1] * other[k::-1]) for k in range(most + 2)])
        rise = labels * mean
        variance = np.maximum(labels * square + labels * (labels - 1) * product - rise**2, 0.0)
    steps = tuple(_gain(k, labels, pseudo_count, float(variance[k + 1] - variance[k])) for k in range(most + 1))
    return LabelCounts(rise[: most + 1], variance[: most + 1], steps)


def _binomials(most: int, probability: float) -> Array:
    """Probabilities of Binomial(k, p), one row for each k."""
    if probability == 1:
        return np.eye(most + 1)
    values = np.arange(most + 1, dtype=np.float64)
    table = np.zeros((most + 1, most + 1))
    for k in range(most + 1):
        table[k, : k + 1] = np.exp(binomial_log_probability(values[: k + 1], k, probability))
    return table


def _gain(before: int, labels: int, pseudo_count: float, variance: float) -> LossLaw:
    seen, weight = binomial_law(before, 1 / labels)
    gain = np.log(seen + pseudo_count)
    mean = float(weight @ gain)
    spread = float(weight @ (gain - mean) ** 2)
    scale = math.sqrt(max(variance, 0.0) / spread) if spread > 0 else 0.0
    return LossLaw(mean + scale * (gain - mean), weight)


def likely_counts(labels: LabelLaw, visits: int, unlikely: float) -> tuple[int, Array]:
    """The smallest likely number of noisy labels, and the probabilities of this and the following numbers."""
    numbers, weights = binomial_law(visits, labels.noise)
    kept = np.flatnonzero(weights > unlikely)
    return int(numbers[kept[0]]), weights[kept[0] : kept[-1] + 1]
