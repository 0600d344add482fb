"""Evidence for the least possible in-weight risk: by all label sequences, and by simulated posteriors."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.in_weight_risk import exact


def uniform_own_probability(labels: tuple[int, ...], C: int, label_noise: float) -> Fraction:
    """Probability of a label sequence when any label may be the own one."""
    noise = Fraction(label_noise)
    return Fraction(1, C) * sum(
        math.prod(1 - noise if label == own else noise / (C - 1) for label in labels) for own in range(C)
    )


def floor_by_sequences(N: int, p_x: float, C: int, label_noise: float) -> mpmath.mpf:
    visit = Fraction(p_x)
    total = mpmath.mpf(0)
    for n in range(N + 1):
        likely = exact(math.comb(N, n) * visit**n * (1 - visit) ** (N - n))
        for labels in itertools.product(range(C), repeat=n + 1):
            joint = uniform_own_probability(labels, C, label_noise)
            if joint > 0:
                before = uniform_own_probability(labels[:-1], C, label_noise)
                total -= likely * exact(joint) * mpmath.log(exact(joint / before))
    return total


def floor_from_formula(N: int, p_x: float, C: int, label_noise: float) -> mpmath.mpf:
    unvisited, noise = exact((1 - Fraction(p_x)) ** N), exact(label_noise)
    entropy = -sum(q * mpmath.log(q) for q in [1 - noise] + [noise / (C - 1)] * (C - 1) if q > 0)
    return unvisited * mpmath.log(C) + (1 - unvisited) * entropy


def posterior_losses(
    generator: np.random.Generator, replicates: int, *, N: int, p_x: float, C: int, label_noise: float
) -> NDArray[np.float64]:
    """Losses of the best in-weight learner: it infers the own label from the noisy labels of the visits."""
    own = generator.integers(C, size=replicates)
    likelihood = np.ones((replicates, C))
    for _ in range(N):
        visited = generator.random(replicates) < p_x
        label = noisy(generator, own, C, label_noise)
        likely = np.where(np.arange(C) == label[:, None], 1 - label_noise, label_noise / (C - 1))
        likelihood *= np.where(visited[:, None], likely, 1.0)
    posterior = likelihood / likelihood.sum(axis=1, keepdims=True)
    predicted = posterior * (1 - label_noise) + (1 - posterior) * label_noise / (C - 1)
    return np.asarray(-np.log(predicted[np.arange(replicates), noisy(generator, own, C, label_noise)]))


def noisy(generator: np.random.Generator, own: NDArray[np.int64], C: int, label_noise: float) -> NDArray[np.int64]:
    moved = generator.random(own.size) < label_noise
    return np.asarray((own + moved * generator.integers(1, C, size=own.size)) % C)


def dirichlet_by_sequences(n: int, C: int, b: float) -> mpmath.mpf:
    """Mean loss of the posterior predictive, label sequence by label sequence."""
    b = Fraction(b)
    total = mpmath.mpf(0)
    for labels in itertools.product(range(C), repeat=n + 1):
        probability = Fraction(1)
        for i, label in enumerate(labels):
            predicted = (labels[:i].count(label) + b) / (i + C * b)
            probability *= predicted
        total -= exact(probability) * mpmath.log(exact(predicted))
    return total


def dirichlet_losses(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, b: float
) -> NDArray[np.float64]:
    """Losses of a table on laws drawn from its own prior."""
    law = generator.dirichlet(np.full(C, b), size=replicates)
    counts = generator.multinomial(n, law)
    return np.asarray(-(law * np.log((counts + b) / (n + C * b))).sum(axis=1))


EXACT = {
    "unvisited_floor": Exact(
        (
            {"N": 0, "p_x": 0.5, "C": 3, "label_noise": 0.1},
            {"N": 4, "p_x": 0.25, "C": 3, "label_noise": 0.3},
            {"N": 6, "p_x": 0.75, "C": 2, "label_noise": 0.125},
            {"N": 3, "p_x": 1.0, "C": 4, "label_noise": 0.0},
            {"N": 3, "p_x": 0.5, "C": 5, "label_noise": 1.0},
        ),
        floor_by_sequences,
        floor_from_formula,
    ),
    "dirichlet_bayes_risk": Exact(
        (
            {"n": 0, "C": 5, "b": 0.5},
            {"n": 4, "C": 4, "b": 0.5},
            {"n": 7, "C": 2, "b": 3.0},
            {"n": 5, "C": 3, "b": 1e-3},
        ),
        dirichlet_by_sequences,
        dirichlet_by_sequences,
    ),
}
SIMULATED = {
    "unvisited_floor": Simulated({"N": 5, "p_x": 0.1, "C": 6, "label_noise": 0.05}, posterior_losses, 50_000),
    "dirichlet_bayes_risk": Simulated({"n": 6, "C": 5, "b": 0.7}, dirichlet_losses, 50_000),
}
