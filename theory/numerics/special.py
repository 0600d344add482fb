"""Special functions in the forms that keep their digits: gamma ratios, binomial laws, expected logarithms."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlog1py, xlogy

Array = NDArray[np.float64]

_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)
_SERIES_FROM: Final = 16.0
_LOG_CUT: Final = 42.0


def stirling_remainder(x: ArrayLike) -> Array:
    r"""What Stirling's formula leaves: :math:`s(x) = \log\Gamma(x) - (x - \tfrac12)\log x + x - \tfrac12\log 2\pi`.

    Positive and small (:math:`1/(12x)` and less), so that a gamma ratio written with it loses no digits at large
    arguments.

    Parameters
    ----------
    x : array_like
        Positive arguments, any shape.

    Returns
    -------
    ndarray
        :math:`s(x)`, same shape; absolute error below 1e-14 for ``x >= 1e-3``.

    Examples
    --------
    >>> float(stirling_remainder(1.0))  # 1 - log(2 pi)/2
    0.0810614667953...
    """
    x = np.asarray(x, dtype=np.float64)
    if x.size and x.max() < _SERIES_FROM:
        return np.asarray(gammaln(x) - (x - 0.5) * np.log(x) + x - _HALF_LOG_TWO_PI, dtype=np.float64)
    result = stirling_series(np.maximum(x, _SERIES_FROM))
    small = x < _SERIES_FROM
    if np.any(small):
        z = np.where(small, x, 1.0)
        result = np.where(small, gammaln(z) - (z - 0.5) * np.log(z) + z - _HALF_LOG_TWO_PI, result)
    return np.asarray(result, dtype=np.float64)


def stirling_series(x: Array) -> Array:
    """Asymptotic series of :func:`stirling_remainder`, for arguments of at least 16 (absolute error below 1e-14)."""
    inverse = 1 / x
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))


def log_rising(start: ArrayLike, count: ArrayLike) -> Array:
    r"""Log of the rising factorial: :math:`\log\Gamma(x + k) - \log\Gamma(x)`, shape by broadcasting.

    Examples
    --------
    >>> round(float(np.exp(log_rising(0.5, 3))), 12)  # 0.5 * 1.5 * 2.5
    1.875
    """
    start, count = np.asarray(start, dtype=np.float64), np.asarray(count, dtype=np.float64)
    return np.asarray(xlogy(count, start + count) - count + log_rising_residue(start, count), dtype=np.float64)


def log_rising_residue(start: ArrayLike, count: ArrayLike) -> Array:
    r"""What :math:`\log\Gamma(x+k) - \log\Gamma(x)` has beyond :math:`k\log(x+k) - k`; grows like :math:`\log k` only.

    In a cumulative loss the large terms cancel between numerator and denominator; this is what remains.
    """
    start, count = np.asarray(start, dtype=np.float64), np.asarray(count, dtype=np.float64)
    slow = (start - 0.5) * np.log1p(count / start)
    return np.asarray(slow + stirling_remainder(start + count) - stirling_remainder(start), dtype=np.float64)


def binomial_law(trials: int, probability: float) -> tuple[NDArray[np.int64], Array]:
    r"""Effective support and probabilities of Binomial(n, p): values less likely than e^-42 are left out.

    Parameters
    ----------
    trials : int
        :math:`n \ge 0`, up to 1e15.
    probability : float
        :math:`p` in [0, 1].

    Returns
    -------
    values : ndarray of int, shape (k,)
        Consecutive numbers of successes, or evenly spaced ones where there are more than 4096 of them: the law is
        then smooth on the scale of the spacing, and the weights are normalised over the kept values.
    probabilities : ndarray, shape (k,)
        Their weights, summing to one.

    Examples
    --------
    >>> values, weights = binomial_law(2, 0.5)
    >>> values.tolist(), [round(float(w), 6) for w in weights]
    ([0, 1, 2], [0.25, 0.5, 0.25])
    """
    if probability <= 0 or trials == 0:
        return np.zeros(1, dtype=np.int64), np.ones(1)
    if probability >= 1:
        return np.full(1, trials, dtype=np.int64), np.ones(1)
    mean = trials * probability
    if mean < 1e-290:
        # Nothing but 0 has a probability that double precision knows beside 1.
        return np.zeros(1, dtype=np.int64), np.ones(1)
    # Chernoff with Bernstein's form of the exponent: beyond this radius the law is below the cut.
    radius = _LOG_CUT / 3 + math.sqrt((_LOG_CUT / 3) ** 2 + 2 * _LOG_CUT * mean * (1 - probability)) + 1
    first, last = max(0, math.floor(mean - radius)), min(trials, math.ceil(mean + radius))
    stride = max(1, (last - first) // 4096)
    values = np.arange(first, last + 1, stride, dtype=np.int64)
    log_weights = binomial_log_probability(values, trials, probability)
    kept = log_weights >= float(log_weights.max()) - _LOG_CUT
    weights = np.exp(log_weights[kept])
    return values[kept], weights / weights.sum()


def binomial_log_probability(values: ArrayLike, trials: ArrayLike, probability: ArrayLike) -> Array:
    r"""Log-probabilities of Binomial(n, p), by deviances (``loader2000fast``), accurate at any :math:`n`.

    Differences of ``gammaln`` lose 1e-6 relative at ``n = 1e12``; deviances do not.
    """
    k, n, p = (np.asarray(a, dtype=np.float64) for a in (values, trials, probability))
    rest = n - k
    inner = (k > 0) & (rest > 0)
    k_safe, rest_safe = np.where(inner, k, 1.0), np.where(inner, rest, 1.0)
    n_safe = np.where(inner, n, 2.0)
    middle = (
        stirling_remainder(n_safe)
        - stirling_remainder(k_safe)
        - stirling_remainder(rest_safe)
        - _deviance(k_safe, n_safe * p)
        - _deviance(rest_safe, n_safe * (1 - p))
        + 0.5 * np.log(n_safe / (2 * math.pi * k_safe * rest_safe))
    )
    edge = xlogy(k, p) + xlog1py(rest, -p)
    return np.asarray(np.where(inner, middle, edge), dtype=np.float64)


def _deviance(x: Array, mean: Array) -> Array:
    r"""Poisson deviance :math:`x\log(x/\mu) - x + \mu` without cancellation near :math:`x = \mu`."""
    ratio = (x - mean) / mean
    near = np.abs(ratio) < 0.1
    r = np.where(near, ratio, 0.05)
    # (1+r) log(1+r) - r by its series: the closed form loses half the digits here.
    series = np.zeros_like(r)
    for power in range(18, 1, -1):
        series = (-1) ** power / (power * (power - 1)) + series * r
    direct = np.where(near, 1.0, x) * np.log(np.where(near, 1.0, x / mean)) - np.where(near, 1.0, x - mean)
    return np.asarray(np.where(near, mean * r * r * series, direct), dtype=np.float64)


def frullani_nodes(largest: float, smallest_rate: float) -> tuple[Array, float]:
    r"""Nodes :math:`t = e^u` for :math:`\int_0^\infty F(t)\,dt/t = \int F(e^u)\,du` by the trapezoidal rule.

    The integrands of the expected logarithms are analytic for :math:`|\mathrm{Im}\,u| < \pi/2`, so the rule's error is
    of the order of :math:`e^{-\pi^2/h}`: 1e-17 at the step :math:`h = 1/4`
    (``trefethen2014exponentially``).

    Parameters
    ----------
    largest : float
        The largest rate in the integrand (about ``n + C b``): below ``1e-18 / largest`` it vanishes.
    smallest_rate : float
        The slowest exponential decay in the integrand: beyond ``45 / smallest_rate`` it vanishes.
    """
    step = 0.25
    lower, upper = -41.5 - math.log(largest), math.log(45.0 / smallest_rate)
    return np.exp(np.arange(lower, upper + step, step)), step


def log_generating(t: ArrayLike, probability: float) -> Array:
    r""":math:`\log(1 - p + p e^{-t})` for :math:`t \ge 0`, without forming it by a subtraction."""
    t = np.asarray(t, dtype=np.float64)
    if probability >= 1:
        return np.asarray(-t)
    # The clip only keeps log1p off its pole for p = 1 - rounding at large t, where e^{-t} no longer shows.
    return np.asarray(np.log1p(np.maximum(probability * np.expm1(-t), -1 + 1e-16)), dtype=np.float64)


def minus_product(total: ArrayLike, number: ArrayLike, share: ArrayLike) -> Array:
    r""":math:`t - Cp`, accurate even where almost nothing remains, for whole :math:`C` up to about 1e8.

    The share is split into two halves (Veltkamp), whose products with :math:`C` are exact.

    Examples
    --------
    >>> float(minus_product(1, 3, 1 / 3))  # 1/3 as a double is 2^-54/3 less than a third
    5.551115123125783e-17
    """
    total, number, share = (np.asarray(a, dtype=np.float64) for a in (total, number, share))
    spread = 134217729.0 * share
    high = spread - (spread - share)
    return np.asarray((total - number * high) - number * (share - high), dtype=np.float64)
