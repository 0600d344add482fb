"""Evidence for Hedge gates whose rate changes: gates that run visit by visit on probabilities."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated
from tests.theorems.gate_regret import SEQUENCES, Visits, better, evenly_switching, with_values

Array = NDArray[np.float64]


def powers(visits: Visits, who: int, rate: Any) -> Any:
    """What a predictor gave the labels so far, to the power of the rate."""
    return mpmath.fprod(visit[who] for visit in visits) ** rate


def decreasing(n: int, S: int, prior: float, rate: float, gap: float, **_: float) -> Any:
    """Weights from the products of all visits before, at the visit's rate."""
    visits, total = evenly_switching(n, S, gap), mpmath.mpf(0)
    for i, (g, h) in enumerate(visits):
        now = mpmath.mpf(rate) / mpmath.sqrt(i + 1)
        odds = mpmath.mpf(prior) / (1 - mpmath.mpf(prior)) * powers(visits[:i], 0, now) / powers(visits[:i], 1, now)
        total -= mpmath.log((odds * g + h) / (1 + odds))
    return total


def decreasing_bound(n: int, S: int, prior: float, rate: float, B: float, gap: float) -> Any:
    paid_by_h = -mpmath.log(powers(evenly_switching(n, S, gap), 1, 1))
    price = -mpmath.log(1 - mpmath.mpf(prior)) * mpmath.sqrt(n) / rate
    faster = [mpmath.mpf(rate) / mpmath.sqrt(i) for i in range(1, n + 1) if i < mpmath.mpf(rate) ** 2]
    return paid_by_h + price + sum(now - 1 for now in faster) * mpmath.mpf(B) ** 2 / 8


def adahedge(visits: Visits) -> tuple[Any, list[Any]]:
    """Cumulative loss, and the sums of the gaps; the mean loss less the mixture's, both from probabilities."""
    total, gaps = mpmath.mpf(0), [mpmath.mpf(0)]
    for i, (g, h) in enumerate(visits):
        paid = [-mpmath.log(given) for given in (g, h)]
        if gaps[-1] == 0:
            share, mixed = mpmath.mpf(0.5), min(paid)
        else:
            rate = mpmath.log(2) / gaps[-1]
            kept = [powers(visits[:i], who, rate) for who in (0, 1)]
            share = kept[0] / sum(kept)
            mixed = -mpmath.log(share * g**rate + (1 - share) * h**rate) / rate
        gaps.append(gaps[-1] + share * paid[0] + (1 - share) * paid[1] - mixed)
        total -= mpmath.log(share * g + (1 - share) * h)
    return total, gaps


def adahedge_bound(n: int, S: int, gap: float) -> Any:
    visits = evenly_switching(n, S, gap)
    return better(visits) + sum(adahedge(visits)[1][-2:])


EXACT = {
    "decreasing_hedge_regret": Exact(
        (
            *with_values(SEQUENCES, prior=0.25, rate=0.5, B=2.0, gap=1.5),
            *with_values(SEQUENCES, prior=0.9, rate=2.5, B=3.0, gap=3.0),
        ),
        decreasing,
        decreasing_bound,
    ),
    "adahedge_regret": Exact(
        (*with_values(SEQUENCES, gap=1.5), *with_values(SEQUENCES, gap=40.0)),
        lambda n, S, gap: adahedge(evenly_switching(n, S, gap))[0],
        adahedge_bound,
    ),
}


def one_sided(generator: np.random.Generator, shape: tuple[int, int], gap: float) -> tuple[Array, Array]:
    """What both lose: the in-weight predictor pays at nearly all visits, on top of what both pay."""
    both = generator.uniform(0, 1, size=shape)
    return both + np.where(generator.random(shape) < 0.98, gap, 0.0), both


def decreasing_regret(
    generator: np.random.Generator,
    replicates: int,
    *,
    n: int,
    S: int,
    prior: float,
    rate: float,
    B: float,
    gap: float,
) -> Array:
    """Regret against the in-context predictor, which pays nothing on the sequence of the claim."""
    assert S == 0
    assert gap <= B
    of_g, of_h = one_sided(generator, (replicates, n), gap)
    lead, total = np.zeros(replicates), np.zeros(replicates)
    for i in range(n):
        weight = 1 / (1 + (1 - prior) / prior * np.exp(-rate / np.sqrt(i + 1) * lead))
        total -= np.log(weight * np.exp(-of_g[:, i]) + (1 - weight) * np.exp(-of_h[:, i]))
        lead += of_h[:, i] - of_g[:, i]
    return total - of_h.sum(axis=1)


def adahedge_in_rows(generator: np.random.Generator, replicates: int, *, n: int, S: int, gap: float) -> Array:
    """The evenly switching visits, at each of which both lose something more: the gate looks at differences alone."""
    g_pays = (np.arange(n) * (S + 1) // n) % 2 == 0
    both = generator.uniform(0, 1, size=(replicates, n))
    kept, gaps, total = np.ones((2, replicates)), np.zeros(replicates), np.zeros(replicates)
    losses = np.zeros((2, replicates))
    for i in range(n):
        pays = np.stack([both[:, i] + gap * g_pays[i], both[:, i] + gap * (not g_pays[i])])
        rate = np.log(2) / gaps if i else np.full(replicates, np.inf)
        kept = np.exp(-rate * (losses - losses.min(axis=0))) if i else np.ones((2, replicates))
        shares = kept / kept.sum(axis=0)
        mixed = -np.log((shares * np.exp(-rate * pays)).sum(axis=0)) / rate if i else pays.min(axis=0)
        gaps = gaps + (shares * pays).sum(axis=0) - mixed
        total -= np.log((shares * np.exp(-pays)).sum(axis=0))
        losses += pays
    return np.asarray(total - both.sum(axis=1))


SIMULATED = {
    "decreasing_hedge_regret": Simulated(
        {"n": 60, "S": 0, "prior": 0.9, "rate": 0.5, "B": 1.0, "gap": 1.0}, decreasing_regret, 500
    ),
    "adahedge_regret": Simulated(
        {"n": 40, "S": 5, "gap": 2.0}, adahedge_in_rows, 300, wrong_point={"n": 1, "S": 0, "gap": 0.01}
    ),
}
