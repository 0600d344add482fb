r"""Bounds on what a single gate does: exponential tail bounds of its log-odds, exact in their cumulants.

The log-odds after :math:`n` visits are :math:`d_0 + S_n - \Lambda_n`, in-context minus in-weight losses.

*Ever again below 1/2.* On every sequence :math:`\Lambda_n \le \sum_i -\log y^*(y_i) + V(n)` with the pointwise
redundancy :math:`V` of ``theory.numerics.redundancy``, so the log-odds are at least :math:`d_0 + \sum_i X_i - V(n)`
with independent :math:`X_i = \ell_h + \log y^*(y_i)` of mean :math:`\Delta = r_h - H`. Since :math:`V` grows at most as
a straight line from :math:`n` on, a single exponential supermartingale covers all later times (Ville,
``cesabianchi2006prediction``):

.. math:: P(\exists\, m \ge n:\ \operatorname{logit}\alpha_m < 0)
    \le \exp\{\theta\,[V(n) - d_0] + n \log E e^{-\theta X}\}
    \quad\text{for every } \theta > 0 \text{ with } \theta V'(n) + \log E e^{-\theta X} \le 0 .

*On one side at one visit.* Given the number of noisy labels, Chernoff's bound with the exact cumulants of the
in-context losses (that of the dearest or cheapest noisy label, where they differ: which noisy labels came decides about
both losses) and of :math:`\Lambda_n`; where several labels share the noise, the cumulant of their gamma functions
is a coefficient of a power of a power series, by Fourier transform (what aliases into it only adds to the bound).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from theory.gating.cell import GateCell
from theory.in_context import LossLaw
from theory.numerics.redundancy import pointwise_redundancy, pointwise_slope
from theory.numerics.special import binomial_law, log_rising

Array = NDArray[np.float64]

_TILTS: Final = np.geomspace(1e-4, 1e3, 281)
_COARSE_TILTS: Final = np.geomspace(0.01, 1e5, 33)


def log_return_probability(cell: GateCell, visits: int, cumulant: Array | None = None) -> float:
    r"""Log of a bound on :math:`P(\exists\, m \ge n: \alpha_m < \tfrac12)`; see the module's formula."""
    cumulant = excess_cumulant(cell) if cumulant is None else cumulant
    labels = cell.labels
    redundancy = float(pointwise_redundancy(visits, labels.total_labels, labels.support, cell.pseudo_count))
    slope = pointwise_slope(visits, labels.total_labels, labels.support, cell.pseudo_count)
    allowed = slope * _TILTS + cumulant <= 0
    exponents = _TILTS * (redundancy - cell.advantage) + visits * cumulant
    return min(0.0, float(exponents[allowed].min(initial=0.0)))


def excess_cumulant(cell: GateCell) -> Array:
    r""":math:`\log E e^{-\theta X}` at the tilts, :math:`X = \ell_h + \log y^*(y)` the excess loss of a visit."""
    noise, number = cell.labels.noise, cell.labels.noisy_labels
    parts = []
    for weight, probability, law in (
        (1 - noise, 1 - noise, cell.loss.tails.own),
        (noise, noise / number, cell.loss.tails.noisy),
    ):
        if weight > 0:
            parts.append(math.log(weight) - _TILTS * math.log(probability) + _log_moment(law, -_TILTS))
    return np.asarray(np.logaddexp.reduce(parts, axis=0))


def _log_moment(law: LossLaw, tilts: Array) -> Array:
    r""":math:`\log E e^{\theta \ell}` of a loss at the tilts."""
    positive = law.probabilities > 0
    exponents = tilts[:, None] * law.values[None, positive] + np.log(law.probabilities[positive])
    return np.asarray(np.logaddexp.reduce(exponents, axis=1))


