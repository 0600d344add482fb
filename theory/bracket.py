r"""Rigorous bracket of a single run's boundary: valid with a stated probability, whatever the run.

A run's boundary is the last rise of its gate through 1/2. Both ends come from the log-odds after :math:`n` visits,
:math:`d_0 + S_n - \Lambda_n`, in-context minus in-weight losses.

*Upper end.* On every sequence :math:`\Lambda_n \le \sum_i -\log y^*(y_i) + V(n)` with the pointwise redundancy
:math:`V` of ``theory.redundancy``, so the log-odds are at least :math:`d_0 + \sum_i X_i - V(n)` with independent
:math:`X_i = \ell_h + \log y^*(y_i)` of mean :math:`\Delta = r_h - H`. Since :math:`V` grows at most as a straight line
from :math:`n` on, a single exponential supermartingale covers all later times (Ville):

.. math:: P(\exists\, m \ge n:\ \operatorname{logit}\alpha_m < 0)
    \le \exp\{\theta\,[V(n) - d_0] + n \log E e^{-\theta X}\}
    \quad\text{for every } \theta > 0 \text{ with } \theta V'(n) + \log E e^{-\theta X} \le 0 .

*Lower end.* A run whose gate is below 1/2 at visit :math:`n` has its boundary later. Given the number of noisy labels,
Chernoff's bound with the exact cumulants of the in-context losses and of :math:`\Lambda_n` gives the probability of
the contrary; where several labels share the noise, the cumulant of their gamma functions is a coefficient of a power
of a power series, by Fourier transform (what aliases into it only adds to the bound).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln, logsumexp

from theory.crossing import geometric_integers
from theory.curve import LARGEST_VISITS
from theory.gate import EXACT_VISITS, GateCell
from theory.in_context import LossLaw
from theory.redundancy import pointwise_redundancy, pointwise_slope
from theory.special import binomial_law, log_rising

Array = NDArray[np.float64]

_TILTS: Final = np.geomspace(1e-4, 1e3, 281)
_COARSE_TILTS: Final = np.geomspace(0.01, 1e5, 33)


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Visits of one class, or steps of the stream, between which a single run's boundary lies.

    Parameters
    ----------
    lower, upper : float
        The boundary lies below ``lower``, and the gate is below 1/2 at any time after ``upper``, each with at most half
        the remaining probability; a lower end of 0 says nothing.
    confidence : float
        Probability that both ends hold.
    """

    lower: float
    upper: float
    confidence: float


def visit_bracket(cell: GateCell, confidence: float) -> Bracket | None:
    r"""Rigorous bracket of a single run's boundary, in visits of the class.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.
    confidence : float
        In (0, 1).

    Returns
    -------
    Bracket or None
        ``None`` where no bound is known (a gate per query and relevance), or where in-context learning persists.
    """
    if cell.share < 1 or cell.loss.risk <= cell.labels.entropy:
        return None
    half = (1 - confidence) / 2
    upper = _upper_end(cell, math.log(half))
    return None if upper is None else Bracket(lower=_lower_end(cell, half, upper), upper=upper, confidence=confidence)


def step_bracket(cell: GateCell, probability: float, confidence: float) -> Bracket | None:
    r"""Rigorous bracket of a single run's boundary, in steps of the stream.

    Half of the remaining probability goes to the bracket in visits, half to the times of these visits.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.
    probability : float
        :math:`p_x` of the class.
    confidence : float
        In (0, 1).

    Returns
    -------
    Bracket or None
        ``None`` where :func:`visit_bracket` has none, or the class never occurs.
    """
    visits = visit_bracket(cell, (1 + confidence) / 2)
    if visits is None or probability <= 0:
        return None
    quarter = (1 - confidence) / 4

    def come_late(steps: int) -> bool:
        return steps >= visits.upper and _chance_of_visits(visits.upper, steps, probability) >= 1 - quarter

    def come_early(steps: int) -> bool:
        return _chance_of_visits(visits.lower, steps - 1, probability) > quarter

    # Far beyond the mean times nothing is left to chance.
    latest = math.ceil(4 * (visits.upper + 100) / probability)
    lower = _first_integer(come_early, 1, latest) - 1 if visits.lower >= 1 else 0
    return Bracket(lower=lower, upper=_first_integer(come_late, 1, latest), confidence=confidence)


def _chance_of_visits(visits: float, steps: int, probability: float) -> float:
    """Probability of at least so many visits (one or more) within the steps."""
    return 0.0 if steps < visits else float(betainc(visits, steps - visits + 1, probability))


