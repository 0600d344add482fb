r"""Integrals for the table after :math:`N` examples of a stream, and the sums over visits that they replace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from theory.catalogue.enumeration import weights
from theory.catalogue.two_level_law import Array

_STEP: Final = 0.25
_BLOCK: Final = 1 << 9


def integrated(
    integrand: Callable[..., Array], N: Array, p_x: Array, C: Array, b: Array, p: Array, rest: Array
) -> Array:
    r""":math:`\int_0^\infty F(t)\,dt/t` by the trapezoidal rule in :math:`\log t`, vectorised.

    Parameters
    ----------
    integrand : callable
        :math:`F`, a function of ``t`` and the other arguments: at least linear below the fastest rate
        :math:`Np_x + Cb`, with an end like :math:`e^{-bt}`.
    N, p_x, C, b, p, rest : ndarray
        Examples, probability of a visit, labels, pseudo-count, probability of a label, and its complement; broadcast.
    """
    arrays = np.broadcast_arrays(N, p_x, C, b, p, rest)
    columns = [a.reshape(-1, 1) for a in arrays]
    visits, total, pseudo_count = columns[0] * columns[1], columns[2] * columns[3], columns[3]
    spread = (visits + total) / pseudo_count
    result = np.empty(spread.size)
    # Points that need about as many nodes go together.
    order = np.argsort(spread[:, 0])
    for start in range(0, order.size, _BLOCK):
        rows = order[start : start + _BLOCK]
        upper = np.log(45.0 * float(np.max(spread[rows])))
        t = np.exp(np.arange(-41.5, upper + _STEP, _STEP)) / (visits + total)[rows]
        result[rows] = _STEP * integrand(t, *(a[rows] for a in columns)).sum(axis=1)
    return result.reshape(arrays[0].shape)


def sum_over_visits(function: Callable[[Array], Array], N: Array, p_x: Array) -> Array:
    """Mean of a function of the number of visits, by going through all numbers of visits."""
    total = np.zeros(())
    for number in range(int(np.max(N, initial=0)) + 1):
        visits = np.full(np.broadcast(N, p_x).shape, float(number))
        total = total + weights(N, visits, p_x, 1 - p_x) * function(visits)
    return np.asarray(total)
