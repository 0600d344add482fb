"""Evidence for the in-weight risk after so many examples of a stream."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.in_weight_laplace import label_law
from tests.theorems.in_weight_risk import exact, risk_by_enumeration


def risk_over_visits(N: int, p_x: float, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    visit = Fraction(p_x)
    return mpmath.fsum(
        exact(math.comb(N, n) * visit**n * (1 - visit) ** (N - n))
        * risk_by_enumeration(n, C, b, label_noise, noisy_labels)
        for n in range(N + 1)
    )


def stream_losses(
    generator: np.random.Generator,
    replicates: int,
    *,
    N: int,
    p_x: float,
    C: int,
    b: float,
    label_noise: float,
    noisy_labels: int,
) -> NDArray[np.float64]:
    """Loss of a table on a drawn label of the query, after streams of which it counts the visits one by one."""
    law = np.array([float(p) for p in label_law(C, label_noise, noisy_labels)])
    rows = np.arange(replicates)
    counts = np.zeros((replicates, C))
    for _ in range(N):
        visited = generator.random(replicates) < p_x
        counts[rows[visited], generator.choice(C, size=int(visited.sum()), p=law)] += 1
    asked = generator.choice(C, size=replicates, p=law)
    return np.asarray(-np.log((counts[rows, asked] + b) / (counts.sum(axis=1) + C * b)))


EXACT = {
    "risk_after_examples": Exact(
        (
            {"N": 0, "p_x": 0.5, "C": 3, "b": 0.5, "label_noise": 0.1, "noisy_labels": 2},
            {"N": 9, "p_x": 0.3, "C": 5, "b": 1.0, "label_noise": 0.25, "noisy_labels": 3},
            {"N": 14, "p_x": 1.0, "C": 4, "b": 2.0, "label_noise": 0.5, "noisy_labels": 1},
            {"N": 11, "p_x": 1e-9, "C": 900, "b": 1e-6, "label_noise": 0.0, "noisy_labels": 1},
        ),
        risk_over_visits,
        risk_over_visits,
    ),
}
SIMULATED = {
    "risk_after_examples": Simulated(
        {"N": 12, "p_x": 0.2, "C": 4, "b": 0.3, "label_noise": 0.2, "noisy_labels": 2}, stream_losses, 100_000
    ),
}