def _first_integer(holds: Callable[[int], bool], low: int, high: int) -> int:
    """First integer at which a condition holds that holds from there on, up to ``high``."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def widest(brackets: Sequence[Bracket | None]) -> Bracket | None:
    """The bracket that holds for a run of any of the classes; ``None`` if one of them has none."""
    known = [bracket for bracket in brackets if bracket is not None]
    if len(known) < len(brackets) or not known:
        return None
    return Bracket(
        lower=min(bracket.lower for bracket in known),
        upper=max(bracket.upper for bracket in known),
        confidence=known[0].confidence,
    )


# Upper end.


def _upper_end(cell: GateCell, log_half: float) -> float | None:
    """Smallest number of visits (up to bisection) after which the gate stays above 1/2 but with that probability."""
    cumulant = _excess_cumulant(cell)
    grid = geometric_integers(1, LARGEST_VISITS, 1.3)
    holds = np.array([log_return_probability(cell, int(n), cumulant) <= log_half for n in grid])
    if not holds[-1]:
        return None
    failing = np.flatnonzero(~holds)
    if not failing.size:
        return float(grid[0])
    low, high = int(grid[failing[-1]]), int(grid[failing[-1] + 1])
    while high - low > 1:
        middle = (low + high) // 2
        if log_return_probability(cell, middle, cumulant) <= log_half:
            high = middle
        else:
            low = middle
    return float(high)


def log_return_probability(cell: GateCell, visits: int, cumulant: Array | None = None) -> float:
    r"""Log of a bound on :math:`P(\exists\, m \ge n: \alpha_m < \tfrac12)`; see the module's formula."""
    cumulant = _excess_cumulant(cell) if cumulant is None else cumulant
    labels = cell.labels
    redundancy = float(pointwise_redundancy(visits, labels.total_labels, labels.support, cell.pseudo_count))
    slope = pointwise_slope(visits, labels.total_labels, labels.support, cell.pseudo_count)
    allowed = slope * _TILTS + cumulant <= 0
    exponents = _TILTS * (redundancy - cell.prior_log_odds) + visits * cumulant
    return min(0.0, float(exponents[allowed].min(initial=0.0)))


def _excess_cumulant(cell: GateCell) -> Array:
    r""":math:`\log E e^{-\theta X}` at the tilts, :math:`X = \ell_h + \log y^*(y)` the excess loss of a visit."""
    noise, number = cell.labels.noise, cell.labels.noisy_labels
    parts = []
    for weight, probability, law in (
        (1 - noise, 1 - noise, cell.loss.own),
        (noise, noise / number, cell.loss.noisy),
    ):
        if weight > 0:
            parts.append(math.log(weight) - _TILTS * math.log(probability) + _log_moment(law, -_TILTS))
    return np.asarray(np.logaddexp.reduce(parts, axis=0))


def _log_moment(law: LossLaw, tilts: Array) -> Array:
    r""":math:`\log E e^{\theta \ell}` of a loss at the tilts."""
    positive = law.probabilities > 0
    exponents = tilts[:, None] * law.values[None, positive] + np.log(law.probabilities[positive])
    return np.asarray(np.logaddexp.reduce(exponents, axis=1))


# Lower end.


def _lower_end(cell: GateCell, half: float, upper: float) -> float:
    """Largest number of visits found at which the gate is above 1/2 with at most that probability; 0 if none is."""
    moments = _log_moment(cell.loss.own, _COARSE_TILTS), _log_moment(cell.loss.noisy, _COARSE_TILTS)
    several = cell.labels.noise > 0 and cell.labels.noisy_labels > 1
    grid = geometric_integers(1, EXACT_VISITS if several else LARGEST_VISITS, 1.2)
    grid = grid[grid <= upper]
    high = int(upper) + 1
    for n in grid[::-1].tolist():
        if risen_probability(cell, n, moments) <= half:
            low = n
            break
        high = n
    else:
        return 0.0
    # With several noisy labels the grid, which all classes have in common, has to do: its cumulants are kept.
    while high - low > 1 and not several:
        middle = (low + high) // 2
        if risen_probability(cell, middle, moments) <= half:
            low = middle
        else:
            high = middle
    return float(low)


def risen_probability(cell: GateCell, visits: int, moments: tuple[Array, Array] | None = None) -> float:
    r"""Bound on :math:`P(\alpha_n \ge \tfrac12)`: Chernoff's given each count of noisy labels (1: too many)."""
    own_moment, noisy_moment = moments or (
        _log_moment(cell.loss.own, _COARSE_TILTS),
        _log_moment(cell.loss.noisy, _COARSE_TILTS),
    )
    counts, weight = binomial_law(visits, cell.labels.noise)
    if counts[-1] - counts[0] >= counts.size:
        # Summed with a stride the counts no longer give a bound.
        return 1.0
    noisy = counts.astype(np.float64)
    own = visits - noisy
    labels, b = cell.labels, cell.pseudo_count
    # Log-odds without the losses of g on noisy labels, which the last term has.
    known = cell.prior_log_odds + log_rising(b, own) - log_rising(labels.total_labels * b, visits)
    exponents = (
        own[:, None] * own_moment[None, :]
        + noisy[:, None] * noisy_moment[None, :]
        + known[:, None] * _COARSE_TILTS[None, :]
        + _noisy_moments(visits, labels.noise, labels.noisy_labels, b)
    )
    return float(weight @ np.exp(np.minimum(exponents.min(axis=1), 0.0)))


@lru_cache(maxsize=256)
def _noisy_moments(visits: int, noise: float, labels: int, pseudo_count: float) -> Array:
    """Moments of :func:`spread_moments` at the likely counts of noisy labels after so many visits."""
    counts, _ = binomial_law(visits, noise)
    return spread_moments(counts.astype(np.float64), labels, pseudo_count, _COARSE_TILTS)


def spread_moments(counts: Array, labels: int, pseudo_count: float, tilts: Array) -> Array:
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
    >>> bool(np.isclose(spread_moments(np.array([2.0]), 3, 1.0, np.array([0.5]))[0, 0], exact))
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
