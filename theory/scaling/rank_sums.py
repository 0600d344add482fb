r"""Sums over very many whole numbers of a function that varies slowly on a logarithmic scale.

The first numbers are summed one by one. Beyond, :math:`\sum_{x=A}^{B} g(x) \approx \int_{A-1/2}^{B+1/2} g(x)\,dx`
(the midpoint rule the other way round, whose error is about :math:`|g'(A) - g'(B)|/24`), with panels in :math:`\log x`
that are halved until two orders of Gauss' rule agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LISTED = 2000
"""Numbers that are summed one by one."""
_WIDEST_PANEL = 0.7
_MOST_HALVINGS = 24
_RULES = tuple(np.polynomial.legendre.leggauss(order) for order in (7, 12))


def sum_over_ranks(function: Callable[[Array], Array], first: int, last: float, tolerance: float = 1e-9) -> float:
    r"""Sum of a function over the whole numbers from ``first`` to ``last``.

    Parameters
    ----------
    function : callable
        :math:`g`, vectorised, of one sign and smooth for real arguments too where there are more than 2000 numbers.
    first : int
        First number, at least 0.
    last : float
        Last number, whole (a float, since it may be beyond any integer type); below ``first`` the sum is empty.
    tolerance : float
        How much a panel may be off, relative to the sum.

    Returns
    -------
    float
        The sum; relative error about ``tolerance`` or 1e-7, whichever is larger, for powers of the number.

    Examples
    --------
    >>> round(sum_over_ranks(lambda x: x**-2, 1, 1e12), 7)  # pi^2 / 6
    1.6449341
    """
    if last < first:
        return 0.0
    listed = np.arange(first, min(last, first + LISTED - 1) + 1, dtype=np.float64)
    total = float(np.asarray(function(listed)).sum())
    start, end = math.log(first + LISTED - 0.5), math.log(last + 0.5) if last >= first + LISTED else -math.inf
    if end <= start:
        return total
    edges = np.linspace(start, end, math.ceil((end - start) / _WIDEST_PANEL) + 1)
    pending = np.stack([edges[:-1], edges[1:]], axis=1)
    for _ in range(_MOST_HALVINGS):
        coarse, fine = (_panels(function, pending, *rule) for rule in _RULES)
        allowed = tolerance * (abs(total) + float(np.abs(fine).sum()))
        good = np.abs(coarse - fine) <= allowed
        total += float(fine[good].sum())
        if good.all():
            return total
        low, high = pending[~good].T
        middle = (low + high) / 2
        pending = np.concatenate([np.stack([low, middle], axis=1), np.stack([middle, high], axis=1)])
    return total + float(_panels(function, pending, *_RULES[1]).sum())


def _panels(function: Callable[[Array], Array], panels: Array, nodes: Array, weights: Array) -> Array:
    """Integrals over panels of the logarithm, shape (panels,)."""
    half = (panels[:, 1] - panels[:, 0]) / 2
    ranks = np.exp(panels.mean(axis=1)[:, None] + half[:, None] * nodes)
    values = np.asarray(function(ranks.reshape(-1))).reshape(ranks.shape)
    return np.asarray(half * ((values * ranks) @ weights), dtype=np.float64)
