"""Least risk of an in-weight learner under a prior, vectorised: the numeric twin of ``theory.theorems.bayes_risk``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import xlogy

from theory.catalogue.two_level_law import Array
from theory.theorems.bayes_risk import arrangements, partitions

# Probability of one sequence with the given counts, and the entropies of the next label that seen labels and any
# unseen one contribute.
Law = Callable[[tuple[int, ...]], tuple[Array, list[Array], Array]]


def uniform_own_risk(n: int, C: Array, label_noise: Array) -> Array:
    """Least risk after ``n`` visits when any label may be the own one and the noise is symmetric."""
    other = label_noise / (C - 1)

    def law(counts: tuple[int, ...]) -> tuple[Array, list[Array], Array]:
        likelihoods = [(1 - label_noise) ** count * other ** (n - count) for count in counts]
        unseen, number = other**n, np.maximum(C - len(counts), 0)
        total = sum(likelihoods, start=number * unseen)
        scale = np.where(total > 0, total, 1.0)

        def entropy(own: Array, others: Array) -> Array:
            predicted = (own * (1 - label_noise) + others * other) / scale
            return entropy_of(predicted, (own * label_noise + others * (1 - other)) / scale)

        seen = [
            entropy(own, sum(likelihoods[:i] + likelihoods[i + 1 :], start=number * unseen))
            for i, own in enumerate(likelihoods)
        ]
        return total / C, seen, entropy(unseen, sum(likelihoods, start=np.maximum(number - 1, 0) * unseen))

    return _mean_entropy(n, C, law)


def dirichlet_risk(n: int, C: Array, b: Array) -> Array:
    """Least risk after ``n`` visits when the label law is drawn from Dirichlet(b, ..., b)."""
    total = n + C * b

    def law(counts: tuple[int, ...]) -> tuple[Array, list[Array], Array]:
        probability = np.ones_like(b)
        rising = [i + b for count in counts for i in range(count)]
        for i, factor in enumerate(rising):
            probability = probability * factor / (C * b + i)
        seen = [entropy_of((count + b) / total, (n - count + (C - 1) * b) / total) for count in counts]
        return probability, seen, entropy_of(b / total, (n + (C - 1) * b) / total)

    return _mean_entropy(n, C, law)


def _mean_entropy(n: int, C: Array, law: Law) -> Array:
    mean = np.zeros(np.shape(C))
    for counts in partitions(n):
        labels = np.ones(np.shape(C))
        for i in range(len(counts)):
            labels = labels * np.maximum(C - i, 0)
        probability, seen, unseen = law(counts)
        entropy = sum(seen, start=np.maximum(C - len(counts), 0) * unseen)
        mean = mean + arrangements(counts) * labels * probability * entropy
    return mean


def entropy_of(probability: Array, complement: Array) -> Array:
    r""":math:`-p\log p`, given :math:`p` and :math:`1 - p` each without rounding of the other."""
    near_one = np.log1p(-np.minimum(complement, 0.5))
    return np.asarray(np.where(complement < 0.5, -probability * near_one, -xlogy(probability, probability)))
