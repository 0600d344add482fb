"""Checks of attention over noiseless labels, and over inputs of unit norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.prompts import draw_prompts
from simulate.reference import attention as twin_attention
from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_checks_in_context import EXPLICIT, attention_losses
from tests.verification.theorem_streams import label_task
from theory.setting import Attention, TaskDistribution

Array = NDArray[np.float64]


def clean_task(L: int, k: int, C: int) -> TaskDistribution:
    relevant: dict[str, Any] = {"p_relevant": 0.0} if k == L else {"relevant_examples": L - k}
    return label_task(C, **{"relevant_examples": None, "context_length": L, **relevant})


def odds_of(point: Any) -> float:
    gap = point["irrelevant_distance"] - point["relevant_distance"]
    return math.exp(gap / point["temperature"])


def clean_losses(setting: Setting, number: int, address: Address) -> Array:
    point = setting.point
    task = clean_task(point["L"], point["k"], 50)
    return attention_losses(task, Attention(odds=odds_of(point), floor=0.0), setting, number, address)


def clean_masses(setting: Setting, number: int, address: Address) -> Array:
    """Mass on the irrelevant examples: all that the query's label does not get."""
    return -np.expm1(-clean_losses(setting, number, address))


def clean_distances(setting: Setting, number: int, address: Address) -> Array:
    """Sum over all labels of the distance from the query's, from the twin's attention on explicit prompts."""
    point = setting.point
    task = clean_task(point["L"], point["k"], 50)
    prompts = draw_prompts(task, number, address.generator())
    sums = []
    for query, own, classes, labels in zip(
        prompts.query.tolist(),
        prompts.label.tolist(),
        prompts.context_classes.tolist(),
        prompts.context_labels.tolist(),
        strict=True,
    ):
        matches = [x == query for x in classes]
        given = [
            twin_attention(matches, [label == y for label in labels], math.log(odds_of(point)))[0] for y in range(50)
        ]
        sums.append(math.fsum(abs(h - (y == own)) for y, h in enumerate(given)))
    return np.array(sums)


def unit_norm_masses(setting: Setting, number: int, address: Address) -> tuple[Array, Any]:
    """Random inputs on the sphere, softmax attention over them; their distances as soft means.

    With ``nearer`` the irrelevant inputs are beyond the relevant ones.
    """
    L, k, temperature = (setting.point[name] for name in ("L", "k", "temperature"))
    generator = address.generator()
    inputs = generator.standard_normal((number, L + 1, setting.how["dimension"]))
    inputs /= np.linalg.norm(inputs, axis=2, keepdims=True)
    distances = ((inputs[:, 1:] - inputs[:, :1]) ** 2).sum(axis=2)
    if setting.how.get("sorted"):
        distances = -np.sort(-distances, axis=1)
    scores = np.exp(-distances / temperature)
    irrelevant, relevant = scores[:, :k], scores[:, k:]
    own = {
        "irrelevant_distance": np.clip(-temperature * np.log(irrelevant.mean(axis=1)), 0, 4),
        "relevant_distance": np.clip(-temperature * np.log(relevant.mean(axis=1)), 0, 4),
    }
    return irrelevant.sum(axis=1) / scores.sum(axis=1), own


def sphere_masses(setting: Setting, number: int, address: Address) -> Trajectories:
    return Trajectories(*unit_norm_masses(setting, number, address))


def sphere_losses(setting: Setting, number: int, address: Address) -> Trajectories:
    masses, own = unit_norm_masses(setting, number, address)
    return Trajectories(-np.log1p(-masses), own)


def floored(setting: Setting, number: int, address: Address) -> Array:
    """Attention with a floor over a noiseless context of which a given mass is irrelevant."""
    C, floor, mass = setting.point["C"], setting.point["floor"], setting.point.get("mass", 1.0)
    L, m = setting.how["L"], setting.how["m"]
    odds = (L - m) * (1 - mass) / (m * mass) if m and m < L else 1.0
    return attention_losses(clean_task(L, L - m, C), Attention(odds=odds, floor=floor), setting, number, address)


def noiseless_gap(setting: Setting, number: int, address: Address) -> Array:
    C, floor, m, k, odds = (setting.point[name] for name in ("C", "floor", "m", "k", "odds"))
    return attention_losses(clean_task(m + k, k, C), Attention(odds=odds, floor=floor), setting, number, address)


