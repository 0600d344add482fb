"""Evidence for the regret of the gates: gates that run visit by visit on probabilities, and enumerations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated

Array = NDArray[np.float64]
Visits = list[tuple[Any, Any]]


# Sequences: what the two predictors give the label, visit by visit.


def evenly_switching(n: int, S: int, gap: float) -> Visits:
    little = mpmath.exp(-mpmath.mpf(gap))
    return [(little, 1) if (i * (S + 1) // n) % 2 == 0 else (1, little) for i in range(n)]


def run(gate: Callable[[Any, Any, Any], Any], weight: Any, visits: Visits) -> Any:
    """Cumulative loss of a gate that makes its next weight of this one and both probabilities, in mpmath."""
    total = mpmath.mpf(0)
    for g, h in visits:
        total -= mpmath.log(weight * g + (1 - weight) * h)
        weight = gate(weight, g, h)
    return total


def hedge(rate: float) -> Callable[[Any, Any, Any], Any]:
    def move(weight: Any, g: Any, h: Any) -> Any:
        kept, other = weight * g**rate, (1 - weight) * h**rate
        return kept / (kept + other)

    return move


def exponentiated(rate: float) -> Callable[[Any, Any, Any], Any]:
    def move(weight: Any, g: Any, h: Any) -> Any:
        kept = weight * mpmath.exp(rate * (g - h) / (weight * g + (1 - weight) * h))
        return kept / (kept + 1 - weight)

    return move


def descending(rate: float) -> Callable[[Any, Any, Any], Any]:
    return lambda weight, g, h: min(max(weight + rate * (g - h) / (weight * g + (1 - weight) * h), 0), 1)


def best_mixture(visits: Visits) -> Any:
    """Least loss of a constant weight, by ternary search."""

    def loss(weight: Any) -> Any:
        return -mpmath.fsum(mpmath.log(weight * g + (1 - weight) * h) for g, h in visits)

    low, high = mpmath.mpf(0), mpmath.mpf(1)
    for _ in range(220):
        third = (high - low) / 3
        low, high = (low, high - third) if loss(low + third) < loss(high - third) else (low + third, high)
    # The search comes within its tolerance of an end, but not to it.
    return min(loss(low), loss(mpmath.mpf(0)), loss(mpmath.mpf(1)))


def better(visits: Visits) -> Any:
    return min(-mpmath.log(mpmath.fprod(column)) for column in zip(*visits, strict=True))


# Exact values.


def bayes_stepwise(n: int, S: int, prior: float, gap: float) -> Any:
    return run(hedge(1), mpmath.mpf(prior), evenly_switching(n, S, gap))


def bayes_at_once(n: int, S: int, prior: float, gap: float) -> Any:
    g, h = (mpmath.fprod(column) for column in zip(*evenly_switching(n, S, gap), strict=True))
    return -mpmath.log(mpmath.mpf(prior) * g + (1 - mpmath.mpf(prior)) * h)


def price(rate: Any, start: Any, steepness: Any) -> Any:
    return start / mpmath.mpf(rate) + steepness * mpmath.mpf(rate)


def flat_point(value: Callable[[Any], Any], guess: float) -> Any:
    """Value where the numerical derivative vanishes."""
    return value(mpmath.findroot(lambda x: mpmath.diff(value, x), (guess, guess * 1.01), tol=1e-30))


def share_by_enumeration(n: int, S: int, rate: float, gap: float) -> Any:
    visits, s, total = evenly_switching(n, S, gap), mpmath.mpf(rate), mpmath.mpf(0)
    for path in itertools.product((0, 1), repeat=n):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        given = mpmath.fprod(visit[who] for visit, who in zip(visits, path, strict=True))
        total += s**changes * (1 - s) ** (n - 1 - changes) * given / 2
    return -mpmath.log(total)


def share_price(n: int, S: int, rate: Any) -> Any:
    return -mpmath.log(mpmath.mpf(rate) ** S * (1 - mpmath.mpf(rate)) ** (n - 1 - S) / 2)


def entropy_price(n: int, S: int) -> Any:
    x = mpmath.mpf(S) / (n - 1)
    return mpmath.log(2) - (n - 1) * (x * mpmath.log(x) + (1 - x) * mpmath.log(1 - x))


def monomial_visits(n: int, k: int, gap: float) -> Visits:
    little = mpmath.exp(-mpmath.mpf(gap))
    return [(1, little)] * k + [(little, 1)] * (n - k)


def universal_by_quadrature(n: int, k: int, gap: float) -> Any:
    little = mpmath.exp(-mpmath.mpf(gap))

    def product(angle: Any) -> Any:
        weight, other = mpmath.sin(angle) ** 2, mpmath.cos(angle) ** 2
        return (weight + other * little) ** k * (weight * little + other) ** (n - k)

    return -mpmath.log(mpmath.quad(product, mpmath.linspace(0, mpmath.pi / 2, 5)) * 2 / mpmath.pi)


def steepness(n: int, C: int, b: float, floor: float, alpha: float, k: int, copied: float) -> Any:
    n, C, b, floor, alpha, k, copied = (Fraction(value) for value in (n, C, b, floor, alpha, k, copied))
    g, h = (k + b) / (n + C * b), floor + (1 - C * floor) * copied
    return exactly(1 + abs(g - h) / (alpha * g + (1 - alpha) * h))


def steepest(n: int, C: int, b: float, floor: float, **_: float) -> Any:
    n, C, b, floor = (Fraction(value) for value in (n, C, b, floor))
    return exactly(max((n + b) / (n + C * b) / floor, (1 - (C - 1) * floor) * (n + C * b) / b))


def exactly(value: Fraction) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator


def label_sequences(n: int, C: int, label_noise: float, copied: float) -> list[tuple[Any, Visits]]:
    """All sequences of own and other labels: probability, and what table and in-context predictor give them."""
    noise, q = mpmath.mpf(label_noise), mpmath.mpf(copied)
    found = []
    for other in itertools.product((False, True), repeat=n):
        visits = []
        for i, label in enumerate(other):
            seen = sum(earlier == label for earlier in other[:i])
            visits.append((mpmath.mpf(seen + 1) / (i + C), 1 - q if label else q))
        found.append((mpmath.fprod(noise if label else 1 - noise for label in other), visits))
    return found


def composed_left(n: int, C: int, label_noise: float, prior: float, copied: float) -> Any:
    every = label_sequences(n, C, label_noise, copied)
    return mpmath.fsum(p * run(hedge(1), mpmath.mpf(prior), visits) for p, visits in every) / n


def composed_right(n: int, C: int, label_noise: float, prior: float, copied: float) -> Any:
    every = label_sequences(n, C, label_noise, copied)
    table, context = (
        mpmath.fsum(-p * mpmath.log(mpmath.fprod(visit[who] for visit in visits)) for p, visits in every)
        for who in (0, 1)
    )
    return min(table - mpmath.log(prior), context - mpmath.log(1 - mpmath.mpf(prior))) / n


def closed_right(n: int, C: int, label_noise: float, prior: float, copied: float) -> Any:
    noise, q = mpmath.mpf(label_noise), mpmath.mpf(copied)
    entropy, risk = (-(1 - noise) * mpmath.log(p) - noise * mpmath.log(1 - p) for p in (1 - noise, q))
    table = n * entropy + mpmath.log(math.comb(n + C - 1, n))
    return min(table - mpmath.log(prior), n * risk - mpmath.log(1 - mpmath.mpf(prior))) / n


SEQUENCES = ({"n": 1, "S": 0}, {"n": 7, "S": 2}, {"n": 12, "S": 11})
MIXTURES = ({"n": 1, "k": 1, "gap": 30.0}, {"n": 9, "k": 4, "gap": 2.5}, {"n": 20, "k": 3, "gap": 0.25})
COMPOSED = (
    {"n": 1, "C": 2, "label_noise": 0.5, "prior": 0.5, "copied": 0.5},
    {"n": 6, "C": 5, "label_noise": 0.25, "prior": 0.125, "copied": 0.75},
    {"n": 8, "C": 3, "label_noise": 0.0625, "prior": 0.9, "copied": 0.5},
)
STEEP = (
    {"n": 0, "C": 2, "b": 1.0, "floor": 0.25, "alpha": 0.5, "k": 0, "copied": 0.0},
    {"n": 20, "C": 4, "b": 0.5, "floor": 0.125, "alpha": 1.0, "k": 0, "copied": 1.0},
)


def with_values(points: tuple[dict[str, float], ...], **values: float) -> tuple[dict[str, float], ...]:
    return tuple({**point, **values} for point in points)


def sequence_of(n: int, S: int, gap: float, **_: float) -> Visits:
    return evenly_switching(n, S, gap)


EXACT = {
    "convexity": Exact(
        ({"alpha": 0.25, "g": 0.5, "h": 0.125}, {"alpha": 1.0, "g": 0.75, "h": 1e-9}),
        lambda alpha, g, h: -mpmath.log(mpmath.mpf(alpha) * g + (1 - mpmath.mpf(alpha)) * h),
        lambda alpha, g, h: -mpmath.log(mpmath.mpf(g) ** alpha * mpmath.mpf(h) ** (1 - mpmath.mpf(alpha))),
    ),
    "bayes_gate_loss": Exact(with_values(SEQUENCES, prior=0.3, gap=1.5), bayes_stepwise, bayes_at_once),
    "bayes_regret": Exact(
        ({"prior": 0.3, "loss_g": 2.0, "loss_h": 5.0}, {"prior": 0.999, "loss_g": 40.0, "loss_h": 0.0}),
        lambda prior, loss_g, loss_h: run(
            hedge(1),
            mpmath.mpf(prior),
            [(mpmath.exp(-loss_g / mpmath.mpf(4)), mpmath.exp(-loss_h / mpmath.mpf(4)))] * 4,
        ),
        lambda prior, loss_g, loss_h: min(loss_g - mpmath.log(prior), loss_h - mpmath.log(1 - mpmath.mpf(prior))),
    ),
    "hedge_regret": Exact(
        with_values(SEQUENCES, rate=0.7, B=3.0, gap=1.5),
        lambda n, S, rate, gap, **_: run(hedge(rate), mpmath.mpf(0.5), evenly_switching(n, S, gap)),
        lambda n, S, rate, B, gap: (
            better(evenly_switching(n, S, gap)) + price(rate, mpmath.log(2), n * mpmath.mpf(B) ** 2 / 8)
        ),
    ),
    "hedge_slow_regret": Exact(
        with_values(SEQUENCES, rate=0.7, gap=1.5),
        lambda n, S, rate, gap: run(hedge(rate), mpmath.mpf(0.5), evenly_switching(n, S, gap)),
        lambda n, S, rate, gap: better(evenly_switching(n, S, gap)) + mpmath.log(2) / rate,
    ),
    "hedge_optimal_rate": Exact(
        ({"n": 1, "B": 1.0}, {"n": 40, "B": 0.5}),
        lambda n, B: flat_point(lambda x: price(x, mpmath.log(2), n * mpmath.mpf(B) ** 2 / 8), 2.0 / B / n**0.5),
        lambda n, B: B * mpmath.sqrt(n * mpmath.log(2) / 2),
    ),
    "fixed_share_regret": Exact(
        ({"n": 1, "S": 0, "rate": 0.25, "gap": 2.0}, {"n": 9, "S": 3, "rate": 0.1, "gap": 2.0}),
        share_by_enumeration,
        lambda n, S, rate, **_: share_price(n, S, rate),
    ),
    "fixed_share_optimal_rate": Exact(
        ({"n": 3, "S": 1}, {"n": 40, "S": 7}),
        lambda n, S: flat_point(lambda x: share_price(n, S, x), S / (n - 1.0) * 1.02),
        entropy_price,
    ),
    "universal_mixture_regret_sharp": Exact(
        MIXTURES,
        universal_by_quadrature,
        lambda n, k, gap: (
            best_mixture(monomial_visits(n, k, gap))
            - mpmath.log(mpmath.fprod((i - mpmath.mpf(0.5)) / i for i in range(1, n + 1)))
        ),
    ),
    "universal_mixture_regret": Exact(
        MIXTURES,
        universal_by_quadrature,
        lambda n, k, gap: best_mixture(monomial_visits(n, k, gap)) + mpmath.log(4 * n + 1) / 2,
    ),
    "exponentiated_gradient_regret": Exact(
        with_values(SEQUENCES, G=2.0, rate=0.5, gap=1.0),
        lambda n, S, rate, gap, **_: run(exponentiated(rate), mpmath.mpf(0.5), evenly_switching(n, S, gap)),
        lambda n, rate, G, **rest: (
            best_mixture(sequence_of(n, **rest)) + price(rate, mpmath.log(2), n * mpmath.mpf(G) ** 2 / 8)
        ),
    ),
    "online_gradient_regret": Exact(
        with_values(SEQUENCES, G=2.0, rate=0.25, gap=1.0),
        lambda n, S, rate, gap, **_: run(descending(rate), mpmath.mpf(0.5), evenly_switching(n, S, gap)),
        lambda n, rate, G, **rest: (
            best_mixture(sequence_of(n, **rest)) + price(rate, mpmath.mpf(1) / 8, n * mpmath.mpf(G) ** 2 / 2)
        ),
    ),
    "online_gradient_optimal_rate": Exact(
        ({"n": 1, "G": 1.0}, {"n": 40, "G": 0.5}),
        lambda n, G: flat_point(lambda x: price(x, mpmath.mpf(1) / 8, n * mpmath.mpf(G) ** 2 / 2), 0.5 / G / n**0.5),
        lambda n, G: mpmath.mpf(G) * mpmath.sqrt(n) / 2,
    ),
    "gradient_bound": Exact(STEEP, steepness, steepest),
    "composition": Exact(COMPOSED, composed_left, composed_right),
    "composition_closed_form": Exact(COMPOSED, composed_left, closed_right),
}


# Simulations: gates that run in double precision on random sequences, one a row.


def run_rows(move: Callable[[Array, Array, Array], Array], weight: float, g: Array, h: Array) -> Array:
    """Cumulative losses of a gate on many sequences at once."""
    total, weights = np.zeros(len(g)), np.full(len(g), weight)
    for i in range(g.shape[1]):
        total -= np.log(weights * g[:, i] + (1 - weights) * h[:, i])
        weights = move(weights, g[:, i], h[:, i])
    return total


def hedge_rows(rate: float) -> Callable[[Array, Array, Array], Array]:
    return lambda w, g, h: w * g**rate / (w * g**rate + (1 - w) * h**rate)


def shuffled(generator: np.random.Generator, replicates: int, *, n: int, S: int, gap: float) -> tuple[Array, Array]:
    """The visits of the evenly switching sequence in random order."""
    g_pays = np.array([(i * (S + 1) // n) % 2 == 0 for i in range(n)])
    rows = generator.permuted(np.tile(g_pays, (replicates, 1)), axis=1)
    return np.where(rows, np.exp(-gap), 1.0), np.where(rows, 1.0, np.exp(-gap))


def any_label(generator: np.random.Generator, replicates: int, *, alpha: float, g: float, h: float) -> Array:
    """Loss from the share of 10,000 draws that give the label, each of the predictor that the gate picks."""
    draws = 10_000
    in_weight = generator.binomial(draws, alpha, size=replicates)
    hits = generator.binomial(in_weight, g) + generator.binomial(draws - in_weight, h)
    return np.asarray(-np.log(hits / draws))


def bayes_in_any_order(
    generator: np.random.Generator, replicates: int, *, n: int, S: int, prior: float, gap: float
) -> Array:
    return run_rows(hedge_rows(1.0), prior, *shuffled(generator, replicates, n=n, S=S, gap=gap))


def bayes_in_any_portions(
    generator: np.random.Generator, replicates: int, *, prior: float, loss_g: float, loss_h: float
) -> Array:
    g, h = (np.exp(-loss * generator.dirichlet(np.ones(20), size=replicates)) for loss in (loss_g, loss_h))
    return run_rows(hedge_rows(1.0), prior, g, h)


def hedge_regret(
    generator: np.random.Generator, replicates: int, *, n: int, S: int, rate: float, B: float, gap: float
) -> Array:
    """Random losses in [0, B], of which the in-weight predictor pays more than nine times in ten."""
    assert S == 0
    both = generator.uniform(0, B - gap, size=(replicates, n))
    more = np.where(generator.random((replicates, n)) < 0.97, gap, 0.0)
    g, h = np.exp(-both - more), np.exp(-both)
    return run_rows(hedge_rows(rate), 0.5, g, h) - both.sum(axis=1)


def share_regret(generator: np.random.Generator, replicates: int, *, n: int, S: int, rate: float, gap: float) -> Array:
    """Losses that change sides at S random places."""
    places = np.array([generator.choice(n - 1, size=S, replace=False) for _ in range(replicates)]).reshape(-1, S)
    blocks = (places[:, :, None] < np.arange(n)).sum(axis=1)
    g_pays = (blocks + generator.integers(2, size=(replicates, 1))) % 2 == 0
    g, h = np.where(g_pays, np.exp(-gap), 1.0), np.where(g_pays, 1.0, np.exp(-gap))

    def move(weight: Array, g: Array, h: Array) -> Array:
        kept = weight * g / (weight * g + (1 - weight) * h)
        return (1 - rate) * kept + rate * (1 - kept)

    return run_rows(move, 0.5, g, h)


def least_by_search(value: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Least values over brackets, by ternary search in the logarithm."""
    low, high = np.log(low), np.log(high)
    for _ in range(120):
        third = (high - low) / 3
        left = value(np.exp(low + third)) < value(np.exp(high - third))
        low, high = np.where(left, low, low + third), np.where(left, high - third, high)
    return value(np.exp((low + high) / 2))


