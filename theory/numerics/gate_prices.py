r"""What the gates pay at most beyond what they are compared with: the closed forms behind theorems and trajectories.

``start`` is the price of the comparator in the prior (:math:`\log\frac1\pi`, a divergence, or a squared distance),
``squares`` a sum over the visits: :math:`n B^2` where losses or slopes are known to be at most :math:`B`,
:math:`\sum_i D_i^2` on a trajectory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def hedge_price(start: ArrayLike, rate: ArrayLike, squares: ArrayLike = 0.0) -> Array:
    r""":math:`\frac{\text{start}}\lambda + \frac\lambda8\,\text{squares}`: Hedge and exponentiated gradient; nats.

    Source: ``cesabianchi2006prediction``; without the squares for log loss at a rate of at most 1.

    Examples
    --------
    >>> float(hedge_price(1.0, 0.5, squares=16.0))
    3.0
    """
    start, rate, squares = (np.asarray(value, dtype=np.float64) for value in (start, rate, squares))
    return np.asarray(start / rate + rate * squares / 8)


def descent_price(start: ArrayLike, rate: ArrayLike, squares: ArrayLike) -> Array:
    r""":math:`\frac{\text{start}}{2\lambda} + \frac\lambda2\,\text{squares}`: projected gradient descent; nats.

    ``start`` is the squared distance of the weights. Source: ``zinkevich2003online``.

    Examples
    --------
    >>> float(descent_price(0.25, 0.5, squares=4.0))
    1.25
    """
    start, rate, squares = (np.asarray(value, dtype=np.float64) for value in (start, rate, squares))
    return np.asarray(start / (2 * rate) + rate * squares / 2)


def decreasing_hedge_price(start: ArrayLike, rate: ArrayLike, visits: ArrayLike, excess: ArrayLike = 0.0) -> Array:
    r""":math:`\frac{\sqrt n}\lambda\,\text{start} + \frac18\,\text{excess}`: Hedge at the rate :math:`\lambda/\sqrt i`.

    ``excess`` is :math:`\sum_i \max(\lambda_i - 1, 0) D_i^2` with the rates :math:`\lambda_i`; in nats.

    Examples
    --------
    >>> float(decreasing_hedge_price(1.0, 0.5, 16))
    8.0
    """
    start, rate, visits, excess = (np.asarray(value, dtype=np.float64) for value in (start, rate, visits, excess))
    return np.asarray(np.sqrt(visits) / rate * start + excess / 8)


def adahedge_price(gaps: Array) -> Array:
    r""":math:`\Delta_n + \Delta_{n-1}`, from the sums :math:`\Delta_i` of AdaHedge's mixability gaps, i from 1; nats.

    The visits are along the first axis. Source: ``derooij2014follow``.

    Examples
    --------
    >>> float(adahedge_price(np.array([1.0, 1.5]))), float(adahedge_price(np.array([1.0])))
    (2.5, 1.0)
    """
    return np.asarray(gaps[-1] + (gaps[-2] if len(gaps) > 1 else 0.0))


def fixed_share_price(start: ArrayLike, visits: ArrayLike, switches: ArrayLike, rate: ArrayLike) -> Array:
    r""":math:`\text{start} + S\log\frac1s + (n-1-S)\log\frac1{1-s}`: fixed share against :math:`S` switches; nats.

    Source: ``herbster1998tracking``.

    Examples
    --------
    >>> round(float(fixed_share_price(0.0, 3, 0, 0.5) / np.log(2)), 12)
    2.0
    """
    start, visits, switches, rate = (np.asarray(value, dtype=np.float64) for value in (start, visits, switches, rate))
    return np.asarray(start - switches * np.log(rate) - (visits - 1 - switches) * np.log1p(-rate))


def excess_rates(visits: int, rate: float) -> Array:
    r""":math:`\max(\lambda/\sqrt i - 1, 0)` for the visits :math:`i = 1, \dots, n`: by how much rates are above 1.

    Examples
    --------
    >>> excess_rates(4, 2.0).round(3).tolist()
    [1.0, 0.414, 0.155, 0.0]
    """
    return np.asarray(np.maximum(rate / np.sqrt(1 + np.arange(visits)) - 1, 0.0))


def total_excess_rate(visits: ArrayLike, rate: ArrayLike) -> Array:
    r""":math:`\sum_{i=1}^n \max(\lambda/\sqrt i - 1, 0)`, vectorised.

    Examples
    --------
    >>> round(float(total_excess_rate(4, 2.0)), 9), round(float(excess_rates(4, 2.0).sum()), 9)
    (1.568914101, 1.568914101)
    >>> float(total_excess_rate(1e12, 0.9))
    0.0
    """
    visits, rate = np.broadcast_arrays(np.asarray(visits, dtype=np.float64), np.asarray(rate, dtype=np.float64))
    # Beyond the square of the rate nothing is added.
    count = np.minimum(visits, np.floor(rate**2))
    summed = np.concatenate([[0.0], np.cumsum(1 / np.sqrt(np.arange(1, int(count.max(initial=0)) + 1)))])
    return np.asarray(np.maximum(rate * summed[count.astype(np.intp)] - count, 0.0))
