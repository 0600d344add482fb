"""Evidence for boundaries, gaps and Zipf shares: roots by bisection, sums from the definition, and drawn streams."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated

Array = NDArray[np.float64]


# Boundaries.


def log_odds(n: Any, log_weight: Any, gap: Any, constant: Any, log: Any) -> Any:
    return n * gap - log_weight * log(n) - constant


def root(log_weight: float, gap: float, constant: float) -> mpmath.mpf:
    """The larger root by bisection on the equation itself, beyond where the log-odds are smallest."""
    a, delta, kappa = (mpmath.mpf(value) for value in (log_weight, gap, constant))
    low, high = a / delta, 2 * a / delta
    while log_odds(high, a, delta, kappa, mpmath.log) < 0:
        high *= 2
    for _ in range(220):
        middle = (low + high) / 2
        beyond = log_odds(middle, a, delta, kappa, mpmath.log) > 0
        low, high = (low, middle) if beyond else (middle, high)
    return high


def bound(divisor: int) -> Any:
    """1 + s + s^2/divisor with u = 1 + s^2/2, written out."""

    def value(log_weight: float, gap: float, constant: float) -> mpmath.mpf:
        a, delta = mpmath.mpf(log_weight), mpmath.mpf(gap)
        s = mpmath.sqrt(2 * (mpmath.mpf(constant) / a - mpmath.log(delta / a) - 1))
        return a / delta + a * s / delta + a * s**2 / (divisor * delta)

    return value


def leading(log_weight: float, gap: float, constant: float) -> mpmath.mpf:
    u = mpmath.mpf(constant) / log_weight - mpmath.log(mpmath.mpf(gap) / log_weight)
    return (u + mpmath.log(u)) * log_weight / gap


def slope(which: str, *, relative: bool) -> Any:
    """Derivative of the root's logarithm by a central difference of two bisections."""

    def value(**point: float) -> mpmath.mpf:
        step = mpmath.mpf(10) ** -20
        scale = mpmath.mpf(point[which]) if relative else mpmath.mpf(1)
        ends = [mpmath.log(root(**{**point, which: point[which] + sign * step * scale})) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * step)

    return value


def times_below(
    generator: np.random.Generator, replicates: int, *, log_weight: float, gap: float, constant: float
) -> Array:
    """Random times beyond the minimum, spread up to where the log-odds are positive: how long they are negative."""
    low = log_weight / gap
    high = 2 * low
    while log_odds(high, log_weight, gap, constant, np.log) < 0:
        high *= 2
    times = generator.uniform(low, high, replicates)
    below = log_odds(times, log_weight, gap, constant, np.log) < 0
    return np.asarray(low + (high - low) * below)


def slopes(which: str, *, relative: bool) -> Any:
    def draw(_: np.random.Generator, replicates: int, **point: float) -> Array:
        with mpmath.workdps(60):
            return np.full(replicates, float(slope(which, relative=relative)(**point)))

    return draw


ROOTS = (
    {"log_weight": 9.5, "gap": 0.03, "constant": -12.0},
    {"log_weight": 0.5, "gap": 1.5, "constant": 4.0},
    {"log_weight": 2000.0, "gap": 1e-4, "constant": -3000.0},
)
U_NINE = {"log_weight": 1.0, "gap": 0.1, "constant": 9 - float(np.log(10))}


# Gaps.


def clean_gap(C: int, floor: float, m: int, k: int, odds: float) -> mpmath.mpf:
    weights = [mpmath.mpf(odds)] * m + [mpmath.mpf(1)] * k
    copied = mpmath.fsum(weights[:m]) / mpmath.fsum(weights)
    return -mpmath.log(copied - C * mpmath.mpf(floor) * copied + mpmath.mpf(floor))


def clean_law(C: int, floor: float, m: int, k: int, odds: float) -> mpmath.mpf:
    return mpmath.fsum([mpmath.mpf(floor)] * (C - 1)) + mpmath.mpf(k) / m / mpmath.mpf(odds)


def clean_losses(_: np.random.Generator, replicates: int, C: int, floor: float, m: int, k: int, odds: float) -> Array:
    """Attention over one explicit prompt: its label is 0, that of the others is 1."""
    labels, weights = np.repeat([0, 1], [m, k]), np.repeat([odds, 1.0], [m, k])
    predicted = np.bincount(labels, weights, minlength=C) / weights.sum()
    return np.full(replicates, -np.log((1 - C * floor) * predicted[0] + floor))


