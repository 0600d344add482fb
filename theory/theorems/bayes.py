r"""The best in-context predictor: what the Bayes rule pays above the entropy, as a SymPy function and for arrays.

The query's own label is uniform over :math:`C` labels. Each of :math:`m` context labels and the query's label is the
own one with probability :math:`1-\eta`, and each of the others with probability :math:`\eta' = \eta/(C-1)`. The
posterior depends on the label counts only, and by symmetry on how often the seen labels were seen: a partition of
:math:`m`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from theory.numerics.excess import log_ratio_loss
from theory.numerics.special import minus_product

Array = NDArray[np.float64]
# A partition as pairs (count of a label, how many labels have it), with the number of sequences of given labels.
Partition = tuple[tuple[tuple[int, int], ...], float]

_BLOCK: Final = 1 << 14


@cache
def partitions(total: int, most_parts: int) -> tuple[Partition, ...]:
    """How ``total`` labels can be distributed, up to names: with how many sequences of labels for each assignment.

    Examples
    --------
    >>> partitions(3, 2)
    ((((3, 1),), 1.0), (((2, 1), (1, 1)), 3.0))
    """
    found = []
    for parts in _parts(total, total, most_parts):
        sequences = math.factorial(total) // math.prod(math.factorial(part) for part in parts)
        found.append((tuple(sorted(Counter(parts).items(), reverse=True)), float(sequences)))
    return tuple(found)


def _parts(total: int, largest: int, most_parts: int) -> Iterator[tuple[int, ...]]:
    if total == 0:
        yield ()
    elif most_parts > 0:
        for first in range(min(total, largest), 0, -1):
            for rest in _parts(total - first, first, most_parts - 1):
                yield (first, *rest)


def bayes_excess(m: Array, C: Array, label_noise: Array) -> Array:
    r"""Excess of the Bayes rule over the entropy, exactly: a sum of positive terms over the partitions of :math:`m`.

    Parameters
    ----------
    m : array_like
        Labels in the context; the cost grows with the number of their partitions (22 for 8, 231 for 16), at
        :math:`C = 2` with :math:`m/2`.
    C, label_noise : array_like
        Number of labels, and :math:`\eta` in (0, 1).

    Returns
    -------
    ndarray
        :math:`E\,\mathrm{KL}(P_S \| \sum_s \pi_s P_s)` in nats.

    Examples
    --------
    >>> bool(np.isclose(bayes_excess(0, 2, 0.25), np.log(2) + 0.25 * np.log(0.25) + 0.75 * np.log(0.75)))
    True
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (m, C, label_noise)))
    number, labels, noise = (a.reshape(-1) for a in arrays)
    result = np.empty(number.size)
    for value in np.unique(number):
        (rows,) = np.nonzero(number == value)
        for start in range(0, rows.size, _BLOCK):
            block = rows[start : start + _BLOCK]
            result[block] = _excess_of(int(value), labels[block], noise[block])
    return result.reshape(arrays[0].shape)


def _excess_of(m: int, C: Array, noise: Array) -> Array:
    total = np.zeros(C.size)
    for seen, sequences in partitions(m, int(C.max(initial=2))):
        total += sequences * _excess_of_partition(m, seen, C, noise)
    return total


def _excess_of_partition(m: int, seen: tuple[tuple[int, int], ...], C: Array, noise: Array) -> Array:
    """Over all assignments of labels to a partition and all own labels: probability of a sequence, times divergence."""
    number_seen = sum(number for _, number in seen)
    counts = [count for count, _ in seen] + [0]
    numbers = [np.full(C.size, float(number)) for _, number in seen] + [np.maximum(C - number_seen, 0.0)]
    assignments = np.ones(C.size)
    for taken in range(number_seen):
        assignments = assignments * (C - taken)
    assignments = assignments / math.prod(math.factorial(number) for _, number in seen)
    logs = [count * np.log1p(-noise) + (m - count) * (np.log(noise) - np.log(C - 1)) for count in counts]
    largest = np.max([np.where(n > 0, log, -np.inf) for n, log in zip(numbers, logs, strict=True)], axis=0)
    weights = [np.where(n > 0, np.exp(np.minimum(log - largest, 0)), 0.0) for n, log in zip(numbers, logs, strict=True)]
    total = np.zeros(C.size)
    for own in range(len(counts)):
        divergence = _divergence(own, numbers, weights, C, noise)
        total += np.where(numbers[own] > 0, numbers[own] * np.exp(logs[own]) * divergence, 0.0)
    return assignments * total / C