def around(generator: np.random.Generator, best: float, replicates: int) -> tuple[Array, Array]:
    return best / generator.uniform(1.1, 50, replicates), best * generator.uniform(1.1, 1.9, replicates)


def universal_online(generator: np.random.Generator, replicates: int, *, n: int, k: int, gap: float) -> Array:
    """Learns online which of many constant weights is good, on the visits in random order."""
    shares = np.sin(np.pi * (2 * np.arange(n + 1) + 1) / (4 * (n + 1))) ** 2
    rows = generator.permuted(np.tile(np.arange(n) < k, (replicates, 1)), axis=1)
    belief, total = np.full((replicates, n + 1), 1 / (n + 1)), np.zeros(replicates)
    for i in range(n):
        given = np.where(rows[:, [i]], shares + (1 - shares) * np.exp(-gap), shares * np.exp(-gap) + 1 - shares)
        mean = (belief * given).sum(axis=1)
        total -= np.log(mean)
        belief = belief * given / mean[:, None]
    return total


def exponentiated_rows(
    generator: np.random.Generator, replicates: int, *, n: int, S: int, G: float, rate: float, gap: float
) -> Array:
    assert np.expm1(gap) <= G * (1 + 1e-12)

    def move(weight: Array, g: Array, h: Array) -> Array:
        kept = weight * np.exp(rate * (g - h) / (weight * g + (1 - weight) * h))
        return np.asarray(kept / (kept + 1 - weight))

    return run_rows(move, 0.5, *shuffled(generator, replicates, n=n, S=S, gap=gap))


