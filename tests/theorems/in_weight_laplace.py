"""Evidence for the upper bounds on the Laplace table."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated


def label_law(C: int, label_noise: float, noisy_labels: int) -> list[Fraction]:
    noise = Fraction(label_noise)
    return [1 - noise] + [noise / noisy_labels] * noisy_labels + [Fraction(0)] * (C - 1 - noisy_labels)


def excess_by_enumeration(n: int, C: int, label_noise: float, noisy_labels: int, b: float = 1.0) -> mpmath.mpf:
    """Excess risk from the definition: all counts of each label."""
    total = mpmath.mpf(0)
    for p in label_law(C, label_noise, noisy_labels):
        if p > 0:
            q = mpmath.mpf(p.numerator) / p.denominator
            for k in range(n + 1):
                weight = math.comb(n, k) * q**k * (1 - q) ** (n - k)
                total += q * weight * (mpmath.log(q) - mpmath.log((k + mpmath.mpf(b)) / (n + C * mpmath.mpf(b))))
    return total


def table_excess(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, label_noise: float, noisy_labels: int
) -> NDArray[np.float64]:
    """Excess risk of tables that learned from ``n`` drawn labels each: their expectation is the theorem's left side."""
    law = np.array([float(p) for p in label_law(C, label_noise, noisy_labels)])
    counts = generator.multinomial(n, law, size=replicates)
    seen = law > 0
    return np.asarray((law[seen] * np.log(law[seen] * (n + C) / (counts[:, seen] + 1))).sum(axis=1))


POINTS = (
    {"n": 0, "C": 2, "label_noise": 0.0, "noisy_labels": 1},
    {"n": 7, "C": 5, "label_noise": 0.3, "noisy_labels": 2},
    {"n": 40, "C": 30, "label_noise": 0.9, "noisy_labels": 29},
)
EXACT = {
    name: Exact(POINTS, excess_by_enumeration, right)
    for name, right in {
        "laplace_upper_seen": lambda n, C, label_noise, noisy_labels: sum(
            mpmath.mpf(p.numerator) / p.denominator * mpmath.log(Fraction(n + C, n + 1) * (1 - (1 - p) ** (n + 1)))
            for p in label_law(C, label_noise, noisy_labels)
            if p > 0
        ),
        "laplace_upper_log": lambda n, C, **_: mpmath.log(mpmath.mpf(n + C) / (n + 1)),
        "laplace_upper_linear": lambda n, C, **_: mpmath.mpf(C - 1) / (n + 1),
    }.items()
}
SIMULATED = {
    "laplace_upper_seen": Simulated({"n": 3, "C": 4, "label_noise": 0.3, "noisy_labels": 2}, table_excess, 200_000),
    "laplace_upper_log": Simulated({"n": 3, "C": 40, "label_noise": 0.05, "noisy_labels": 1}, table_excess, 200_000),
    "laplace_upper_linear": Simulated({"n": 50, "C": 3, "label_noise": 0.02, "noisy_labels": 1}, table_excess, 200_000),
}
