"""The table's risk from its definition, by going through all label counts: for few visits, and against the formulas."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from theory.catalogue.two_level_law import Array, over_labels_and_rest
from theory.numerics.excess import log_ratio_loss

# Enumerations go through all counts up to here.
MOST_VISITS: Final = 100


def excess_by_enumeration(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Excess risk :math:`R_n - H` as a sum over all counts of each label; arguments broadcast.

    With :math:`r = \frac{N_y+b}{p_y(n+Cb)} - 1` the loss beyond :math:`H` is :math:`-\log(1+r)`, and
    :math:`\sum_y p_y E r` is minus the mass that the mean table gives to labels that never occur: so the sum is one of
    the positive :math:`r - \log(1+r)`, and of that mass.
    """
    columns = [np.asarray(a)[..., None] for a in np.broadcast_arrays(n, C, b, label_noise, noisy_labels)]
    n, C, b, label_noise, noisy_labels = columns
    counts, total = all_counts(n), n + C * b

    def term(p: Array, rest: Array) -> Array:
        # The count beyond its mean; for p near 1 by what lacks to all n.
        beyond = np.where(p > 0.5, (counts - n) + n * rest, counts - n * p)
        loss = log_ratio_loss((beyond + b * (1 - C * p)) / (p * total), (counts + b) / (p * total))
        return np.asarray(p * (weights(n, counts, p, rest) * loss).sum(axis=-1, keepdims=True))

    support = 1 * (label_noise < 1) + noisy_labels * (label_noise > 0)
    return (over_labels_and_rest(term, label_noise, noisy_labels) + (C - support) * b / total)[..., 0]


def risk_by_enumeration(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Risk :math:`R_n = \sum_y p_y E\log\frac{n+Cb}{N_y+b}` as a sum over all counts of each label."""
    columns = [np.asarray(a)[..., None] for a in np.broadcast_arrays(n, C, b, label_noise, noisy_labels)]
    n, C, b, label_noise, noisy_labels = columns
    counts = all_counts(n)
    losses = np.log1p((np.maximum(n - counts, 0) + (C - 1) * b) / (counts + b))

    def term(p: Array, rest: Array) -> Array:
        return np.asarray(p * (weights(n, counts, p, rest) * losses).sum(axis=-1, keepdims=True))

    return over_labels_and_rest(term, label_noise, noisy_labels)[..., 0]


def all_counts(n: Array) -> NDArray[np.float64]:
    """The counts 0, 1, ..., up to the largest number of visits."""
    return np.arange(float(np.max(n, initial=0)) + 1)


def weights(n: Array, counts: Array, p: Array, rest: Array) -> Array:
    """Binomial probabilities of the counts, 0 for counts above ``n``; ``rest`` is ``1 - p``, not rounded to 1."""
    missed = np.maximum(n - counts, 0)
    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(missed + 1)
    return np.asarray(np.where(counts <= n, np.exp(ways + xlogy(counts, p) + xlogy(missed, rest)), 0.0))
