"""Evidence for what the best in-context predictor pays: every context, enumerated or drawn, label by label."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated

Array = NDArray[np.float64]


def label_laws(C: int, label_noise: float) -> list[list[mpmath.mpf]]:
    noise = mpmath.mpf(label_noise)
    return [[1 - noise if y == own else noise / (C - 1) for y in range(C)] for own in range(C)]


def bayes_risk_by_sequences(m: int, label_noise: float, C: int = 2) -> mpmath.mpf:
    """Risk of the Bayes rule from the definition: all sequences of labels, all own labels, all labels of the query."""
    laws = label_laws(C, label_noise)
    total = mpmath.mpf(0)
    for sequence in itertools.product(range(C), repeat=m):
        likelihoods = [mpmath.fprod(law[y] for y in sequence) for law in laws]
        joint = [mpmath.fsum(f * law[y] for f, law in zip(likelihoods, laws, strict=True)) / C for y in range(C)]
        total += mpmath.fsum(-p * mpmath.log(p / mpmath.fsum(joint)) for p in joint)
    return total


def entropy(C: int, label_noise: float) -> mpmath.mpf:
    return mpmath.fsum(-p * mpmath.log(p) for p in label_laws(C, label_noise)[0])


def excess_by_sequences(m: int, C: int, label_noise: float) -> mpmath.mpf:
    return bayes_risk_by_sequences(m, label_noise, C) - entropy(C, label_noise)


def affinity(C: int, label_noise: float) -> mpmath.mpf:
    first, second, *_ = label_laws(C, label_noise)
    return mpmath.fsum(mpmath.sqrt(p * q) for p, q in zip(first, second, strict=True))


def half_squared_distance(C: int, label_noise: float) -> mpmath.mpf:
    first, second, *_ = label_laws(C, label_noise)
    return (mpmath.fsum(abs(p - q) for p, q in zip(first, second, strict=True)) / 2) ** 2 / 2


def rate_by_walk(m: int, C: int, label_noise: float) -> mpmath.mpf:
    """The bound from the variance of the halved log-likelihood ratio under the law of the geometric mean."""
    first, second, *_ = label_laws(C, label_noise)
    steps = [(mpmath.sqrt(p * q), mpmath.log(p / q) / 2) for p, q in zip(first, second, strict=True)]
    variance = mpmath.fsum(w * s * s for w, s in steps) / mpmath.fsum(w for w, _ in steps)
    return (
        half_squared_distance(C, label_noise) * affinity(C, label_noise) ** m * mpmath.exp(-mpmath.sqrt(m * variance))
    )


def attention_by_sequences(L: int, m: int, label_noise: float, odds: float, floor: float) -> mpmath.mpf:
    """Risk of attention over two labels from the definition; label 0 is the own one."""
    law = label_laws(2, label_noise)[0]
    rho, epsilon = mpmath.mpf(odds), mpmath.mpf(floor)
    total = mpmath.mpf(0)
    for labels in itertools.product(range(2), repeat=L):
        chance = mpmath.fprod([*(law[y] for y in labels[:m]), mpmath.mpf(1) / 2 ** (L - m)])
        for y in range(2):
            mass = mpmath.fsum([*(rho for x in labels[:m] if x == y), *(1 for x in labels[m:] if x == y)])
            total -= chance * law[y] * mpmath.log((1 - 2 * epsilon) * mass / (rho * m + L - m) + epsilon)
    return total


def contexts(generator: np.random.Generator, replicates: int, m: int, C: int, label_noise: float) -> tuple[Any, Any]:
    """Drawn own labels, and noisy labels of ``m`` examples and of the query (the last one)."""
    own = generator.integers(C, size=replicates)
    moved = generator.random((replicates, m + 1)) < label_noise
    return own, (own[:, None] + moved * generator.integers(1, C, (replicates, m + 1))) % C


def posterior_mean(labels: NDArray[np.int64], C: int, label_noise: float) -> Array:
    """The Bayes rule's prediction from each row of labels."""
    log_laws = np.log(np.array([[float(p) for p in law] for law in label_laws(C, label_noise)]))
    logs = log_laws[:, labels].sum(axis=-1).T
    posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(posterior / posterior.sum(axis=1, keepdims=True) @ np.exp(log_laws))


