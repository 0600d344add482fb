"""Evidence for the cumulative loss of the table, on sequences in random order."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

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


EXACT = {
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
    "cumulative_loss": Simulated(
        {"n": 50, "C": 6, "b": 0.5, "own": 20, "noisy_labels": 3}, losses_in_random_order, replicates=100
    ),
}
