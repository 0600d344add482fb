r"""Expected log loss of a label count under a Dirichlet prior, in forms whose cost does not grow with the visits.

With :math:`X = n + Cb` and :math:`x = N + b` for :math:`N \sim \mathrm{BetaBin}(n, b+1, (C-1)b)`, the mean of
:math:`\log(X/x)` is :math:`\psi(Cb+1) - \psi(b+1) + E\varphi(x) - \varphi(X)` with
:math:`\varphi(x) = \psi(x+1) - \log x`, because the mean entropy of a label
law drawn from the posterior is known. What is left is small, and :math:`E(1/x) = C/X` is known too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from theory.numerics.special import log_rising

Array = NDArray[np.float64]

# All counts are summed up to so many visits; beyond, only the counts below _HEAD are.
_SUMMED_UP_TO: Final = 8192
_HEAD: Final = 512
# From here on the inverse factorial series has no error left.
_SERIES_FROM: Final = 64.0
_BLOCK: Final = 1 << 6
_SHIFT: Final = 32
# Coefficients of v / log(1 + v) from the first power on.
_GREGORY: Final = (
    1 / 2,
    -1 / 12,
    1 / 24,
    -19 / 720,
    3 / 160,
    -863 / 60480,
    275 / 24192,
    -33953 / 3628800,
    8183 / 1036800,
    -3250433 / 479001600,
)


def expected_log_loss(visits: ArrayLike, classes: ArrayLike, pseudo_count: ArrayLike) -> Array:
    r""":math:`E\log\frac{n+Cb}{N+b}` for :math:`N \sim \mathrm{BetaBin}(n, b+1, (C-1)b)`.

    Parameters
    ----------
    visits : array_like
        :math:`n \ge 0`, whole.
    classes : array_like
        :math:`C \ge 2`.
    pseudo_count : array_like
        :math:`b > 0`.

    Returns
    -------
    ndarray
        In nats, shape by broadcasting; relative error about 1e-12.

    Examples
    --------
    >>> bool(np.isclose(expected_log_loss(0, 7, 0.5), np.log(7)))
    True
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (visits, classes, pseudo_count)))
    n, C, b = (a.reshape(-1) for a in arrays)
    result = np.empty(n.size)
    concentrated = b >= _SERIES_FROM
    few = ~concentrated & (n <= _SUMMED_UP_TO)
    for chosen, method in ((concentrated, _by_series), (few, _by_counts), (~concentrated & ~few, _by_head_and_tail)):
        (rows,) = np.nonzero(chosen)
        rows = rows[np.argsort(n[rows])]
        for start in range(0, rows.size, _BLOCK):
            block = rows[start : start + _BLOCK, None]
            result[block[:, 0]] = method(n[block], C[block], b[block])
    return result.reshape(arrays[0].shape)


def mean_entropy(classes: ArrayLike, pseudo_count: ArrayLike) -> Array:
    r"""Mean entropy of a label law drawn from Dirichlet(b, ..., b): :math:`\psi(Cb+1) - \psi(b+1)`.

    Examples
    --------
    >>> bool(np.isclose(mean_entropy(2, 1.0), 0.5))
    True
    """
    b = np.asarray(pseudo_count, dtype=np.float64)
    more = (np.asarray(classes, dtype=np.float64) - 1) * b
    j = np.arange(1.0, _SHIFT + 1)
    low, added = b[..., None] + j, more[..., None]
    near = (added / (low * (low + added))).sum(axis=-1)
    far = b + _SHIFT + 1
    return np.asarray(near + _digamma_difference(far, more))


def _digamma_difference(y: Array, more: Array) -> Array:
    r""":math:`\psi(y + h) - \psi(y)` for ``y`` of at least 32, without cancellation at small ``h``."""
    z = y + more
    return np.asarray(np.log1p(more / y) + more / (2 * y * z) + _remainder_series(y) - _remainder_series(z))