def noisy_gap(C: int, floor: float, m: int, label_noise: float) -> mpmath.mpf:
    """Over the query's label and every context, label by label."""
    eta, total = mpmath.mpf(label_noise), mpmath.mpf(0)
    for contexts in range(2**m):
        noisy = bin(contexts).count("1")
        chance = eta**noisy * (1 - eta) ** (m - noisy)
        for p, copied in ((1 - eta, m - noisy), (eta, noisy)):
            h = (1 - C * mpmath.mpf(floor)) * copied / m + mpmath.mpf(floor)
            total += chance * p * (mpmath.log(p) - mpmath.log(h))
    return total


def noisy_law(C: int, floor: float, m: int, label_noise: float) -> mpmath.mpf:
    """Value and slope at no noise, the slope without the entropy's from a difference of the definition."""
    eta, h = mpmath.mpf(label_noise), mpmath.mpf(10) ** -25

    def without_entropy(noise: mpmath.mpf) -> mpmath.mpf:
        return noisy_gap(C, floor, m, noise) - noise * mpmath.log(noise) - (1 - noise) * mpmath.log1p(-noise)

    # Richardson: without the second order.
    at_zero = -mpmath.log1p(-(C - 1) * mpmath.mpf(floor))
    slope = (4 * without_entropy(h) - without_entropy(2 * h) - 3 * at_zero) / (2 * h)
    return at_zero + eta * (slope - 1 - mpmath.log(1 / eta))


def noisy_excess(
    generator: np.random.Generator, replicates: int, *, C: int, floor: float, m: int, label_noise: float
) -> Array:
    """Loss of copying from drawn contexts, less the loss of who knows the noise."""
    query = generator.random(replicates) < label_noise
    context = generator.random((replicates, m)) < label_noise
    copied = (context == query[:, None]).mean(axis=1)
    return np.asarray(-np.log((1 - C * floor) * copied + floor) + np.log(np.where(query, label_noise, 1 - label_noise)))


def one_label_loss(C: int, b: float, n: int) -> mpmath.mpf:
    return -mpmath.fsum(mpmath.log((i + mpmath.mpf(b)) / (i + C * mpmath.mpf(b))) for i in range(n))


def many_law(C: int, b: float, n: int) -> mpmath.mpf:
    total, n = C * mpmath.mpf(b), mpmath.mpf(n)
    nu = n / total
    return total * ((1 + nu) * mpmath.log(1 + nu) - nu * mpmath.log(nu))


def learned(_: np.random.Generator, replicates: int, *, C: int, b: float, n: int) -> Array:
    """A table that meets one label again and again."""
    counts, loss = np.full(C, b), 0.0
    for _visit in range(n):
        loss -= np.log(counts[0] / counts.sum())
        counts[0] += 1
    return np.full(replicates, loss)


# Zipf.


def frequencies(num_classes: int, exponent: float) -> list[mpmath.mpf]:
    powers = [1 / mpmath.mpf(x) ** mpmath.mpf(exponent) for x in range(1, num_classes + 1)]
    return [power / mpmath.fsum(powers) for power in powers]


def beyond(num_classes: int, zipf_exponent: float, rank: float) -> mpmath.mpf:
    return mpmath.fsum(p for x, p in enumerate(frequencies(num_classes, zipf_exponent), 1) if x > rank)


def beyond_law(num_classes: int, zipf_exponent: float, rank: float) -> mpmath.mpf:
    a = mpmath.mpf(zipf_exponent)
    first = frequencies(num_classes, zipf_exponent)[0]
    return first * mpmath.quad(lambda x: x**-a, [rank, num_classes])


def visited(num_classes: int, zipf_exponent: float, N: int, n: int) -> mpmath.mpf:
    return mpmath.fsum(
        mpmath.binomial(N, n) * p ** (n + 1) * (1 - p) ** (N - n) for p in frequencies(num_classes, zipf_exponent)
    )


def visited_law(num_classes: int, zipf_exponent: float, N: int, n: int) -> mpmath.mpf:
    """The integral over the ranks, from where the probability would be 1, by quadrature."""
    a, first = mpmath.mpf(zipf_exponent), frequencies(num_classes, zipf_exponent)[0]
    start, peak = first ** (1 / a), (first * (N + 1) / mpmath.mpf(n + 1)) ** (1 / a)
    ends = sorted({start, mpmath.mpf(num_classes), *(x for x in (peak / 2, peak, 2 * peak) if start < x < num_classes)})

    def summand(x: mpmath.mpf) -> mpmath.mpf:
        p = first * x**-a
        return mpmath.binomial(N, n) * p ** (n + 1) * (1 - p) ** (N - n)

    return mpmath.quad(summand, ends, maxdegree=9)


