"""Means over the two-level label law, vectorised: the numeric twin of ``theory.theorems.labels.two_level``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.numerics.excess import log_deficit, log_ratio_loss

Array = NDArray[np.float64]


def over_labels(term: Callable[[Array], Array], label_noise: ArrayLike, noisy_labels: ArrayLike) -> Array:
    r""":math:`\sum_y F(p_y)` over the labels of positive probability.

    Parameters
    ----------
    term : callable
        :math:`F`, vectorised; it sees positive probabilities only.
    label_noise, noisy_labels : array_like
        :math:`\eta`, and the number of labels that share it.

    Examples
    --------
    >>> float(over_labels(lambda p: p * p, 0.5, 2))
    0.375
    """
    return over_labels_and_rest(lambda p, _: term(p), label_noise, noisy_labels)


def over_labels_and_rest(
    term: Callable[[Array, Array], Array], label_noise: ArrayLike, noisy_labels: ArrayLike
) -> Array:
    """As :func:`over_labels`, for a function of a probability and of its complement, which 1 does not round off."""
    noise, number = np.asarray(label_noise, dtype=np.float64), np.asarray(noisy_labels, dtype=np.float64)
    total = np.zeros(())
    for count, probability, rest in ((1.0, 1 - noise, noise), (number, noise / number, 1 - noise / number)):
        positive = probability > 0
        value = term(np.where(positive, probability, 1.0), np.where(positive, rest, 0.0))
        total = total + np.where(positive, count * value, 0.0)
    return np.asarray(total, dtype=np.float64)


def excess_risk(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Excess risk :math:`R_n - H` of the Dirichlet table as a sum of positive terms: no digits cancel, at any n."""
    return mismatch(n, C, b, label_noise, noisy_labels) + over_labels_and_rest(
        lambda p, rest: p * log_deficit(n, p, b, rest), label_noise, noisy_labels
    )


def mismatch(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r""":math:`\mathrm{KL}(y^* \| \bar g_n)` of the mean table :math:`\bar g_n(y) = (n y^*_y + b)/(n + Cb)`."""
    total = n + C * b

    def term(p: Array) -> Array:
        return p * log_ratio_loss(b * (1 - C * p) / (p * total), (n * p + b) / (p * total))

    support = 1 * (label_noise < 1) + noisy_labels * (label_noise > 0)
    return over_labels(term, label_noise, noisy_labels) + (C - support) * b / total
