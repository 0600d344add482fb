r"""How noise spreads over several labels, and what that does to the in-weight losses.

Given that :math:`K` of a class's labels were noise, they are spread uniformly over :math:`M` labels, and the table's
losses contain :math:`-W`, :math:`W = \sum_y \log\frac{\Gamma(N_y+b)}{\Gamma(b)}` over these. Independent Poisson counts
of total rate :math:`\lambda`, given their sum, have the same law, so that the characteristic function of :math:`W` is a
coefficient of a power of one power series,

.. math:: E\,e^{itW} = \frac{[z^K]\,a(z)^M}{P(\mathrm{Poisson}(\lambda) = K)}, \qquad
    a(z) = \sum_k P(\mathrm{Poisson}(\lambda/M) = k)\, e^{it\log(\Gamma(k+b)/\Gamma(b))} z^k ,

which a Fourier transform gives for all :math:`K` at once, without loss of digits where :math:`K` is likely. Where the
in-context losses depend on which noisy label it is, their characteristic function :math:`\varphi_y^k` joins the term of
:math:`z^k`, and the power becomes a product over groups of labels with the same losses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from theory.numerics.special import binomial_log_probability, log_rising

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LARGEST_SUM = 1 << 14
"""Noisy labels up to which the law of their spread is computed."""
_NEGLIGIBLE = -30.0
_BLOCK = 1 << 20


def spread_moments(counts: Array, labels: int, pseudo_count: float) -> tuple[Array, Array, Array]:
    r"""Mean, variance and third absolute moment of :math:`W` for counts spread uniformly over labels.

    The mean is exact (binomial marginals); the others are those of independent counts after regression on their sum,
    to first order.

    Parameters
    ----------
    counts : ndarray, shape (k,)
        Sums :math:`K` of the counts.
    labels : int
        :math:`M`.
    pseudo_count : float
        :math:`b`.

    Returns
    -------
    mean, variance, third : ndarray, shape (k,)
        The last one is the sum over labels, a bound on the size of the third cumulant.

    Examples
    --------
    >>> mean, _, _ = spread_moments(np.array([2.0]), 3, 1.0)
    >>> bool(np.isclose(mean[0], np.log(2) / 3))  # both on one label with probability 1/3
    True
    """
    mean, variance, third = (np.zeros_like(counts) for _ in range(3))
    rows = max(1, _BLOCK // _support_size(float(counts.max(initial=0)) / labels))
    for start in range(0, counts.size, rows):
        block = slice(start, start + rows)
        mean[block], variance[block], third[block] = _moments(counts[block], labels, pseudo_count)
    return mean, variance, third


def _moments(counts: Array, labels: int, pseudo_count: float) -> tuple[Array, Array, Array]:
    rate = counts / labels
    # Every count's own window of likely values around its mean.
    width = min(_support_size(float(rate.max())), int(counts.max()) + 1)
    first = np.maximum(np.floor(rate - 0.5 * width), 0.0)
    values = first[:, None] + np.arange(width)[None, :]
    possible = values <= counts[:, None]
    values = np.where(possible, values, 0.0)
    weights = np.where(possible, np.exp(binomial_log_probability(values, counts[:, None], 1 / labels)), 0.0)
    rise = log_rising(pseudo_count, values)
    average = (weights * rise).sum(axis=1)
    covariance = (weights * rise * (values - rate[:, None])).sum(axis=1)
    spread = (weights * (rise - average[:, None]) ** 2).sum(axis=1)
    scale = np.maximum(rate * (1 - 1 / labels), 1e-300)
    left = rise - average[:, None] - (covariance / scale)[:, None] * (values - rate[:, None])
    third = (weights * np.abs(left) ** 3).sum(axis=1)
    return labels * average, labels * np.maximum(spread - covariance**2 / scale, 0.0), labels * third


def spread_characteristic(
    counts: Array,
    mean: Array,
    groups: Sequence[tuple[int, ComplexArray]],
    pseudo_count: float,
    frequencies: Array,
) -> ComplexArray:
    r"""Characteristic function of :math:`W - EW`, and of a loss for each noisy visit, given the sum of the counts.

    Parameters
    ----------
    counts : ndarray, shape (k,)
        Sums :math:`K`, consecutive whole numbers, up to ``LARGEST_SUM``.
    mean : ndarray, shape (k,)
        :math:`EW`, or whatever is to be subtracted.
    groups : sequence of (int, ndarray of complex, shape (t,))
        Groups of labels whose visits have the same losses: how many labels, and the characteristic function of one
        loss at the frequencies; ones leave the losses out.
    pseudo_count : float
        :math:`b`.
    frequencies : ndarray, shape (t,)
        Where it is wanted.

    Returns
    -------
    ndarray of complex, shape (t, k)
        Absolute error about 1e-15 over the relative likelihood of the count among those given.

    Examples
    --------
    >>> without_losses = [(3, np.ones(1, dtype=np.complex128))]
    >>> value = spread_characteristic(np.array([2.0]), np.zeros(1), without_losses, 1.0, np.array([0.5]))[0, 0]
    >>> bool(np.isclose(value, 2 / 3 + np.exp(0.5j * np.log(2)) / 3))
    True
    """
    labels = sum(number for number, _ in groups)
    rate = max(float(counts.mean()), 0.5)
    size = 1 << math.ceil(math.log2(max(float(counts[-1]) + 1, rate + 7 * math.sqrt(rate) + 12)))
    k = np.arange(min(math.ceil(rate / labels) + _support_size(rate / labels), size), dtype=np.float64)
    log_law = k * math.log(rate / labels) - rate / labels - gammaln(k + 1)
    one_label = log_law[None, :] + 1j * frequencies[:, None] * log_rising(pseudo_count, k)[None, :]
    values = []
    log_size = np.zeros((frequencies.size, size))
    for number, loss in groups:
        log_loss = np.log(np.where(loss == 0, 1e-300, loss))
        values.append(np.fft.fft(np.exp(one_label + log_loss[:, None] * k[None, :]), n=size, axis=1))
        log_size += number * np.log(np.maximum(np.abs(values[-1]), 1e-300))
    # Only what does not vanish is raised to its high power.
    kept = log_size > _NEGLIGIBLE
    phase = np.zeros(int(kept.sum()))
    for (number, _), value in zip(groups, values, strict=True):
        phase += number * np.angle(value[kept])
    product = np.zeros(log_size.shape, dtype=np.complex128)
    product[kept] = np.exp(log_size[kept] + 1j * phase)
    coefficients = np.fft.ifft(product, axis=1)[:, counts.astype(np.intp)]
    log_total = counts * math.log(rate) - rate - gammaln(counts + 1)
    result = coefficients * np.exp(-log_total)[None, :] * np.exp(-1j * frequencies[:, None] * mean[None, :])
    # Where a count is unlikely rounding shows; no characteristic function exceeds 1.
    return np.asarray(result / np.maximum(np.abs(result), 1.0))


def _support_size(rate: float) -> int:
    """Number of values around the mean of a Poisson law beyond which it is below 1e-20."""
    return math.ceil(2 * (13 + 10 * math.sqrt(rate)) + 8)
