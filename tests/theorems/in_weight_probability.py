"""Evidence for the statements that hold with high probability."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated


def compression_by_enumeration(n: int, C: int, b: float, label_noise: float, delta: float) -> Fraction:
    """Probability of all sequences of labels of which a beginning is compressed too much."""
    noise, pseudo_count, total = Fraction(label_noise), Fraction(b), Fraction(0)
    for sequence in itertools.product((0, 1), repeat=n):
        table, truth, counts, violated = Fraction(1), Fraction(1), [0, 0], False
        for i, label in enumerate(sequence):
            table *= (counts[label] + pseudo_count) / (i + C * pseudo_count)
            truth *= noise if label else 1 - noise
            counts[label] += 1
            violated |= table * Fraction(delta) > truth
        total += truth * violated
    return total


def compressed_sequences(
    generator: np.random.Generator, replicates: int, *, n: int, C: int, b: float, label_noise: float, delta: float
) -> NDArray[np.float64]:
    """Whether a table that learns along a random sequence is ever too far ahead of the true law."""
    noisy = generator.random((replicates, n)) < label_noise
    before = np.cumsum(noisy, axis=1) - noisy
    i = np.arange(n)
    seen = np.where(noisy, before, i - before)
    gains = np.log((seen + b) / (i + C * b)) - np.where(noisy, np.log(label_noise), np.log(1 - label_noise))
    return np.asarray((np.cumsum(gains, axis=1) > np.log(1 / delta)).any(axis=1), dtype=np.float64)


def excess_of_counts(n: int, C: int, b: float, noise: Fraction, noisy: int) -> mpmath.mpf:
    total, excess = n + C * Fraction(b), mpmath.mpf(0)
    for p, count in ((1 - noise, n - noisy), (noise, noisy)):
        if p > 0:
            ratio = p * total / (count + Fraction(b))
            weight = mpmath.mpf(p.numerator) / p.denominator
            excess += weight * (mpmath.log(ratio.numerator) - mpmath.log(ratio.denominator))
    return excess


def quantile_from_definition(n: int, C: int, b: float, label_noise: float, M: int, delta: float) -> mpmath.mpf:
    """Smallest excess risk that a larger one follows with probability delta/M at most, probabilities in fractions."""
    noise = Fraction(label_noise)
    law = {k: math.comb(n, k) * noise**k * (1 - noise) ** (n - k) for k in range(n + 1)}
    excess = {k: excess_of_counts(n, C, b, noise, k) for k in law if law[k] > 0}
    rounding = mpmath.mpf(10) ** -40
    allowed = [
        value
        for value in excess.values()
        if sum(law[k] for k in excess if excess[k] > value + rounding) <= Fraction(delta) / M
    ]
    return min(allowed)


def root_form(n: int, C: int, b: float, M: int, delta: float, **_: float) -> mpmath.mpf:
    n, C, b = mpmath.mpf(n), mpmath.mpf(C), mpmath.mpf(b)
    distance = mpmath.sqrt((C - 1) / n) + mpmath.sqrt(2 * mpmath.log(M / mpmath.mpf(delta)) / n)
    return 2 * mpmath.log((n + C * b) / n) + distance * mpmath.log((n + b) / b)


def fast_form(n: int, C: int, b: float, M: int, delta: float, **_: float) -> mpmath.mpf:
    n, C, b, half = mpmath.mpf(n), mpmath.mpf(C), mpmath.mpf(b), mpmath.mpf(1) / 2
    one_label = mpmath.log(mpmath.rf(C / 2, n) / mpmath.rf(half, n))
    divergence = (mpmath.log(M / mpmath.mpf(delta)) + one_label) / n
    distance = mpmath.sqrt(divergence) + mpmath.sqrt(2 - 2 * mpmath.sqrt(n / (n + C * b)))
    return (2 + mpmath.log((n + C * b) / n * (1 + n * divergence / b))) * distance**2


def quantiles_of_tables(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    b: float,
    label_noise: float,
    M: int,
    delta: float,
) -> NDArray[np.float64]:
    """Each draw: what the excess risks of 4000 tables exceed with frequency delta/M."""
    noisy = generator.binomial(n, label_noise, size=(replicates, 4000))
    law = np.array([1 - label_noise, label_noise])
    table = (np.stack([n - noisy, noisy], axis=-1) + b) / (n + C * b)
    excess = (law * np.log(law / table)).sum(axis=-1)
    return np.asarray(np.quantile(excess, 1 - delta / M, axis=1, method="higher"))


QUANTILES = (
    {"n": 1, "C": 2, "b": 1.0, "label_noise": 0.25, "M": 1, "delta": 0.5},
    {"n": 12, "C": 4, "b": 0.5, "label_noise": 0.1, "M": 3, "delta": 0.2},
    {"n": 40, "C": 3, "b": 7.0, "label_noise": 0.0, "M": 10, "delta": 0.01},
)
FEW_NOISY = {"n": 40, "C": 3, "b": 0.5, "label_noise": 0.1, "M": 2, "delta": 0.1}
MANY_PSEUDO_COUNTS = {"n": 40, "C": 3, "b": 1000.0, "label_noise": 0.01, "M": 2, "delta": 0.5}
EXACT = {
    "no_hypercompression": Exact(
        (
            {"n": 1, "C": 2, "b": 1.0, "label_noise": 0.25, "delta": 0.75},
            {"n": 9, "C": 2, "b": 0.125, "label_noise": 0.5, "delta": 0.3},
            {"n": 7, "C": 5, "b": 0.01, "label_noise": 0.01, "delta": 0.1},
        ),
        compression_by_enumeration,
        lambda delta, **_: Fraction(delta),
    ),
    "high_probability_root": Exact(QUANTILES, quantile_from_definition, root_form),
    "high_probability_fast": Exact(QUANTILES, quantile_from_definition, fast_form),
}
SIMULATED = {
    "no_hypercompression": Simulated(
        {"n": 30, "C": 2, "b": 0.001, "label_noise": 0.5, "delta": 0.51}, compressed_sequences, 20_000
    ),
    **{
        name: Simulated(FEW_NOISY, quantiles_of_tables, replicates=50, wrong_point=MANY_PSEUDO_COUNTS)
        for name in ("high_probability_root", "high_probability_fast")
    },
}
