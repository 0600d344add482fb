"""Evidence for the bounds on attention: real softmax attention over random unit-norm embeddings, label by label."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated

Array = NDArray[np.float64]
_DIMENSION = 6
_LABELS = 5


def softmax(L: int, k: int, temperature: float, relevant_distance: float, irrelevant_distance: float) -> list[Any]:
    """Attention weights of ``k`` irrelevant and then ``L - k`` relevant examples, from the definition."""
    distances = [irrelevant_distance] * k + [relevant_distance] * (L - k)
    scores = [mpmath.exp(-mpmath.mpf(d) / mpmath.mpf(temperature)) for d in distances]
    return [score / mpmath.fsum(scores) for score in scores]


def mass_by_examples(k: int, **setting: Any) -> mpmath.mpf:
    return mpmath.fsum(softmax(k=k, **setting)[:k])


def loss_by_examples(k: int, **setting: Any) -> mpmath.mpf:
    return -mpmath.log(mpmath.fsum(softmax(k=k, **setting)[k:]))


def l1_by_labels(k: int, **setting: Any) -> mpmath.mpf:
    """Sum of ``|h - y|`` over the labels: the own one is 0, irrelevant examples carry the others in turn."""
    weights = softmax(k=k, **setting)
    h = [mpmath.mpf(0)] * _LABELS
    for index, weight in enumerate(weights):
        h[0 if index >= k else 1 + index % (_LABELS - 1)] += weight
    return mpmath.fsum(abs(p - (label == 0)) for label, p in enumerate(h))


def embeddings(generator: np.random.Generator, query: Array, distances: Array) -> Array:
    """Random unit vectors at given squared distances from their queries; shape (replicates, examples, dimension)."""
    noise = generator.standard_normal((*distances.shape, _DIMENSION))
    across = noise - (noise @ query[:, :, None]) * query[:, None, :]
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    cosine = 1 - distances[..., None] / 2
    return np.asarray(cosine * query[:, None, :] + np.sqrt(1 - cosine**2) * across)


def attend(
    generator: np.random.Generator,
    replicates: int,
    spread: float,
    *,
    L: int,
    k: int,
    temperature: float = 1.0,
    relevant_distance: float,
    irrelevant_distance: float,
) -> Array:
    """What attention gives each label (0 is the query's), with distances spread about the given ones."""
    query = generator.standard_normal((replicates, _DIMENSION))
    query /= np.linalg.norm(query, axis=-1, keepdims=True)
    centres = np.array([irrelevant_distance] * k + [relevant_distance] * (L - k))
    distances = np.clip(centres + spread * generator.uniform(-1, 1, (replicates, L)), 0, 4)
    inputs = embeddings(generator, query, distances)
    scores = -((inputs - query[:, None, :]) ** 2).sum(axis=-1) / temperature
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    labels = np.where(np.arange(L) < k, generator.integers(1, _LABELS, (replicates, L)), 0)
    return np.asarray((weights[:, :, None] * (labels[:, :, None] == np.arange(_LABELS))).sum(axis=1))


def mass_draws(generator: np.random.Generator, replicates: int, **point: Any) -> Array:
    return np.asarray(attend(generator, replicates, 0.3, **point)[:, 1:].sum(axis=1))


def loss_draws(generator: np.random.Generator, replicates: int, **point: Any) -> Array:
    return -np.log(attend(generator, replicates, 0.3, **point)[:, 0])


def l1_draws(generator: np.random.Generator, replicates: int, **point: Any) -> Array:
    given = attend(generator, replicates, 0.0, **point)
    return np.asarray(np.abs(given - (np.arange(_LABELS) == 0)).sum(axis=1))


def floored_by_labels(C: int, floor: float, mass: float = 1.0) -> mpmath.mpf:
    """Loss of the query's label where the wrong mass is on one other label."""
    share = [1 - mpmath.mpf(mass), mpmath.mpf(mass)] + [mpmath.mpf(0)] * (C - 2)
    floored = [(1 - C * mpmath.mpf(floor)) * h + mpmath.mpf(floor) for h in share]
    assert mpmath.almosteq(mpmath.fsum(floored), 1)
    return -mpmath.log(floored[0])


def floored_draws(generator: np.random.Generator, replicates: int, *, C: int, floor: float, mass: float = 1.0) -> Array:
    """Loss of floored attention whose wrong mass falls on other labels at random."""
    h = np.zeros((replicates, C))
    h[:, 1:] = mass * generator.dirichlet(np.ones(C - 1), size=replicates)
    h[:, 0] = 1 - mass
    return -np.log(((1 - C * floor) * h + floor)[:, 0])


def point(L: int, k: int, temperature: float, relevant: float, irrelevant: float) -> dict[str, float]:
    names = ("L", "k", "temperature", "relevant_distance", "irrelevant_distance")
    return dict(zip(names, (L, k, temperature, relevant, irrelevant), strict=True))


POINTS = (point(8, 1, 1.0, 0.0, 4.0), point(8, 5, 0.5, 0.2, 1.7), point(16, 15, 3.0, 0.9, 0.9))
FLOORED = (
    {"C": 2, "floor": 1e-12, "mass": 0.25},
    {"C": 7, "floor": 0.1, "mass": 0.0},
    {"C": 9, "floor": 1e-3, "mass": 0.9},
)
EXACT = {
    "attention_mass_lower": Exact(
        (*POINTS, point(3, 3, 1.0, 0.5, 2.0)),
        mass_by_examples,
        lambda L, k, temperature, **_: mass_by_examples(
            L=L, k=k, temperature=temperature, relevant_distance=0, irrelevant_distance=4
        ),
    ),
    "attention_mass_upper": Exact(POINTS, mass_by_examples, lambda L, k, **_: mpmath.mpf(k) / L),
    "in_context_loss_lower_log": Exact(
        POINTS,
        loss_by_examples,
        lambda L, k, temperature, **_: loss_by_examples(
            L=L, k=k, temperature=temperature, relevant_distance=0, irrelevant_distance=4
        ),
    ),
    "in_context_loss_lower": Exact(
        POINTS,
        loss_by_examples,
        lambda L, k, temperature, **_: k / (k + (L - k) * mpmath.exp(4 / mpmath.mpf(temperature))),
    ),
    "in_context_loss_upper": Exact(POINTS, loss_by_examples, lambda L, k, **_: -mpmath.log(1 - mpmath.mpf(k) / L)),
    "in_context_l1": Exact(POINTS, l1_by_labels, lambda **setting: 2 * mass_by_examples(**setting)),
    "floor_cost": Exact(
        FLOORED,
        floored_by_labels,
        lambda C, floor, mass: -mpmath.log((1 - mpmath.mpf(mass)) * (1 - (C - 1) * mpmath.mpf(floor))),
    ),
    "floor_alone": Exact(
        ({"C": 2, "floor": 1e-12}, {"C": 9, "floor": 0.1}), floored_by_labels, lambda floor, **_: -mpmath.log(floor)
    ),
}
SIMULATED = {
    "attention_mass_lower": Simulated(POINTS[1], mass_draws, 2000, wrong_point=point(8, 3, 1.0, 0.1, 3.9)),
    "attention_mass_upper": Simulated(point(8, 3, 2.0, 0.4, 1.5), mass_draws, 2000, point(8, 3, 1e3, 1.0, 1.5)),
    "in_context_loss_lower_log": Simulated(POINTS[1], loss_draws, 2000, wrong_point=point(8, 3, 1.0, 0.1, 3.9)),
    "in_context_loss_lower": Simulated(POINTS[1], loss_draws, 2000, wrong_point=point(8, 7, 4.0, 0.0, 4.0)),
    "in_context_loss_upper": Simulated(point(8, 3, 2.0, 0.4, 1.5), loss_draws, 2000, point(8, 5, 1e2, 1.0, 1.5)),
    "in_context_l1": Simulated(POINTS[1], l1_draws, 500),
    "floor_cost": Simulated(FLOORED[2], floored_draws, 100, wrong_point=FLOORED[1]),
    "floor_alone": Simulated({"C": 7, "floor": 1e-3}, floored_draws, 100),
}