def excess_draws(generator: np.random.Generator, replicates: int, *, m: int, C: int, label_noise: float) -> Array:
    """Divergence of the Bayes rule's prediction from the own label's law, in drawn contexts."""
    own, labels = contexts(generator, replicates, m, C, label_noise)
    laws = np.array([[float(p) for p in law] for law in label_laws(C, label_noise)])[own]
    return np.asarray((laws * np.log(laws / posterior_mean(labels[:, :-1], C, label_noise))).sum(axis=1))


def loss_draws(generator: np.random.Generator, replicates: int, *, m: int, label_noise: float) -> Array:
    """Losses of the Bayes rule on drawn queries."""
    _, labels = contexts(generator, replicates, m, 2, label_noise)
    predicted = posterior_mean(labels[:, :-1], 2, label_noise)
    return -np.log(predicted[np.arange(replicates), labels[:, -1]])


def attention_draws(
    generator: np.random.Generator, replicates: int, *, L: int, m: int, label_noise: float, odds: float, floor: float
) -> Array:
    """Losses of attention on drawn prompts."""
    _, labels = contexts(generator, replicates, m, 2, label_noise)
    others = generator.integers(2, size=(replicates, L - m))
    query = labels[:, -1:]
    mass = odds * (labels[:, :-1] == query).sum(axis=1) + (others == query).sum(axis=1)
    return -np.log((1 - 2 * floor) * mass / (odds * m + L - m) + floor)


def point(m: int, C: int, label_noise: float) -> dict[str, float]:
    return {"m": m, "C": C, "label_noise": label_noise}


POINTS = (point(0, 4, 0.25), point(4, 2, 0.1), point(3, 4, 0.5), point(5, 3, 0.9))
TWO_LABELS = ({"m": 0, "label_noise": 0.3}, {"m": 7, "label_noise": 0.125}, {"m": 4, "label_noise": 0.9})
ATTENTION = (
    {"L": 5, "m": 3, "label_noise": 0.2, "odds": 4.0, "floor": 1e-3},
    {"L": 4, "m": 4, "label_noise": 0.75, "odds": 1.0, "floor": 0.1},
    {"L": 3, "m": 0, "label_noise": 0.1, "odds": 20.0, "floor": 1e-6},
)
EXACT = {
    "bayes_in_context_floor": Exact(
        POINTS,
        excess_by_sequences,
        lambda m, C, label_noise: half_squared_distance(C, label_noise) * affinity(C, label_noise) ** (2 * m),
    ),
    "bayes_in_context_rate": Exact(POINTS, excess_by_sequences, rate_by_walk),
    "bayes_in_context_ceiling": Exact(
        POINTS, excess_by_sequences, lambda m, C, label_noise: (C - 1) * affinity(C, label_noise) ** m
    ),
    "bayes_in_context_risk": Exact(TWO_LABELS, bayes_risk_by_sequences, bayes_risk_by_sequences),
    "attention_above_bayes": Exact(
        ATTENTION, attention_by_sequences, lambda m, label_noise, **_: bayes_risk_by_sequences(m, label_noise)
    ),
}
SIMULATED = {
    "bayes_in_context_floor": Simulated(point(3, 4, 0.3), excess_draws, 40_000, wrong_point=point(0, 2, 0.3)),
    "bayes_in_context_rate": Simulated(point(3, 4, 0.3), excess_draws, 40_000, wrong_point=point(8, 2, 0.2)),
    "bayes_in_context_ceiling": Simulated(point(3, 4, 0.3), excess_draws, 40_000, wrong_point=point(8, 2, 0.1)),
    "bayes_in_context_risk": Simulated({"m": 3, "label_noise": 0.2}, loss_draws, 100_000),
    "attention_above_bayes": Simulated(
        ATTENTION[0],
        attention_draws,
        40_000,
        wrong_point={"L": 5, "m": 4, "label_noise": 0.05, "odds": 4.0, "floor": 0.05},
    ),
}
