r"""What the in-weight predictor pays above the Bayes risk, in forms in which no digits cancel at any number of visits.

For :math:`N \sim \mathrm{Bin}(n, p)` the exponent :math:`f(t) = pt + \log(1 - p + p e^{-t}) \ge 0` says by how much
the generating function of :math:`N` exceeds that of its mean; the functions here integrate it. Every array argument
broadcasts with the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_STEP: Final = 0.25
_BLOCK: Final = 1 << 9
# Beyond it exp overflows soon.
_LARGEST: Final = 700.0


def log_deficit(
    visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike, complement: ArrayLike | None = None
) -> Array:
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
    complement : array_like, optional
        :math:`1 - p`, where it is known better than to rounding of 1.

    Returns
    -------
    ndarray
        In nats; relative error about 1e-13, by the trapezoidal rule in :math:`\log t` (``trefethen2014exponentially``).

    Examples
    --------
    >>> bool(np.isclose(log_deficit(1, 0.25, 1.0), np.log(1.25) - 0.25 * np.log(2)))
    True
    """
    return _integrated(lambda _: 1.0, visits, probability, pseudo_count, complement)


def inverse_surplus(
    visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike, complement: ArrayLike | None = None
) -> Array:
    r"""By how much noise in the counts raises the mean inverse: :math:`E\frac{1}{N+b} - \frac{1}{np+b} \ge 0`.

    The integral of :func:`log_deficit` with the weight :math:`t`; same arguments, same accuracy.

    Examples
    --------
    >>> bool(np.isclose(inverse_surplus(1, 0.5, 1.0), 3 / 4 - 2 / 3))
    True
    """
    return _integrated(lambda t: t, visits, probability, pseudo_count, complement)


def log_gamma_surplus(visits: ArrayLike, probability: ArrayLike, pseudo_count: ArrayLike) -> Array:
    r"""By how much noise in the counts raises :math:`\log\Gamma`: :math:`E\log\Gamma(N+b) - \log\Gamma(np+b) \ge 0`.

    The integral of :func:`log_deficit` with the weight :math:`1/(1-e^{-t})`; same arguments, same accuracy.

    Examples
    --------
    >>> bool(np.isclose(log_gamma_surplus(1, 0.5, 1.0), -np.log(np.sqrt(np.pi) / 2)))
    True
    """
    return _integrated(lambda t: -1 / np.expm1(-t), visits, probability, pseudo_count, None)


def _integrated(
    weight: Callable[[Array], Array | float],
    visits: ArrayLike,
    probability: ArrayLike,
    pseudo_count: ArrayLike,
    complement: ArrayLike | None,
) -> Array:
    rest = 1 - np.asarray(probability, dtype=np.float64) if complement is None else complement
    arguments = (visits, probability, pseudo_count, rest)
    n, p, b, q = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in arguments))
    flat = [a.reshape(-1) for a in (n, p, b, q)]
    result = np.zeros(n.size)
    # Without noise in the counts there is nothing to integrate.
    (noisy,) = np.nonzero((flat[0] > 0) & (flat[1] > 0) & (flat[3] > 0))
    # Points that need about as many nodes go together.
    noisy = noisy[np.argsort(flat[0][noisy] * flat[1][noisy] / flat[2][noisy])]
    for start in range(0, noisy.size, _BLOCK):
        rows = noisy[start : start + _BLOCK]
        result[rows] = _block(weight, *(a[rows, None] for a in flat))
    return result.reshape(n.shape)


def _block(weight: Callable[[Array], Array | float], n: Array, p: Array, b: Array, q: Array) -> Array:
    # In units of 1/(np + b), below which the integrand falls at least linearly; it ends with exp(-b t).
    scale = n * p + b
    upper = np.log(45.0 * float(np.max(scale / b)))
    t = np.exp(np.arange(-41.5, upper + _STEP, _STEP)) / scale
    value = np.exp(n * log_generating(t, p, q) - b * t) * -np.expm1(-n * generating_surplus(t, p, q)) * weight(t)
    return np.asarray(_STEP * value.sum(axis=1))


def log_generating(t: Array, p: Array, q: Array) -> Array:
    r""":math:`\log(q + pe^{-t})` for :math:`t > 0` and :math:`q = 1-p`, to full relative accuracy."""
    direct = (p < 0.5) | (t < 1)
    shifted = np.log1p(np.where(direct, p * np.expm1(-t), 0.0))
    # The floor is for p = 1 and times at which exp(-t) is no number any more.
    kept = np.where(direct, 1.0, np.maximum(q + p * np.exp(-t), 1e-307))
    return np.asarray(np.where(direct, shifted, np.log(kept)))


def generating_surplus(t: Array, p: Array, q: Array) -> Array:
    r""":math:`f(t) = pt + \log(q+pe^{-t}) \ge 0` for :math:`t > 0` and :math:`q = 1-p`, without cancellation.

    Up to :math:`t = 1` as :math:`\log[1 + q\,e_2(pt) + p\,e_2(-qt)]` with :math:`e_2(x) = e^x - 1 - x \ge 0`; beyond,
    for :math:`p` near 1, as :math:`-qt + \log[1 + q(e^t - 1)]`.
    """
    small, grown = np.minimum(t, 1.0), np.minimum(t, _LARGEST)
    series = np.log1p(q * exponential_tail(p * small) + p * exponential_tail(-q * small))
    frequent = np.where(t <= _LARGEST, np.log1p(q * np.expm1(grown)) - q * t, p * t + log_generating(t, p, q))
    beyond = np.where(p < 0.5, p * t + log_generating(t, p, q), frequent)
    return np.asarray(np.where(t <= 1, series, beyond))


def exponential_tail(x: Array) -> Array:
    r""":math:`e^x - 1 - x \ge 0` for ``|x| <= 1`` by its series."""
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
    near = np.abs(r) < 0.02
    z = np.where(near, r, 0.0)
    series = np.zeros_like(z)
    for power in range(11, 1, -1):
        series = 1 / power - z * series
    # log1p keeps the digits of r, the ratio keeps those of 1 + r.
    small = np.abs(r) < 0.5
    logarithm = np.log1p(np.where(small, r, 0.0)) + np.log(np.where(small, 1.0, one_plus_r))
    return np.asarray(np.where(near, z * z * series, r - logarithm))
