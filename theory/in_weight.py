r"""Risk of the in-weight predictor :math:`g`, a Dirichlet table over queries: exact, and in its limits.

The label law of a class has one *own* label of probability :math:`1-\eta` and ``noisy_labels`` others that share
:math:`\eta` equally; :math:`C` labels in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, gammaln, xlogy

from theory.numerics.special import frullani_nodes, log_generating, log_rising_residue

Array = NDArray[np.float64]

_BLOCK = 1 << 12


@dataclass(frozen=True, kw_only=True)
class LabelLaw:
    r"""Label law of a class: one own label, and noise shared equally by others.

    Parameters
    ----------
    total_labels : int
        :math:`C`.
    noise : float
        :math:`\eta`, probability of a label other than the own one.
    noisy_labels : int
        Number of labels that share the noise.
    """

    total_labels: int
    noise: float
    noisy_labels: int

    @property
    def distinct(self) -> list[tuple[int, float]]:
        """Labels of positive probability, as pairs (how many labels, probability of each)."""
        pairs = [(1, 1 - self.noise), (self.noisy_labels, self.noise / self.noisy_labels)]
        return [(number, probability) for number, probability in pairs if probability > 0]

    @property
    def support(self) -> int:
        """Number :math:`s` of labels of positive probability."""
        return sum(number for number, _ in self.distinct)

    @property
    def entropy(self) -> float:
        r"""Bayes risk :math:`H = -\sum_y y^*_y \log y^*_y`, in nats."""
        return float(sum(number * entr(probability) for number, probability in self.distinct))


def risk(visits: ArrayLike, labels: LabelLaw, pseudo_count: float) -> Array:
    r"""Exact risk of the Dirichlet table after a number of visits, in nats.

    .. math:: R_n = \log(n + Cb) - \sum_y y^*_y\, E\log(N_y + b), \qquad N_y \sim \mathrm{Bin}(n, y^*_y)

    evaluated as :math:`\sum_y y^*_y\int_0^\infty \bigl[e^{-bt}(1-y^*_y+y^*_y e^{-t})^n - e^{-(n+Cb)t}\bigr]\,dt/t`,
    whose cost does not grow with :math:`n`.

    Parameters
    ----------
    visits : array_like
        :math:`n \ge 0`, any shape.
    labels : LabelLaw
        Law of the labels.
    pseudo_count : float
        :math:`b > 0`.

    Returns
    -------
    ndarray
        :math:`R_n`, same shape; relative error about 1e-14.

    Examples
    --------
    >>> noiseless = LabelLaw(total_labels=4, noise=0.0, noisy_labels=1)
    >>> bool(np.allclose(risk([0, 7], noiseless, 0.5), np.log([4.0, 9 / 7.5])))
    True
    """
    total = labels.total_labels * pseudo_count

    def integrand(n: Array, t: Array) -> Array:
        value = np.zeros(np.broadcast(n, t).shape)
        for number, probability in labels.distinct:
            seen = np.exp(n * log_generating(t, probability) - pseudo_count * t)
            value += number * probability * (seen - np.exp(-(n + total) * t))
        return value

    return _integrate(integrand, visits, total, pseudo_count)


def expected_cumulative_loss(visits: ArrayLike, labels: LabelLaw, pseudo_count: float) -> Array:
    r"""Expected sum of the table's first :math:`n` losses, :math:`E\Lambda_n = \sum_{i<n} R_i`, in nats.

    The sum over visits is a geometric series under the integral of :func:`risk`.

    Examples
    --------
    >>> noisy = LabelLaw(total_labels=3, noise=0.2, noisy_labels=1)
    >>> bool(np.isclose(expected_cumulative_loss(5, noisy, 0.5), risk(range(5), noisy, 0.5).sum()))
    True
    """
    total = labels.total_labels * pseudo_count

    def integrand(n: Array, t: Array) -> Array:
        everything = np.exp(-total * t) * _geometric_sum(n, -t)
        value = np.zeros(np.broadcast(n, t).shape)
        for number, probability in labels.distinct:
            seen = np.exp(-pseudo_count * t) * _geometric_sum(n, log_generating(t, probability))
            value += number * probability * (seen - everything)
        return value

    return _integrate(integrand, visits, total, pseudo_count)


def _geometric_sum(n: Array, log_ratio: Array) -> Array:
    r""":math:`\sum_{i<n} z^i` for :math:`z = e^{\text{log ratio}} \le 1`."""
    return np.asarray(np.expm1(n * log_ratio) / np.expm1(np.minimum(log_ratio, -1e-300)), dtype=np.float64)


def _integrate(
    integrand: Callable[[Array, Array], Array], visits: ArrayLike, total: float, smallest_rate: float
) -> Array:
    n = np.asarray(visits, dtype=np.float64)
    flat = n.reshape(-1)
    result = np.empty_like(flat)
    nodes, step = frullani_nodes(float(flat.max(initial=0.0)) + total + 1, smallest_rate)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK, None]
        result[start : start + _BLOCK] = step * integrand(block, nodes[None, :]).sum(axis=1)
    return result.reshape(n.shape)


def cumulative_loss(
    visits: ArrayLike, own: ArrayLike, noisy: ArrayLike, total_labels: ArrayLike, pseudo_count: ArrayLike
) -> Array:
    r"""Sum of the table's losses, given how often each of two labels was seen (exact, on every sequence), in nats.

    .. math:: \Lambda_n = \log\frac{\Gamma(n+Cb)}{\Gamma(Cb)} - \sum_y \log\frac{\Gamma(N_y+b)}{\Gamma(b)}

    written as :math:`\sum_y N_y\log\frac{n+Cb}{N_y+b}` and slow residues, so that no digits cancel at large :math:`n`.

    Parameters
    ----------
    visits, own, noisy : array_like
        :math:`n` and the two label counts, with ``own + noisy == visits``; broadcast together.
    total_labels, pseudo_count : array_like
        :math:`C` and :math:`b`.

    Examples
    --------
    >>> float(cumulative_loss(2, 1, 1, 2, 1.0))  # log 2 + log 3
    1.79175946...
    """
    n, b = np.asarray(visits, dtype=np.float64), np.asarray(pseudo_count, dtype=np.float64)
    total = np.asarray(total_labels, dtype=np.float64) * b
    result = log_rising_residue(total, n)
    for count in (np.asarray(own, dtype=np.float64), np.asarray(noisy, dtype=np.float64)):
        seen = count + b
        result = result + xlogy(count, (n + total) / seen) - log_rising_residue(b, count)
    return np.asarray(result, dtype=np.float64)


def cumulative_loss_constants(labels: LabelLaw, pseudo_count: float) -> tuple[float, float]:
    r"""Constants of the limit :math:`E\Lambda_n = nH + a\log n + \kappa + o(1)`.

    .. math::
        a = (C-s)b + \tfrac{s-1}{2}, \qquad
        \kappa = -\tfrac{s-1}{2}(1+\log 2\pi) - (b-\tfrac12)\sum_{y^*_y>0}\log y^*_y + s\log\Gamma(b) - \log\Gamma(Cb)

    Returns
    -------
    a, kappa : float
        Weight of the logarithm, and the constant in nats.

    Examples
    --------
    >>> cumulative_loss_constants(LabelLaw(total_labels=3, noise=0.0, noisy_labels=1), 0.5)[0]
    1.0
    """
    a, kappa = limit_constants(labels.total_labels, pseudo_count, labels.noise, labels.noisy_labels)
    return float(a), float(kappa)


def limit_constants(
    total_labels: ArrayLike, pseudo_count: ArrayLike, noise: ArrayLike, noisy_labels: ArrayLike
) -> tuple[Array, Array]:
    r"""Weight :math:`a` and constant :math:`\kappa` of :func:`cumulative_loss_constants`, for arrays that broadcast.

    Examples
    --------
    >>> [float(v) for v in limit_constants(2, 0.5, 0.5, 1)]  # 1/2, and log(pi) - (1 + log(2 pi))/2
    [0.5, -0.274208647...]
    """
    arrays = (np.asarray(v, dtype=np.float64) for v in (total_labels, pseudo_count, noise, noisy_labels))
    total, b, eta, number = arrays
    support, log_probabilities = np.zeros(()), np.zeros(())
    for count, probability in ((np.ones(()), 1 - eta), (number, eta / number)):
        possible = probability > 0
        support = support + count * possible
        log_probabilities = log_probabilities + count * np.log(np.where(possible, probability, 1.0))
    a = (total - support) * b + (support - 1) / 2
    kappa = (
        -(support - 1) / 2 * (1 + math.log(2 * math.pi))
        - (b - 0.5) * log_probabilities
        + support * gammaln(b)
        - gammaln(total * b)
    )
    return np.asarray(a, dtype=np.float64), np.asarray(kappa, dtype=np.float64)
