r"""Pointwise redundancy: what the Dirichlet table loses beyond the empirical entropy, at most, on every sequence.

With :math:`(x)_n = \Gamma(x+n)/\Gamma(x)`, :math:`s` labels that can occur and counts :math:`N_y`, which sum to
:math:`n`, :math:`\Lambda_n - n\hat H_n = \log\frac{(Cb)_n}{n^n} + \sum_y \log\frac{N_y^{N_y}}{(b)_{N_y}}`. For
:math:`b \ge \tfrac12` the terms are convex in :math:`N_y` and the worst sequence has a single label. For
:math:`b < \tfrac12` each term is that of :math:`b = \tfrac12` plus
:math:`D(N) = \log\frac{(1/2)_N}{(b)_N}`, which is concave, so that equal counts are the worst of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from theory.numerics.special import log_rising

Array = NDArray[np.float64]


def pointwise_redundancy(visits: ArrayLike, total_labels: int, support: int, pseudo_count: float) -> Array:
    r"""Upper bound :math:`V(n)` on :math:`\Lambda_n - n\hat H_n` for every sequence of the labels that can occur.

    .. math::
        V(n) = \log\frac{(Cb)_n}{(b)_n}\quad (b \ge \tfrac12), \qquad
        V(n) = \log\frac{(Cb)_n}{(1/2)_n} + s\,D\!\left(\frac ns\right)\quad (b < \tfrac12)

    Parameters
    ----------
    visits : array_like
        :math:`n \ge 0`.
    total_labels, support : int
        :math:`C`, and the number :math:`s` of labels of positive probability.
    pseudo_count : float
        :math:`b > 0`.

    Returns
    -------
    ndarray
        In nats, same shape.

    Examples
    --------
    >>> round(float(np.exp(pointwise_redundancy(3, 4, 2, 1.0))), 9)  # binomial(3 + 3, 3)
    20.0
    """
    n, b = np.asarray(visits, dtype=np.float64), pseudo_count
    if b >= 0.5:
        return np.asarray(log_rising(total_labels * b, n) - log_rising(b, n))
    share = n / support
    spread = support * (log_rising(0.5, share) - log_rising(b, share))
    return np.asarray(log_rising(total_labels * b, n) - log_rising(0.5, n) + spread)


def pointwise_slope(visits: float, total_labels: int, support: int, pseudo_count: float) -> float:
    r"""Upper bound on the slope of :math:`V` from there on: every part of it is concave, or falls."""
    n, b = visits, pseudo_count
    if b >= 0.5:
        return float(digamma(n + total_labels * b) - digamma(n + b))
    share = n / support
    common = float(digamma(n + total_labels * b) - digamma(n + 0.5))
    return max(common, 0.0) + float(digamma(share + 0.5) - digamma(share + b))