def descending_rows(
    generator: np.random.Generator, replicates: int, *, n: int, S: int, G: float, rate: float, gap: float
) -> Array:
    assert np.expm1(gap) <= G * (1 + 1e-12)

    def move(weight: Array, g: Array, h: Array) -> Array:
        return np.clip(weight + rate * (g - h) / (weight * g + (1 - weight) * h), 0, 1)

    return run_rows(move, 0.5, *shuffled(generator, replicates, n=n, S=S, gap=gap))


def measured_slope(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    b: float,
    floor: float,
    alpha: float,
    k: int,
    copied: float,
) -> Array:
    """One plus the difference quotient of the loss, over weights from alpha on."""
    g, h = (k + b) / (n + C * b), floor + (1 - C * floor) * copied
    low, high = np.sort(generator.uniform(alpha, 1, size=(2, replicates)), axis=0)
    loss = [-np.log(weight * g + (1 - weight) * h) for weight in (low, high)]
    return np.asarray(1 + np.abs(loss[1] - loss[0]) / (high - low))


def gated_average(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    C: int,
    label_noise: float,
    prior: float,
    copied: float,
) -> Array:
    """A table and a gate that learn online from drawn labels."""
    other = generator.random((replicates, n)) < label_noise
    seen = np.where(other, np.cumsum(other, axis=1), np.cumsum(~other, axis=1)) - 1
    table = (seen + 1) / (np.arange(n) + C)
    return run_rows(hedge_rows(1.0), prior, table, np.where(other, 1 - copied, copied)) / n