def side_probability(cell: GateCell, visits: int, side: Literal["above", "below"]) -> float:
    r"""Bound on the probability that the gate is above (or at) 1/2 after n visits, or below (or at) it.

    Returns
    -------
    float
        At most 1; 1 also where there are too many counts of noisy labels to be summed one by one.
    """
    counts, weight = binomial_law(visits, cell.labels.noise)
    if counts[-1] - counts[0] >= counts.size:
        # Summed with a stride the counts no longer give a bound.
        return 1.0
    tilts = _COARSE_TILTS if side == "above" else -_COARSE_TILTS
    noisy = counts.astype(np.float64)
    own = visits - noisy
    labels, b, laws = cell.labels, cell.pseudo_count, cell.loss.tails
    # Log-odds without the losses of g on noisy labels, which the last term has.
    known = cell.advantage + log_rising(b, own) - log_rising(labels.total_labels * b, visits)
    exponents = (
        own[:, None] * _log_moment(laws.own, tilts)[None, :]
        + noisy[:, None] * _log_moment(laws.dearest if side == "above" else laws.cheapest, tilts)[None, :]
        + known[:, None] * tilts[None, :]
        + _noisy_moments(visits, labels.noise, labels.noisy_labels, b, side)
    )
    return float(weight @ np.exp(np.minimum(exponents.min(axis=1), 0.0)))


@lru_cache(maxsize=256)
def _noisy_moments(
    visits: int, noise: float, labels: int, pseudo_count: float, side: Literal["above", "below"]
) -> Array:
    """Moments of :func:`log_spread_moments` at the likely counts of noisy labels after so many visits."""
    counts, _ = binomial_law(visits, noise)
    tilts = _COARSE_TILTS if side == "above" else -_COARSE_TILTS
    return log_spread_moments(counts.astype(np.float64), labels, pseudo_count, tilts)


def log_spread_moments(counts: Array, labels: int, pseudo_count: float, tilts: Array) -> Array:
    r"""Upper bounds on :math:`\log E \prod_y [\Gamma(N_y+b)/\Gamma(b)]^\theta` for counts spread uniformly over labels.

    Parameters
    ----------
    counts : ndarray, shape (k,)
        Sums of the counts, consecutive whole numbers.
    labels : int
        Number of labels.
    pseudo_count : float
        :math:`b`.
    tilts : ndarray, shape (t,)
        Values of :math:`\theta`.

    Returns
    -------
    ndarray, shape (k, t)
        Exact for one label; else larger by at most 1e-6 where the count is likely, and infinite for tilts from 1 on.

    Examples
    --------
    >>> exact = np.log(2**0.5 / 3 + 2 / 3)  # two draws on three labels, b = 1
    >>> bool(np.isclose(log_spread_moments(np.array([2.0]), 3, 1.0, np.array([0.5]))[0, 0], exact))
    True
    """
    if labels == 1:
        return log_rising(pseudo_count, counts)[:, None] * tilts[None, :]
    size = 1 << math.ceil(math.log2(float(counts[-1]) + 12 * math.sqrt(float(counts[-1]) + 1) + 40))
    k = np.arange(size, dtype=np.float64)
    rising, log_factorial = log_rising(pseudo_count, k), gammaln(k + 1)
    result = np.full((counts.size, tilts.size), np.inf)
    for column, tilt in enumerate(tilts.tolist()):
        # From 1 on the largest count dominates, and the mean of a tilted law says nothing about it.
        if tilt < 1:
            log_weights = tilt * rising - log_factorial
            slope = _slope_with_mean(k, log_weights, max(float(counts.mean()), 0.5) / labels)
            log_weights += slope * k
            scale = float(logsumexp(log_weights))
            spectrum = np.fft.rfft(np.exp(log_weights - scale)) ** labels
            noise = 1e-15 * labels * float(np.abs(spectrum).mean())
            coefficients = np.maximum(np.fft.irfft(spectrum, size)[counts.astype(np.intp)], 0.0) + noise
            result[:, column] = np.log(coefficients) + labels * scale - slope * counts
    # The counts are multinomial: a Poisson law on each label, given the sum.
    return np.asarray(result + (gammaln(counts + 1) - counts * math.log(labels))[:, None])


def _slope_with_mean(k: Array, log_weights: Array, mean: float) -> float:
    """Slope of the line that, added to the logarithms, brings the weighted mean of k near the one asked for.

    Where it ends up decides about the accuracy of the transform, not about the bound.
    """
    slope = 0.0
    for _ in range(12):
        tilted = log_weights + slope * k
        weights = np.exp(tilted - tilted.max())
        weights /= weights.sum()
        found = float(weights @ k)
        spread = max(float(weights @ (k - found) ** 2), 1e-6)
        slope += min(max((mean - found) / spread, -2.0), 2.0)
    return slope