def placed(L: int, k: int, temperature: float, relevant: float, irrelevant: float) -> dict[str, Any]:
    names = ("L", "k", "temperature", "relevant_distance", "irrelevant_distance")
    return dict(zip(names, (L, k, temperature, relevant, irrelevant), strict=True))


CLEAN = "the engine's attention, odds exp((d' - d)/T), on noiseless prompts of both samplers"
SPHERE = "softmax over random unit-norm inputs (drawn here)"
EXTREME = placed(8, 3, 1.0, 0.0, 4.0)
NEAR = placed(16, 15, 3.0, 0.9, 1.0)
EQUAL = placed(8, 3, 1e3, 1.0, 1.0)
ON_SPHERE = {"L": 6, "k": 2, "temperature": 1.0}


def of_clean(theorem: str, masses: bool, *settings: Setting) -> tuple[Check, Check]:
    """The engine at given distances, and softmax over random inputs."""
    upper = theorem.endswith("upper")
    told = theorem != "in_context_loss_lower"
    sphere = Setting(point=ON_SPHERE, draws=20_000, sees=0.5, wrong=told, how={"dimension": 2, "sorted": upper})
    draw, spheres = (clean_masses, sphere_masses) if masses else (clean_losses, sphere_losses)
    return (
        Check(theorem=theorem, simulated=CLEAN, draw=draw, settings=settings, random=False),
        Check(theorem=theorem, simulated=SPHERE, draw=spheres, settings=(sphere,), kind="every"),
    )


CHECKS = (
    *of_clean(
        "attention_mass_lower",
        True,
        Setting(point=EXTREME, draws=200),
        Setting(point=NEAR, draws=200, how=EXPLICIT, wrong=False),
    ),
    *of_clean(
        "attention_mass_upper",
        True,
        Setting(point=EQUAL, draws=200),
        Setting(point=NEAR, draws=200, how=EXPLICIT, wrong=False),
    ),
    *of_clean(
        "in_context_loss_lower_log",
        False,
        Setting(point=EXTREME, draws=200),
        Setting(point=NEAR, draws=200, how=EXPLICIT, wrong=False),
    ),
    *of_clean(
        "in_context_loss_lower",
        False,
        Setting(point=placed(8, 7, 4.0, 0.0, 4.0), draws=200),
        Setting(point=EXTREME, draws=200, how=EXPLICIT),
    ),
    *of_clean(
        "in_context_loss_upper",
        False,
        Setting(point=placed(8, 5, 100.0, 1.0, 1.5), draws=200),
        Setting(point=NEAR, draws=200, how=EXPLICIT),
    ),
    Check(
        theorem="in_context_l1",
        simulated="the twin's attention for every label of noiseless prompts of the explicit sampler",
        draw=clean_distances,
        settings=(Setting(point=EXTREME, draws=20), Setting(point=NEAR, draws=20)),
        random=False,
    ),
    Check(
        theorem="in_context_loss_factor_two",
        simulated=CLEAN,
        draw=lambda setting, number, address: clean_losses(
            Setting(point={"temperature": 1.0, **setting.point}), number, address
        ),
        settings=(Setting(point={"L": 8, "k": 1, "relevant_distance": 0.0, "irrelevant_distance": 4.0}, draws=200),),
        random=False,
    ),
    Check(
        theorem="floor_cost",
        simulated="the engine's attention with a floor on noiseless prompts",
        draw=floored,
        settings=(
            Setting(point={"C": 50, "floor": 1e-3, "mass": 0.0}, draws=200, how={"L": 4, "m": 4}),
            Setting(point={"C": 9, "floor": 0.05, "mass": 0.4}, draws=200, how={"L": 8, "m": 2}),
        ),
        random=False,
    ),
    Check(
        theorem="floor_alone",
        simulated="the engine's attention with a floor on irrelevant noiseless prompts",
        draw=floored,
        settings=(
            Setting(point={"C": 50, "floor": 1e-3}, draws=200, how={"L": 6, "m": 0}),
            Setting(point={"C": 2, "floor": 0.4}, draws=200, how={"L": 1, "m": 0}),
        ),
        random=False,
    ),
    Check(
        theorem="gap_noiseless",
        simulated=CLEAN,
        draw=noiseless_gap,
        settings=(
            Setting(point={"C": 100, "floor": 1e-4, "m": 4, "k": 4, "odds": 100.0}, draws=200),
            Setting(point={"C": 100, "floor": 1e-5, "m": 4, "k": 4, "odds": 1000.0}, draws=200, how=EXPLICIT),
        ),
        random=False,
    ),
)