def drawn_beyond(
    generator: np.random.Generator, replicates: int, *, num_classes: int, zipf_exponent: float, rank: float
) -> Array:
    weights = np.arange(1, num_classes + 1) ** -zipf_exponent
    queries = generator.choice(num_classes, replicates, p=weights / weights.sum()) + 1
    return np.asarray(queries > rank, dtype=np.float64)


def drawn_visited(
    generator: np.random.Generator, replicates: int, *, num_classes: int, zipf_exponent: float, N: int, n: int
) -> Array:
    """Whole streams and a query after each: whether its class was seen so often."""
    weights = np.arange(1, num_classes + 1) ** -zipf_exponent
    stream = generator.choice(num_classes, (replicates, int(N) + 1), p=weights / weights.sum())
    return np.asarray((stream[:, :-1] == stream[:, -1:]).sum(axis=1) == n, dtype=np.float64)


def zipf(num_classes: int, zipf_exponent: float, **last: float) -> dict[str, float]:
    return {"num_classes": num_classes, "zipf_exponent": zipf_exponent, **last}


EXACT = {
    "boundary_lambert": Exact(ROOTS, root, root),
    "boundary_upper": Exact(ROOTS, root, bound(2)),
    "boundary_lower": Exact(ROOTS, root, bound(3)),
    "boundary_leading_order": Exact(ROOTS, root, leading),
    "boundary_elasticity_gap": Exact(ROOTS, slope("gap", relative=True), slope("gap", relative=True)),
    "boundary_elasticity_weight": Exact(
        ROOTS[::2], slope("log_weight", relative=True), slope("log_weight", relative=True)
    ),
    "boundary_elasticity_prior": Exact(ROOTS, slope("constant", relative=False), slope("constant", relative=False)),
    "gap_noiseless": Exact(
        (
            {"C": 10, "floor": 1e-4, "m": 4, "k": 4, "odds": 20.0},
            {"C": 300, "floor": 1e-7, "m": 1, "k": 7, "odds": 1e5},
        ),
        clean_gap,
        clean_law,
    ),
    "gap_label_noise": Exact(
        (
            {"C": 10, "floor": 1e-4, "m": 4, "label_noise": 0.01},
            {"C": 100, "floor": 1e-3, "m": 1, "label_noise": 0.2},
        ),
        noisy_gap,
        noisy_law,
    ),
    "cumulative_loss_many_labels": Exact(
        ({"C": 100, "b": 0.5, "n": 50}, {"C": 10, "b": 1.0, "n": 300}), one_label_loss, many_law
    ),
    "zipf_share_threshold": Exact(
        (zipf(50, 1.5, rank=7.25), zipf(200, 1.1, rank=20), zipf(10, 3.0, rank=1)), beyond, beyond_law
    ),
    "zipf_share_visits": Exact(
        (zipf(50, 1.5, N=100, n=3), zipf(20, 2.5, N=40, n=0), zipf(100, 1.2, N=30, n=5)), visited, visited_law
    ),
}
SIMULATED = {
    "boundary_lambert": Simulated(U_NINE, times_below, 100_000),
    "boundary_upper": Simulated(U_NINE, times_below, 100_000),
    "boundary_lower": Simulated(U_NINE, times_below, 100_000),
    "boundary_leading_order": Simulated(U_NINE, times_below, 100_000),
    "boundary_elasticity_gap": Simulated(U_NINE, slopes("gap", relative=True), 2),
    "boundary_elasticity_weight": Simulated(U_NINE, slopes("log_weight", relative=True), 2),
    "boundary_elasticity_prior": Simulated(U_NINE, slopes("constant", relative=False), 2),
    "gap_noiseless": Simulated({"C": 100, "floor": 1e-4, "m": 4, "k": 4, "odds": 100.0}, clean_losses, 2),
    "gap_label_noise": Simulated({"C": 10, "floor": 1e-4, "m": 3, "label_noise": 0.01}, noisy_excess, 200_000),
    "cumulative_loss_many_labels": Simulated({"C": 100, "b": 0.5, "n": 50}, learned, 2),
    "zipf_share_threshold": Simulated(zipf(300, 1.5, rank=20.0), drawn_beyond, 200_000),
    "zipf_share_visits": Simulated(zipf(300, 1.5, N=100, n=2), drawn_visited, 100_000),
}
