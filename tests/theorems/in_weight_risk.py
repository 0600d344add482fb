"""Evidence for the exact in-weight risk and for its bounds with any pseudo-count."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.in_weight_laplace import excess_by_enumeration, label_law


def exact(number: Fraction | float) -> mpmath.mpf:
    fraction = Fraction(number)
    return mpmath.mpf(fraction.numerator) / fraction.denominator


def entropy(C: int, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    return -sum(exact(p) * mpmath.log(exact(p)) for p in label_law(C, label_noise, noisy_labels) if p > 0)


def risk_by_enumeration(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    return excess_by_enumeration(n, C, label_noise, noisy_labels, b) + entropy(C, label_noise, noisy_labels)


def upper_by_enumeration(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    total = mpmath.mpf(0)
    for p in label_law(C, label_noise, noisy_labels):
        if p > 0:
            counts = (math.comb(n, k) * p**k * (1 - p) ** (n - k) / (k + Fraction(b)) for k in range(n + 1))
            total += exact(p) * mpmath.log(exact(p * (n + C * Fraction(b)) * sum(counts)))
    return total


def mean_table_excess(n: int, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    b = Fraction(b)
    law = [p for p in label_law(C, label_noise, noisy_labels) if p > 0]
    return mpmath.fsum(exact(p) * mpmath.log(exact(p * (n + C * b) / (n * p + b))) for p in law)


def table_losses(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, b: float, label_noise: float, noisy_labels: int
) -> NDArray[np.float64]:
    """Mean loss of tables that learned from ``n`` drawn labels each: its expectation is the risk."""
    law = np.array([float(p) for p in label_law(C, label_noise, noisy_labels)])
    counts = generator.multinomial(n, law, size=replicates)
    return np.asarray(-(law * np.log((counts + b) / (n + C * b))).sum(axis=1))


def table_excess(generator: np.random.Generator, replicates: int, **point: Any) -> NDArray[np.float64]:
    """The same beyond the entropy of the label law."""
    law = {name: point[name] for name in ("C", "label_noise", "noisy_labels")}
    return table_losses(generator, replicates, **point) - float(entropy(**law))


def noiseless_losses(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, b: float
) -> NDArray[np.float64]:
    """A table learns the own label ``n`` times, whichever it is, and is asked for it."""
    own = generator.integers(C, size=replicates)
    counts = np.zeros((replicates, C))
    rows = np.arange(replicates)
    for _ in range(n):
        counts[rows, own] += 1
    return np.asarray(-np.log((counts[rows, own] + b) / (counts.sum(axis=1) + C * b)))


POINTS = (
    {"n": 0, "C": 2, "b": 1.0, "label_noise": 0.0, "noisy_labels": 1},
    {"n": 7, "C": 5, "b": 0.5, "label_noise": 0.3, "noisy_labels": 2},
    {"n": 40, "C": 30, "b": 1e-3, "label_noise": 0.9, "noisy_labels": 29},
    {"n": 12, "C": 9, "b": 1e4, "label_noise": 1.0, "noisy_labels": 3},
)
NOISELESS = ({"n": 0, "C": 7, "b": 0.5}, {"n": 3, "C": 4, "b": 2.5}, {"n": 10**9, "C": 10**5, "b": 1e-6})
EXACT = {
    "in_weight_risk": Exact(POINTS, excess_by_enumeration, excess_by_enumeration),
    "in_weight_risk_total": Exact(POINTS, risk_by_enumeration, risk_by_enumeration),
    "in_weight_risk_noiseless": Exact(
        NOISELESS, lambda n, C, b: mpmath.log(exact((n + C * Fraction(b)) / (n + Fraction(b))))
    ),
    "pseudo_count_upper": Exact(POINTS, excess_by_enumeration, upper_by_enumeration),
    "in_weight_lower": Exact(POINTS, excess_by_enumeration, mean_table_excess),
}
_FEW_VISITS = {"n": 3, "C": 4, "b": 0.2, "label_noise": 0.3, "noisy_labels": 2}
SIMULATED = {
    "in_weight_risk": Simulated(_FEW_VISITS, table_excess, 200_000),
    "in_weight_risk_total": Simulated(_FEW_VISITS, table_losses, 200_000),
    "in_weight_risk_noiseless": Simulated({"n": 5, "C": 6, "b": 0.5}, noiseless_losses, 1000),
    "pseudo_count_upper": Simulated(_FEW_VISITS, table_excess, 200_000),
    "in_weight_lower": Simulated(_FEW_VISITS, table_excess, 200_000),
}