SLOW = {"n": 64, "S": 0, "G": 1e-3, "gap": float(np.log1p(1e-3))}
SIMULATED = {
    "convexity": Simulated({"alpha": 0.9, "g": 0.1, "h": 0.9}, any_label, 2000),
    "bayes_gate_loss": Simulated({"n": 30, "S": 4, "prior": 0.1, "gap": 1.0}, bayes_in_any_order, 500),
    "bayes_regret": Simulated({"prior": 0.01, "loss_g": 1.0, "loss_h": 30.0}, bayes_in_any_portions, 500),
    "hedge_regret": Simulated({"n": 100, "S": 0, "rate": 1.0, "B": 0.11, "gap": 0.1}, hedge_regret, 500),
    "hedge_slow_regret": Simulated(
        {"n": 60, "S": 0, "rate": 0.2, "gap": 1.0},
        lambda generator, replicates, *, n, S, rate, gap: hedge_regret(
            generator, replicates, n=n, S=S, rate=rate, B=gap, gap=gap
        ),
        500,
    ),
    "hedge_optimal_rate": Simulated(
        {"n": 50, "B": 2.0},
        lambda generator, replicates, *, n, B: least_by_search(
            lambda x: np.log(2) / x + x * n * B * B / 8, *around(generator, 0.17, replicates)
        ),
        200,
    ),
    "fixed_share_regret": Simulated(
        {"n": 40, "S": 3, "rate": 0.1, "gap": 3.0},
        share_regret,
        500,
        wrong_point={"n": 40, "S": 2, "rate": 0.4, "gap": 8.0},
    ),
    "fixed_share_optimal_rate": Simulated(
        {"n": 50, "S": 7},
        lambda generator, replicates, *, n, S: least_by_search(
            lambda x: np.log(2) - S * np.log(x) - (n - 1 - S) * np.log1p(-x), *around(generator, 0.143, replicates)
        ),
        200,
    ),
    "universal_mixture_regret_sharp": Simulated(
        {"n": 30, "k": 25, "gap": 4.0}, universal_online, 200, wrong_point={"n": 5, "k": 5, "gap": 60.0}
    ),
    "universal_mixture_regret": Simulated(
        {"n": 30, "k": 25, "gap": 4.0}, universal_online, 200, wrong_point={"n": 30, "k": 30, "gap": 60.0}
    ),
    "exponentiated_gradient_regret": Simulated(
        {"n": 40, "S": 7, "G": 1.0, "gap": 0.69, "rate": 0.3},
        exponentiated_rows,
        500,
        wrong_point={**SLOW, "rate": 50.0},
    ),
    "online_gradient_regret": Simulated(
        {"n": 40, "S": 7, "G": 1.0, "gap": 0.69, "rate": 0.2},
        descending_rows,
        500,
        wrong_point={**SLOW, "rate": 7.0},
    ),
    "online_gradient_optimal_rate": Simulated(
        {"n": 50, "G": 2.0},
        lambda generator, replicates, *, n, G: least_by_search(
            lambda x: 1 / (8 * x) + x * n * G * G / 2, *around(generator, 0.0354, replicates)
        ),
        200,
    ),
    "gradient_bound": Simulated(
        {"n": 1000, "C": 10, "b": 0.5, "floor": 0.05, "alpha": 0.999, "k": 0, "copied": 0.9}, measured_slope, 1000
    ),
    "composition": Simulated(
        {"n": 6, "C": 1000, "label_noise": 0.05, "prior": 0.5, "copied": 0.95}, gated_average, 50_000
    ),
    "composition_closed_form": Simulated(
        {"n": 20, "C": 50, "label_noise": 0.1, "prior": 0.5, "copied": 0.05}, gated_average, 20_000
    ),
}
