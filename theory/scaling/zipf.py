r"""Share of the query mass that is answered in context when class frequencies follow Zipf's law.

With :math:`p_x = x^{-a}/Z` and :math:`a > 1` the classes that are still in context after :math:`N` steps are the rare
ones, and their mass falls like a power of :math:`N`. Let :math:`s = 1 - 1/a`.

* *Hard threshold*: a class is in context while :math:`N p_x < n^*`, that is beyond rank
  :math:`X = (N/(Z n^*))^{1/a}`. A sum over ranks against its integral gives
  :math:`\frac{X^{1-a} - M^{1-a}}{(a-1) Z}`, and without a last class
  :math:`\frac{Z^{-1/a}}{a-1}\,(N/n^*)^{-s}`; what the sum and the integral differ by is at most the frequency of the
  class at the threshold, :math:`n^*/N`.
* *Gate of its own*: with :math:`q_n = 1 - E\alpha_n` after :math:`n` visits and :math:`\mathrm{Bin}(N, p_x)` visits,
  :math:`\sum_n q_n \frac{Z^{-1/a}}{a}\,\frac{\Gamma(n+s)}{n!}\,\frac{\Gamma(N+1)}{\Gamma(N+1+s)}\,
  I_{1-p_M}(N-n+1,\, n+s)`, with the regularised incomplete beta function for the last class (1 without one). What the
  sum and the integral differ by is at most :math:`\frac{1}{N+1}\sum_n (n+1)\,|q_n - q_{n+1}|`.

Both are the theorems ``zipf_share_threshold`` and ``zipf_share_visits`` of the catalogue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincc, zeta

from theory.checks import integer, real, step_numbers
from theory.errors import SettingError
from theory.numerics.special import log_rising
from theory.scaling.rank_sums import sum_over_ranks

Array = NDArray[np.float64]

_RARE = 1e-8
"""Expected visits below which a class counts as not visited."""
_DECIDED = 1e-6
"""How far a gate may be from 1 at the end of its curve."""
_LARGEST_RANK = 1e100


class Curve(Protocol):
    """Mean gate of a class: a ``GateCurve`` or ``GroupCurve``."""

    @property
    def nodes(self) -> tuple[NDArray[np.int64], Array]:
        """Numbers of visits and the mean gate there."""
        ...

    def interpolated(self, visits: ArrayLike) -> Array:
        """Mean gate after numbers of visits."""
        ...

    def at_steps(self, steps: int, class_probability: float) -> float:
        """Mean gate after N steps."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class ZipfShare:
    r"""Share of the query mass answered in context, against steps; every array has shape (k,).

    Parameters
    ----------
    steps : ndarray of int
        :math:`N`.
    share : ndarray
        The sum over all classes (relative error about 1e-7).
    law : ndarray
        The integral in place of the sum, with the end of the classes.
    power_law : ndarray
        ``constant * steps ** -decay``: the law before :math:`N` has reached the last class.
    error_bound : ndarray
        Bound on ``|share - law|``.
    decay : float
        :math:`s = 1 - 1/a`.
    constant : float
        Factor of the power law.
    """

    steps: NDArray[np.int64]
    share: Array
    law: Array
    power_law: Array
    error_bound: Array
    decay: float
    constant: float


def zipf_share(
    zipf_exponent: float,
    steps: ArrayLike,
    *,
    threshold: float | None = None,
    curve: Curve | None = None,
    num_classes: int | None = None,
) -> ZipfShare:
    r"""Share of the query mass that is answered in context after N steps, and its scaling law.

    Parameters
    ----------
    zipf_exponent : float
        :math:`a > 1` of :math:`p_x = x^{-a}/Z`, :math:`x = 1, 2, \dots`
    steps : array_like of int, shape (k,)
        :math:`N \ge 1`.
    threshold : float, optional
        :math:`n^* > 0` visits: a class is in context while :math:`N p_x < n^*`.
    curve : GateCurve or GroupCurve, optional
        Instead of a threshold, the mean gate of a class over its visits, the same for every class. It is so for a fixed
        number of relevant examples without label noise, or without irrelevant examples; else it stands for a
        representative class (compare ``theory.context_share``, which does not need that).
    num_classes : int, optional
        :math:`M`; by default there is no last class.

    Returns
    -------
    ZipfShare

    Raises
    ------
    SettingError
        A number is out of its range, the curve does not tend to 1 (then there is no scaling law), or not exactly one of
        ``threshold`` and ``curve`` was given.

    Examples
    --------
    >>> found = zipf_share(2.0, [10**4, 10**6], threshold=30.0)
    >>> [round(float(ratio), 3) for ratio in found.power_law / found.share]  # X = 14.2 and 142
    [1.019, 1.001]
    >>> found.decay
    0.5
    """
    a = real("zipf_exponent", zipf_exponent, minimum=1, open_minimum=True)
    if num_classes is not None:
        num_classes = integer("num_classes", num_classes, minimum=2)
    last = math.inf if num_classes is None else float(num_classes)
    numbers = step_numbers("steps", steps, minimum=1)
    if (threshold is None) == (curve is None):
        raise SettingError("threshold", threshold, "either this or a curve, not both and not none")
    law = _Zipf(a, last)
    if curve is not None:
        return _of_curve(law, numbers, curve)
    return _of_threshold(law, numbers, real("threshold", threshold, minimum=0, open_minimum=True))


