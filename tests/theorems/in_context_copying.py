"""Evidence for the exact risk of attention that copies noisy labels: every prompt, enumerated or drawn."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated


def label_laws(C: int, label_noise: float, noisy_labels: int) -> list[list[Fraction]]:
    """Label law of each class: the own label, and the next ones in a circle that noise leads to."""
    laws = [[Fraction(0)] * C for _ in range(C)]
    for own, law in enumerate(laws):
        law[own] = 1 - Fraction(label_noise)
        for step in range(1, noisy_labels + 1):
            law[(own + step) % C] = Fraction(label_noise) / noisy_labels
    return laws


def risk_by_enumeration(
    L: int, m: int, C: int, label_noise: float, noisy_labels: int, odds: float, floor: float
) -> mpmath.mpf:
    """Risk of class 0: all classes of the irrelevant examples, all labels of all examples and of the query."""
    laws = label_laws(C, label_noise, noisy_labels)
    rho, epsilon = mpmath.mpf(odds), mpmath.mpf(floor)
    # An example as (class, label, probability), its class known to be 0, or any other one.
    relevant = [(0, y, p) for y, p in enumerate(laws[0])]
    irrelevant = [(x, y, p / (C - 1)) for x in range(1, C) for y, p in enumerate(laws[x])]
    total = mpmath.mpf(0)
    for examples in itertools.product(*[relevant] * m, *[irrelevant] * (L - m)):
        chance = Fraction(1)
        for *_, p in examples:
            chance *= p
        for y, p in enumerate(laws[0]):
            if chance * p > 0:
                mass = mpmath.fsum(rho if x == 0 else 1 for x, label, _ in examples if label == y)
                loss = -mpmath.log((1 - C * epsilon) * mass / (rho * m + L - m) + epsilon)
                total += mpmath.mpf((chance * p).numerator) / (chance * p).denominator * loss
    return total


def losses_of_prompts(
    generator: np.random.Generator,
    replicates: int,
    *,
    L: int,
    m: int,
    C: int,
    label_noise: float,
    noisy_labels: int,
    odds: float,
    floor: float,
) -> NDArray[np.float64]:
    """Losses of attention on drawn prompts, whose classes and labels are drawn one by one."""

    def labels(classes: NDArray[np.int64]) -> NDArray[np.int64]:
        moved = generator.random(classes.shape) < label_noise
        return (classes + moved * generator.integers(1, noisy_labels + 1, classes.shape)) % C

    query = generator.integers(C, size=replicates)
    others = (query[:, None] + generator.integers(1, C, (replicates, L - m))) % C
    classes = np.concatenate([np.repeat(query[:, None], m, axis=1), others], axis=1)
    weights = np.where(np.arange(L) < m, odds, 1.0)
    mass = (weights * (labels(classes) == labels(query)[:, None])).sum(axis=1) / weights.sum()
    return np.asarray(-np.log((1 - C * floor) * mass + floor))


def setting(*values: float) -> dict[str, Any]:
    return dict(zip(("L", "m", "C", "label_noise", "noisy_labels", "odds", "floor"), values, strict=True))


POINTS = (
    setting(3, 1, 3, 0.25, 1, 5.0, 0.01),
    setting(3, 3, 4, 0.5, 2, 2.0, 1e-6),
    setting(2, 0, 4, 0.1, 3, 20.0, 0.2),
    setting(4, 2, 2, 1.0, 1, 1.0, 1e-9),
)
EXACT = {"in_context_risk": Exact(POINTS, risk_by_enumeration, risk_by_enumeration)}
SIMULATED = {"in_context_risk": Simulated(setting(6, 2, 4, 0.2, 3, 3.0, 0.01), losses_of_prompts, 100_000)}