def _by_counts(n: Array, C: Array, b: Array) -> Array:
    counts = np.arange(float(n.max()) + 1)
    log_weights = _log_ratios_summed(counts, n, C, b)
    log_weights = np.where(counts <= n, log_weights, -np.inf)
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    losses = np.log1p((np.maximum(n - counts, 0) + (C - 1) * b) / (counts + b))
    return np.asarray((weights * losses).sum(axis=1) / weights.sum(axis=1))


def _log_ratios_summed(counts: Array, n: Array, C: Array, b: Array) -> Array:
    """Logarithms of the probabilities of the counts 0, 1, ..., relative to that of 0."""
    k = counts[:-1]
    left = np.maximum(n - k, 1.0)
    ratios = np.log(left * (k + b + 1) / ((k + 1) * (left - 1 + (C - 1) * b)))
    return np.concatenate([np.zeros((n.shape[0], 1)), np.cumsum(ratios, axis=1)], axis=1)


def _by_series(n: Array, C: Array, b: Array) -> Array:
    # phi(x) in inverse falling factorials of x, whose means are known.
    n, C, b = n[:, 0], C[:, 0], b[:, 0]
    result = mean_entropy(C, b)
    label, whole, factorial = np.ones_like(b), np.ones_like(b), 1.0
    for j, coefficient in enumerate(_GREGORY):
        factorial *= max(j, 1)
        label = label * (C * b - j) / (b - j)
        whole = whole * (n + C * b - j)
        result = result + coefficient * factorial * (label - 1) / whole
    return np.asarray(result)


def _by_head_and_tail(n: Array, C: Array, b: Array) -> Array:
    """Few visits of the label one by one, many by an integral over their logarithm, where little depends on it."""
    total, counts = n + C * b, np.arange(float(_HEAD))
    at_zero = log_rising((C - 1) * b, b + 1) - log_rising(n + (C - 1) * b, b + 1)
    head = np.exp(at_zero + _log_ratios_summed(counts, n, C, b))
    known = (C - 1) / (2 * total) + _remainder(total) - (head * _remainder(counts + b)).sum(axis=1, keepdims=True)
    last = _remainder(n + b)
    tail = last * (1 - head.sum(axis=1, keepdims=True)) + _tail_integral(n, C, b, last)
    return np.asarray(mean_entropy(C[:, 0], b[:, 0]) + (known - tail)[:, 0])


def _tail_integral(n: Array, C: Array, b: Array, last: Array) -> Array:
    start = np.log(_HEAD - 0.5)
    panels = int(np.ceil((np.log(float(n.max())) - start) / 0.25))
    nodes, node_weights = np.polynomial.legendre.leggauss(10)
    share = ((np.arange(panels)[:, None] + (nodes + 1) / 2) / panels).reshape(-1)
    span = np.log(n) - start
    x = np.exp(start + span * share)
    log_density = (
        log_rising(x + 1, b)
        - gammaln(b + 1)
        + log_rising(n - x + 1, (C - 1) * b - 1)
        - log_rising(n + 1, C * b)
        + log_rising((C - 1) * b, b + 1)
    )
    weights = np.tile(node_weights / 2, panels) / panels
    return np.asarray(
        (span * weights * x * np.exp(log_density) * (_remainder(x + b) - last)).sum(axis=1, keepdims=True)
    )


def _remainder(x: Array) -> Array:
    r""":math:`\frac{1}{2x} - \varphi(x) = \log x - \psi(x) - \frac{1}{2x} \ge 0`."""
    small = x < _SHIFT
    near = np.where(small, x, 1.0)
    direct = 1 / (2 * near) + np.log(near) - digamma(near + 1)
    return np.asarray(np.where(small, direct, _remainder_series(np.where(small, float(_SHIFT), x))))


def _remainder_series(x: Array) -> Array:
    square = 1 / (x * x)
    return square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