@dataclass(frozen=True)
class _Zipf:
    """Zipf's law with an exponent above 1 and a last rank, which may be infinite."""

    exponent: float
    last: float

    @property
    def decay(self) -> float:
        return 1 - 1 / self.exponent

    @property
    def normalisation(self) -> float:
        return self.power_sum(1.0)

    def power_sum(self, first: float) -> float:
        """Sum of the powers from a rank on."""
        if first > self.last:
            return 0.0
        if self.last - first < 4096:
            return math.fsum(np.arange(first, self.last + 1) ** -self.exponent)
        beyond = zeta(self.exponent, self.last + 1) if math.isfinite(self.last) else 0.0
        return float(zeta(self.exponent, first) - beyond)

    def probability(self, rank: Array | float) -> Array:
        return np.asarray(np.asarray(rank, dtype=np.float64) ** -self.exponent / self.normalisation)


def _of_threshold(zipf: _Zipf, steps: NDArray[np.int64], threshold: float) -> ZipfShare:
    a, z = zipf.exponent, zipf.normalisation
    constant = z ** (-1 / a) / (a - 1) * threshold**zipf.decay
    rank = (steps / (z * threshold)) ** (1 / a)
    # The last rank whose class has crossed: its probability decides, whatever the rounding of the rank.
    crossed = np.floor(rank)
    crossed += steps * zipf.probability(crossed + 1) >= threshold
    crossed -= (crossed >= 1) & (steps * zipf.probability(np.maximum(crossed, 1)) < threshold)
    end = 0.0 if math.isinf(zipf.last) else zipf.last ** (1 - a)
    # Before the first class has crossed, all the mass is in context; after the last one, none is.
    inside = (np.maximum(rank, 1.0) ** (1 - a) - end) / ((a - 1) * z)
    law = np.where(rank < 1, 1.0, np.where(rank >= zipf.last, 0.0, inside))
    return ZipfShare(
        steps=steps,
        share=np.array([zipf.power_sum(first) / z for first in (crossed + 1).tolist()]),
        law=law,
        power_law=constant * steps.astype(np.float64) ** -zipf.decay,
        error_bound=np.where((rank < 1) | (rank >= zipf.last), 0.0, threshold / steps),
        decay=zipf.decay,
        constant=constant,
    )


def _of_curve(zipf: _Zipf, steps: NDArray[np.int64], curve: Curve) -> ZipfShare:
    a, s = zipf.exponent, zipf.decay
    visits, gate = curve.nodes
    if gate[-1] < 1 - _DECIDED:
        raise SettingError("curve", float(gate[-1]), "a mean gate that tends to 1 with the visits")
    scale = zipf.normalisation ** (-1 / a) / a

    def left_in_context(n: Array) -> Array:
        return np.asarray(1 - curve.interpolated(n))

    def gamma_ratio(n: Array) -> Array:
        return np.asarray(np.exp(-log_rising(n + s, 1 - s)))

    def law(number: int) -> float:
        at_end = float(zipf.probability(zipf.last)) if math.isfinite(zipf.last) else 0.0

        def term(n: Array) -> Array:
            return np.asarray(left_in_context(n) * gamma_ratio(n) * betaincc(n + s, number - n + 1, at_end))

        steps_factor = math.exp(-float(log_rising(number + 1.0, s)))
        return float(scale * steps_factor) * sum_over_ranks(term, 0, min(int(visits[-1]), number))

    constant = scale * sum_over_ranks(lambda n: left_in_context(n) * gamma_ratio(n), 0, int(visits[-1]))
    at_nodes = np.append(left_in_context(np.append(0, visits)), 0.0)
    moved = float(np.append(visits, visits[-1] + 1) @ np.abs(np.diff(at_nodes)))
    return ZipfShare(
        steps=steps,
        share=np.array([_summed(zipf, n, curve) for n in steps.tolist()]),
        # No more than all the mass: what the integral has beyond it belongs to no class.
        law=np.minimum([law(n) for n in steps.tolist()], 1.0),
        power_law=constant * steps.astype(np.float64) ** -s,
        error_bound=np.asarray(moved / (steps + 1.0), dtype=np.float64),
        decay=s,
        constant=constant,
    )


def _summed(zipf: _Zipf, steps: int, curve: Curve) -> float:
    """Sum over the classes; those that are visited less than 1e-8 times on average count as not visited."""
    z, a = zipf.normalisation, zipf.exponent
    reached = min((steps / (z * _RARE)) ** (1 / a), _LARGEST_RANK)
    last = min(math.ceil(reached), zipf.last)

    def term(rank: Array) -> Array:
        p = rank**-a / z
        gates = np.array([curve.at_steps(steps, probability) for probability in p.tolist()])
        return np.asarray(p * (1 - gates))

    unvisited = zipf.power_sum(last + 1.0) / z
    return sum_over_ranks(term, 1, last) + unvisited * (1 - float(curve.interpolated(0)))
