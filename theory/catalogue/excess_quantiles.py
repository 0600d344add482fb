r"""Quantiles of what a table of two labels has learned, by enumeration of the counts, vectorised.

A statement "with probability :math:`1-\delta` at most :math:`t`" says that the quantile at the level :math:`\delta` is
at most :math:`t`; the quantile shows by how much the statement is loose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from theory.catalogue.label_counts import Array
from theory.numerics.excess import log_ratio_loss
from theory.numerics.special import binomial_log_probability

# Probabilities this close are equal: a level may tie with a probability exactly.
_TIE: Final = 1e-13
_ROWS: Final = 1 << 11


def excess_quantile(n: Array, C: Array, b: Array, label_noise: Array, level: Array) -> Array:
    """What the excess risk exceeds with a probability of at most ``level``, in nats."""

    def excess(k: Array, n: Array, C: Array, b: Array, noise: Array) -> Array:
        total = n + C * b
        # How far the count is off its mean, from the rarer label.
        off = np.where(noise < 0.5, k - n * noise, n * (1 - noise) - (n - k))
        own = _loss_term(1 - noise, -off + b * (1 - C * (1 - noise)), n - k + b, total)
        noisy = _loss_term(noise, off + b * (1 - C * noise), k + b, total)
        support = 1 * (noise < 1) + 1 * (noise > 0)
        return np.asarray(own + noisy + (C - support) * b / total)

    return _quantile(excess, n, label_noise, level, C, b)


def _loss_term(p: Array, surplus: Array, count: Array, total: Array) -> Array:
    possible = np.where(p > 0, p, 1.0)
    loss = log_ratio_loss(surplus / (possible * total), np.maximum(count, 1e-300) / (possible * total))
    return np.asarray(np.where(p > 0, p * loss, 0.0))


def _quantile(function: Callable[..., Array], n: Array, label_noise: Array, level: Array, *others: Array) -> Array:
    arrays = np.broadcast_arrays(n, label_noise, level, *others)
    flat = [np.ravel(a) for a in arrays]
    result = np.zeros(flat[0].shape)
    order = np.argsort(flat[0])
    for start in range(0, order.size, _ROWS):
        rows = order[start : start + _ROWS]
        visits, noise, beyond, *rest = (a[rows, None] for a in flat)
        k = np.minimum(np.arange(int(visits.max()) + 1)[None, :], visits)
        weights = np.where(np.arange(k.shape[1]) <= visits, _binomial(k, visits, noise), 0.0)
        values = np.where(weights > 0, function(k, visits, *rest, noise), -1.0)
        falling = np.argsort(-values, axis=1)
        tail = np.cumsum(np.take_along_axis(weights, falling, axis=1), axis=1)
        exceeds = tail > beyond * (1 + _TIE)
        # A level next to 1 leaves the smallest outcome.
        last = np.count_nonzero(weights > 0, axis=1) - 1
        first = np.where(exceeds.any(axis=1), np.argmax(exceeds, axis=1), last)[:, None]
        result[rows] = np.take_along_axis(np.take_along_axis(values, falling, axis=1), first, axis=1)[:, 0]
    return result.reshape(arrays[0].shape)


def _binomial(k: Array, n: Array, p: Array) -> Array:
    random = (p > 0) & (p < 1)
    weights = np.exp(binomial_log_probability(k, n, np.where(random, p, 0.5)))
    return np.asarray(np.where(random, weights, k == np.where(p > 0, n, 0.0)), dtype=np.float64)
