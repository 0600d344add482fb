"""Evidence for the cumulative loss of the table, on sequences in random order."""

from __future__ import annotations

import itertools
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from tests.theorems.evidence import Exact, Simulated


def sequence(n: int, own: int, noisy_labels: int) -> list[int]:
    return [0] * own + [1 + i % noisy_labels for i in range(n - own)]


def product_of_predictions(n: int, C: int, b: float, own: int, noisy_labels: int) -> mpmath.mpf:
    """The loss from the definition: the probability of the whole sequence, newest label first, in fractions."""
    probability, counts = Fraction(1), dict.fromkeys(range(C), 0)
    for i, label in enumerate(reversed(sequence(n, own, noisy_labels))):
        probability *= (counts[label] + Fraction(b)) / (i + C * Fraction(b))
        counts[label] += 1
    return mpmath.log(probability.denominator) - mpmath.log(probability.numerator)


def losses_in_random_order(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, b: float, own: int, noisy_labels: int
) -> NDArray[np.float64]:
    """Cumulative losses of a table that meets the same labels in random orders."""
    totals = np.zeros(replicates)
    for row in range(replicates):
        counts = np.zeros(C)
        for i, label in enumerate(generator.permutation(sequence(n, own, noisy_labels))):
            totals[row] -= np.log((counts[label] + b) / (i + C * b))
            counts[label] += 1
    return totals


def expected_redundancy_by_enumeration(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    """Expected cumulative loss above n H: the mean of log-gamma over all counts of each label."""
    pseudo_count = mpmath.mpf(b)
    total = mpmath.loggamma(n + C * pseudo_count) - mpmath.loggamma(C * pseudo_count)
    noise = mpmath.mpf(label_noise)
    for number, p in ((1, 1 - noise), (noisy_labels, noise / noisy_labels)):
        weight, mean = (1 - p) ** n, mpmath.mpf(0)
        for k in range(1, n + 1):
            weight *= (n - k + 1) * p / (k * (1 - p))
            mean += weight * (mpmath.loggamma(k + pseudo_count) - mpmath.loggamma(pseudo_count))
        total += number * (n * p * mpmath.log(p) - mean)
    return total


def constants_by_products(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    """The limit's exponential as a product of powers."""
    support, noise, b = noisy_labels + 1, mpmath.mpf(label_noise), mpmath.mpf(b)
    probabilities = (1 - noise) * (noise / noisy_labels) ** noisy_labels
    gammas = mpmath.gamma(b) ** support / mpmath.gamma(C * b)
    weight = (C - support) * b + mpmath.mpf(support - 1) / 2
    stirling = (2 * mpmath.pi * mpmath.e) ** (-mpmath.mpf(support - 1) / 2)
    return mpmath.log(stirling * probabilities ** (mpmath.mpf(1) / 2 - b) * gammas * mpmath.mpf(n) ** weight)


def redundancies_of_tables(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    b: float,
    label_noise: float,
    noisy_labels: int,
) -> NDArray[np.float64]:
    """Losses of tables above those of the true law on the same random labels: their mean is E Lambda - nH."""
    law = np.array([1 - label_noise] + [label_noise / noisy_labels] * noisy_labels + [0.0] * (C - 1 - noisy_labels))
    counts = generator.multinomial(n, law, size=replicates)
    losses = gammaln(n + C * b) - gammaln(C * b) - (gammaln(counts + b) - gammaln(b)).sum(axis=1)
    return np.asarray(losses + counts[:, law > 0] @ np.log(law[law > 0]))


def risks_over_sequences(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    """Expected cumulative loss from the definition: every sequence of labels, its probability and its losses."""
    noise = mpmath.mpf(label_noise)
    law = [1 - noise] + [noise / noisy_labels] * noisy_labels
    total = mpmath.mpf(0)
    for labels in itertools.product(range(len(law)), repeat=n):
        weight = mpmath.fprod(law[label] for label in labels)
        predictions = (
            (labels[:i].count(label) + mpmath.mpf(b)) / (i + C * mpmath.mpf(b)) for i, label in enumerate(labels)
        )
        total -= weight * mpmath.log(mpmath.fprod(predictions))
    return total


def losses_of_tables(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    b: float,
    label_noise: float,
    noisy_labels: int,
) -> NDArray[np.float64]:
    """Cumulative losses of tables that learn along random sequences."""
    law = np.array([1 - label_noise] + [label_noise / noisy_labels] * noisy_labels)
    labels = generator.choice(law.size, p=law, size=(replicates, n))
    counts, losses = np.zeros((replicates, law.size)), np.zeros(replicates)
    for i in range(n):
        rows = np.arange(replicates), labels[:, i]
        losses -= np.log((counts[rows] + b) / (i + C * b))
        counts[rows] += 1
    return losses


EXACT = {
    "expected_cumulative_loss": Exact(
        (
            {"n": 1, "b": 0.5, "C": 2, "label_noise": 0.0, "noisy_labels": 1},
            {"n": 5, "b": 0.3, "C": 4, "label_noise": 0.2, "noisy_labels": 2},
            {"n": 8, "b": 20.0, "C": 2, "label_noise": 0.75, "noisy_labels": 1},
        ),
        risks_over_sequences,
        risks_over_sequences,
    ),
    "cumulative_loss_asymptotic": Exact(
        (
            {"C": 2, "b": 0.5, "label_noise": 0.5, "noisy_labels": 1, "n": 100},
            {"C": 4, "b": 0.25, "label_noise": 0.25, "noisy_labels": 2, "n": 400},
        ),
        expected_redundancy_by_enumeration,
        constants_by_products,
    ),
    "cumulative_loss": Exact(
        (
            {"n": 0, "C": 2, "b": 1.0, "own": 0, "noisy_labels": 1},
            {"n": 17, "C": 5, "b": 0.3, "own": 6, "noisy_labels": 4},
            {"n": 60, "C": 9, "b": 40.0, "own": 1, "noisy_labels": 7},
        ),
        product_of_predictions,
        product_of_predictions,
    ),
}
SIMULATED = {
    "expected_cumulative_loss": Simulated(
        {"n": 30, "b": 0.5, "C": 4, "label_noise": 0.3, "noisy_labels": 2}, losses_of_tables, replicates=20_000
    ),
    "cumulative_loss_asymptotic": Simulated(
        {"C": 4, "b": 1.0, "label_noise": 0.4, "noisy_labels": 2, "n": 5000}, redundancies_of_tables, replicates=50_000
    ),
    "cumulative_loss": Simulated(
        {"n": 50, "C": 6, "b": 0.5, "own": 20, "noisy_labels": 3}, losses_in_random_order, replicates=100
    ),
}
