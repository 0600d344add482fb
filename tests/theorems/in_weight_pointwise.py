"""Evidence for the pointwise bounds: tables run along sequences with the given shares of labels."""

from __future__ import annotations

import math

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.in_weight_cumulative import losses_in_random_order, product_of_predictions


def own_visits(n: int, label_noise: float) -> int:
    own = round(n * (1 - label_noise))
    assert math.isclose(own, n * (1 - label_noise))
    return own


def counts(n: int, label_noise: float, noisy_labels: int) -> list[int]:
    own = own_visits(n, label_noise)
    return [own] + [(n - own) // noisy_labels] * noisy_labels


def above_entropy(n: int, C: int, label_noise: float, noisy_labels: int, b: float = 0.5) -> mpmath.mpf:
    """Losses of a whole sequence, from products of predictions, minus n times the empirical entropy."""
    entropy = mpmath.fsum(k * mpmath.log(mpmath.mpf(n) / k) for k in counts(n, label_noise, noisy_labels) if k)
    return product_of_predictions(n, C, b, own_visits(n, label_noise), noisy_labels) - entropy


def above_entropy_in_random_order(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    label_noise: float,
    noisy_labels: int,
    b: float = 0.5,
) -> NDArray[np.float64]:
    own = own_visits(n, label_noise)
    losses = losses_in_random_order(generator, replicates, n=n, C=C, b=b, own=own, noisy_labels=noisy_labels)
    return losses - sum(k * math.log(n / k) for k in counts(n, label_noise, noisy_labels) if k)


def one_label_only(n: int, C: int, b: float, **_: float) -> mpmath.mpf:
    return product_of_predictions(n, C, b, n, 1)


def dearer_than_one_label(n: int, C: int, b: float, noisy_labels: int, **_: float) -> mpmath.mpf:
    s = noisy_labels + 1
    rise = mpmath.rf(C * mpmath.mpf(b), n) / mpmath.rf(mpmath.mpf(0.5), n)
    share = mpmath.mpf(n) / s
    dearer = mpmath.rf(mpmath.mpf(0.5), share) / mpmath.rf(mpmath.mpf(b), share)
    return mpmath.log(rise) + s * mpmath.log(dearer)


SHARES = (
    {"n": 1, "C": 2, "label_noise": 0.0, "noisy_labels": 1},
    {"n": 16, "C": 5, "label_noise": 0.75, "noisy_labels": 4},
    {"n": 64, "C": 40, "label_noise": 0.125, "noisy_labels": 2},
)
EXACT = {
    "pointwise_vertex": Exact(
        tuple({**p, "b": b} for p, b in zip(SHARES, (0.5, 1.0, 30.0), strict=True)), above_entropy, one_label_only
    ),
    "pointwise_support": Exact(
        (
            {"n": 16, "C": 5, "b": 0.125, "label_noise": 0.75, "noisy_labels": 3},
            {"n": 64, "C": 40, "b": 0.01, "label_noise": 0.125, "noisy_labels": 2},
        ),
        above_entropy,
        dearer_than_one_label,
    ),
    "kt_pointwise": Exact(
        SHARES, above_entropy, lambda n, C, **_: mpmath.mpf(C - 1) / 2 * mpmath.log(n) + mpmath.log(C)
    ),
}
SIMULATED = {
    "pointwise_support": Simulated(
        {"n": 64, "C": 6, "b": 0.0625, "label_noise": 0.5, "noisy_labels": 2},
        above_entropy_in_random_order,
        replicates=50,
    ),
    "pointwise_vertex": Simulated(
        {"n": 64, "C": 4, "b": 2.0, "label_noise": 0.25, "noisy_labels": 2},
        above_entropy_in_random_order,
        replicates=50,
        wrong_point={"n": 64, "C": 4, "b": 2.0, "label_noise": 0.0, "noisy_labels": 1},
    ),
    "kt_pointwise": Simulated(
        {"n": 64, "C": 4, "label_noise": 0.25, "noisy_labels": 2},
        above_entropy_in_random_order,
        replicates=50,
        wrong_point={"n": 8, "C": 4, "label_noise": 0.0, "noisy_labels": 1},
    ),
}