def _divergence(own: int, numbers: list[Array], weights: list[Array], C: Array, noise: Array) -> Array:
    r"""KL from the law of the own label, of which group it is, to the posterior mean; no digits cancel."""
    other_noise = noise / (C - 1)
    contrast = minus_product(C - 1, C, noise) / (C - 1)
    normaliser = sum(n * w for n, w in zip(numbers, weights, strict=True))
    normaliser = np.where(normaliser > 0, normaliser, 1.0)
    total = np.zeros(C.size)
    for group, (number, weight) in enumerate(zip(numbers, weights, strict=True)):
        share = weight / normaliser
        missing = _without_one(group, numbers, weights) / normaliser
        predicted = (1 - noise) * share + other_noise * missing
        if group == own:
            loss = log_ratio_loss(-contrast * missing / (1 - noise), _or_one(predicted / (1 - noise)))
            total = total + (1 - noise) * loss
        loss = log_ratio_loss(contrast * share / other_noise, _or_one(predicted / other_noise))
        total = total + np.maximum(number - (group == own), 0.0) * other_noise * loss
    return np.asarray(total)


def _without_one(group: int, numbers: list[Array], weights: list[Array]) -> Array:
    """Weight of all labels but one of a group, without a subtraction of weights."""
    kept = [np.maximum(number - (index == group), 0.0) for index, number in enumerate(numbers)]
    return np.asarray(sum(number * weight for number, weight in zip(kept, weights, strict=True)))


def _or_one(ratio: Array) -> Array:
    """The ratio, or 1 where its group is empty."""
    return np.where(ratio > 0, ratio, 1.0)


def bayes_excess_to_fifty_digits(m: Any, C: Any, label_noise: Any) -> mpmath.mpf:
    """The same in mpmath, from the posterior mean itself."""
    own, other = 1 - label_noise, label_noise / (C - 1)
    # The divergences cancel to as many orders of magnitude as the least likely sequence has.
    lost = -(int(m) + 1) * mpmath.log10(min(own, other))
    with mpmath.extradps(int(lost)):
        return +mpmath.fsum(
            sequences * _exact_excess_of_partition(int(m), seen, C, own, other)
            for seen, sequences in partitions(int(m), min(int(m), int(C)))
        )


def _exact_excess_of_partition(m: int, seen: tuple[tuple[int, int], ...], C: Any, own: Any, other: Any) -> mpmath.mpf:
    unseen = C - sum(number for _, number in seen)
    groups = [*seen, (0, unseen)] if unseen > 0 else list(seen)
    weights = [own**count * other ** (m - count) for count, _ in groups]
    normaliser = mpmath.fsum(number * w for (_, number), w in zip(groups, weights, strict=True))
    predicted = [other + (own - other) * w / normaliser for w in weights]
    noise = [other * mpmath.log(other / q) for q in predicted]
    all_noise = mpmath.fsum(number * loss for (_, number), loss in zip(groups, noise, strict=True))
    assignments = mpmath.ff(C, C - unseen) / math.prod(math.factorial(number) for _, number in seen)
    return mpmath.fsum(
        assignments * number * w / C * (own * mpmath.log(own / q) + all_noise - loss)
        for (_, number), w, q, loss in zip(groups, weights, predicted, noise, strict=True)
    )


class BayesExcess(sympy.Function):  # type: ignore[misc]
    r""":math:`E\,\mathrm{KL}(P_S \| \sum_s \pi_s P_s)`, the excess of the Bayes rule.

    Arguments ``m, C, label_noise``.
    """

    nargs = 3
    mp_value = staticmethod(bayes_excess_to_fifty_digits)

    def _latex(self, printer: Any) -> str:
        m, C, noise = (printer.doprint(argument) for argument in self.args)
        return rf"\mathbb{{E}}\,\mathrm{{KL}}\bigl(P_S \| \textstyle\sum_s \pi_s P_s\bigr)_{{{m}, {C}, {noise}}}"
