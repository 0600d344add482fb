r"""What the in-weight predictor pays above the Bayes risk, in forms in which no digits cancel at any number of visits.

For :math:`N \sim \mathrm{Bin}(n, p)` the exponent :math:`f(t) = pt + \log(1 - p + p e^{-t}) \ge 0` says by how much
the generating function of :math:`N` exceeds that of its mean; both functions here integrate it. Every array argument
broadcasts with the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_STEP: Final = 0.25
_BLOCK: Final = 1 << 12


def log_deficit(visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike) -> Array:
    r"""By how much noise in the counts lowers the expected logarithm: :math:`\log(np + b) - E\log(N + b) \ge 0`.

    .. math:: \int_0^\infty \bigl[e^{-bt}(1-p+pe^{-t})^n - e^{-(np+b)t}\bigr]\frac{dt}{t}

    Parameters
    ----------
    visits : array_like
        :math:`n \ge 0`.
    probability : array_like
        :math:`p` in [0, 1].
    pseudo_count : array_like
        :math:`b > 0`.

    Returns
    -------
    ndarray
        In nats; relative error about 1e-13, by the trapezoidal rule in :math:`\log t` (``trefethen2014exponentially``).

    Examples
    --------
    >>> bool(np.isclose(log_deficit(1, 0.25, 1.0), np.log(1.25) - 0.25 * np.log(2)))
    True
    """
    return _integrated(lambda _: 1.0, visits, probability, pseudo_count)


def log_gamma_surplus(visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike) -> Array:
    r"""By how much noise in the counts raises :math:`\log\Gamma`: :math:`E\log\Gamma(N+b) - \log\Gamma(np+b) \ge 0`.

    The integral of :func:`log_deficit` with the weight :math:`1/(1-e^{-t})`; same arguments, same accuracy.

    Examples
    --------
    >>> bool(np.isclose(log_gamma_surplus(1, 0.5, 1.0), -np.log(np.sqrt(np.pi) / 2)))
    True
    """
    return _integrated(lambda t: -1 / np.expm1(-t), visits, probability, pseudo_count)


def _integrated(
    weight: Callable[[Array], Array | float], visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike
) -> Array:
    n, p, b = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (visits, probability, pseudo_count)))
    flat = [a.reshape(-1) for a in (n, p, b)]
    result = np.zeros(n.size)
    # Without noise in the counts there is nothing to integrate.
    (noisy,) = np.nonzero((flat[0] > 0) & (flat[1] > 0) & (flat[1] < 1))
    for start in range(0, noisy.size, _BLOCK):
        rows = noisy[start : start + _BLOCK]
        result[rows] = _block(weight, *(a[rows, None] for a in flat))
    return result.reshape(n.shape)


def _block(weight: Callable[[Array], Array | float], n: Array, p: Array, b: Array) -> Array:
    # In units of 1/(np + b), below which the integrand falls at least linearly; it ends with exp(-b t).
    scale = n * p + b
    upper = np.log(45.0 * float(np.max(scale / b)))
    t = np.exp(np.arange(-41.5, upper + _STEP, _STEP)) / scale
    surplus = n * generating_surplus(t, p)
    value = np.exp(surplus - scale * t) * -np.expm1(-surplus) * weight(t)
    return np.asarray(_STEP * value.sum(axis=1))


def generating_surplus(t: Array, p: Array) -> Array:
    r""":math:`f(t) = pt + \log(1-p+pe^{-t}) \ge 0` for :math:`t > 0`, without cancellation at small :math:`t`.

    Equal to :math:`\log[1 + (1-p)\,e_2(pt) + p\,e_2(-(1-p)t)]` with :math:`e_2(x) = e^x - 1 - x \ge 0`.
    """
    small = np.minimum(t, 1.0)
    series = np.log1p((1 - p) * _exponential_tail(p * small) + p * _exponential_tail(-(1 - p) * small))
    direct = p * t + np.log1p(np.maximum(p * np.expm1(-t), -1 + 1e-16))
    return np.asarray(np.where(t <= 1, series, direct))


def _exponential_tail(x: Array) -> Array:
    """:math:`e^x - 1 - x` for ``|x| <= 1`` by its series."""
    total = np.zeros_like(x)
    for power in range(18, 2, -1):
        total = x / power * (1 + total)
    return np.asarray(x * x / 2 * (1 + total))


def log_ratio_loss(difference: ArrayLike, ratio: ArrayLike) -> Array:
    r""":math:`r - \log(1+r) \ge 0`, given :math:`r` and :math:`1+r` each without rounding of the other.

    What a probability costs that is off by the factor :math:`1+r`; accurate near :math:`r = 0` and near :math:`r = -1`.

    Examples
    --------
    >>> float(log_ratio_loss(1e-9, 1 + 1e-9))
    4.99999999666...e-19
    """
    r, one_plus_r = np.broadcast_arrays(np.asarray(difference, np.float64), np.asarray(ratio, np.float64))
    near = np.abs(r) < 0.1
    z = np.where(near, r, 0.0)
    series = np.zeros_like(z)
    for power in range(20, 1, -1):
        series = 1 / power - z * series
    return np.asarray(np.where(near, z * z * series, r - np.log(np.where(near, 1.0, one_plus_r))))
