r"""Cumulative losses of the Dirichlet table as sums of positive terms: no digits cancel at any counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.catalogue.letters import n
from theory.numerics.excess import log_ratio_loss
from theory.theorems.labels import LABEL_NOISE
from theory.theorems.parameters import Parameter

Array = NDArray[np.float64]

own = sympy.Symbol("own", integer=True, nonnegative=True)
OWN_COUNT: Final = Parameter(
    symbol=own, latex="N_1", meaning="visits that showed the own label", lowest=0, highest=n, corners=(1e6,)
)
OTHER_SHARE: Final = Parameter(
    symbol=LABEL_NOISE,
    latex=r"\eta",
    meaning="share of the visits that showed a label other than the own one",
    lowest=0,
    highest=1,
    default=0.0,
)

# Stirling's remainder: shifts of the argument up to here, then its series in odd powers of the inverse.
_SERIES_FROM: Final = 16
_SERIES: Final = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


def redundancy(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Table's losses above the empirical entropy, :math:`\Lambda_n - n\hat H_n \ge 0`, at counts :math:`n p_y`.

    With :math:`\beta = Cb`, :math:`d` the binary relative entropy and :math:`s` Stirling's remainder,

    .. math::
        \sum_y (N_y+b)\,d\Bigl(\tfrac{N_y}{N_y+b}\Big\|\tfrac{n}{n+\beta}\Bigr)
        + \tfrac12\Bigl[\sum_y\log\bigl(1+\tfrac{N_y}{b}\bigr) - \log\bigl(1+\tfrac{n}{\beta}\bigr)\Bigr]
        + \sum_y[s(b)-s(N_y+b)] - [s(\beta)-s(n+\beta)]

    where each of the three parts is nonnegative.

    Examples
    --------
    >>> two_labels = [np.asarray(v, dtype=float) for v in (2, 2, 1, 0.5, 1)]
    >>> float(redundancy(*two_labels))  # log 2 + log 3 - 2 log 2
    0.405465108108...
    """
    shares = ((1.0, 1 - label_noise), (noisy_labels, label_noise / noisy_labels))
    return counts_redundancy(n, C, b, [(number, n * share, n * (C * share - 1)) for number, share in shares])


def counts_redundancy(n: Array, C: Array, b: Array, counts: Iterable[tuple[Array | float, Array, Array]]) -> Array:
    r"""The same for any counts, given as (how many labels, their count :math:`N`, the difference :math:`CN - n`)."""
    total = np.asarray(n + C * b, dtype=np.float64)
    unseen = np.asarray(C, dtype=np.float64)
    result = -0.5 * np.log1p(n / (C * b)) - _stirling_drop(C * b, n)
    for number, count, surplus in counts:
        present = np.where(count > 0, number, 0.0)
        unseen = unseen - present
        visited = np.where(count > 0, count, 1.0)
        divergence = visited * log_ratio_loss(
            -b * surplus / (visited * total), np.maximum(n, 1e-300) * (visited + b) / (visited * total)
        ) + b * log_ratio_loss(surplus / total, C * (visited + b) / total)
        result = result + present * (divergence + 0.5 * np.log1p(visited / b) + _stirling_drop(b, visited))
    return np.asarray(result + unseen * b * np.log1p(n / (C * b)), dtype=np.float64)


def count_entropy(n: Array, counts: Iterable[tuple[Array | float, Array]]) -> Array:
    r""":math:`n\hat H_n = \sum_y N_y\log(n/N_y)` for counts given as (how many labels, their count), in nats."""
    visits = np.maximum(n, 1.0)
    result = np.zeros(())
    for number, count in counts:
        most = 2 * count > visits
        rare = np.log(visits / np.where(most | (count == 0), visits, count))
        result = result + number * count * np.where(
            most, -np.log1p(-np.where(most, visits - count, 0.0) / visits), rare
        )
    return np.asarray(result, dtype=np.float64)


def _stirling_drop(x: Array, step: Array) -> Array:
    r"""By how much Stirling's remainder falls from ``x`` to ``x + step``, accurate for small steps too.

    Below :data:`_SERIES_FROM` by shifts, :math:`s(x) - s(x+1) = (x+\tfrac12)\log(1+1/x) - 1`, then by its series.
    """
    x, step = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(step, dtype=np.float64))
    small = x < _SERIES_FROM
    result = np.zeros(x.shape)
    if small.any():
        result[small] = sum(_shift_drop(x[small] + shift, step[small]) for shift in range(_SERIES_FROM))
    start = np.where(small, x + _SERIES_FROM, x)
    growth = np.log1p(step / start)
    for power, coefficient in zip(range(1, 12, 2), _SERIES, strict=True):
        result = result - coefficient * start**-power * np.expm1(-power * growth)
    return np.asarray(result, dtype=np.float64)


def _shift_drop(x: Array, step: Array) -> Array:
    """By how much ``s(x) - s(x + 1)`` falls from ``x`` to ``x + step``."""
    end = x + step
    near = (x + 0.5) * (np.log1p(step / x) - np.log1p(step / (x + 1))) - step * np.log1p(1 / end)
    far = (x + 0.5) * np.log1p(1 / x) - (end + 0.5) * np.log1p(1 / end)
    return np.asarray(np.where(step < 1, near, far))
