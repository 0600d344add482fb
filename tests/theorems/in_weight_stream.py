"""Evidence for the in-weight risk after so many examples of a stream."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.in_weight_laplace import label_law
from tests.theorems.in_weight_risk import entropy, exact, risk_by_enumeration


def risk_over_visits(N: int, p_x: float, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    visit = Fraction(p_x)
    return mpmath.fsum(
        exact(math.comb(N, n) * visit**n * (1 - visit) ** (N - n))
        * risk_by_enumeration(n, C, b, label_noise, noisy_labels)
        for n in range(N + 1)
    )


def excess_over_visits(N: int, p_x: float, C: int, b: float, label_noise: float, noisy_labels: int) -> mpmath.mpf:
    return risk_over_visits(N, p_x, C, b, label_noise, noisy_labels) - entropy(C, label_noise, noisy_labels)


def stream_excess(
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
    """Excess risk of tables after streams of examples."""
    law = np.array([float(p) for p in label_law(C, label_noise, noisy_labels)])
    visits = (generator.random((replicates, N)) < p_x).sum(axis=1)
    counts = generator.multinomial(visits, law)
    seen = law > 0
    predicted = (counts[:, seen] + b) / (visits[:, None] + C * b)
    return np.asarray((law[seen] * np.log(law[seen] / predicted)).sum(axis=1))


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


POINTS = (
    {"N": 0, "p_x": 0.5, "C": 3, "b": 0.5, "label_noise": 0.1, "noisy_labels": 2},
    {"N": 9, "p_x": 0.3, "C": 5, "b": 1.0, "label_noise": 0.25, "noisy_labels": 3},
    {"N": 14, "p_x": 1.0, "C": 4, "b": 2.0, "label_noise": 0.5, "noisy_labels": 1},
    {"N": 11, "p_x": 1e-9, "C": 900, "b": 1e-6, "label_noise": 0.0, "noisy_labels": 1},
)
EXACT = {
    "risk_after_examples": Exact(POINTS, risk_over_visits, risk_over_visits),
    "excess_after_examples": Exact(POINTS, excess_over_visits, excess_over_visits),
}
_SHORT_STREAM = {"N": 12, "p_x": 0.2, "C": 4, "b": 0.3, "label_noise": 0.2, "noisy_labels": 2}
SIMULATED = {
    "risk_after_examples": Simulated(_SHORT_STREAM, stream_losses, 100_000),
    "excess_after_examples": Simulated(_SHORT_STREAM, stream_excess, 100_000),
}
