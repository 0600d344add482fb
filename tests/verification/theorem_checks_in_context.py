"""Checks of the in-context losses: attention over prompts of both samplers, and the best rule on explicit prompts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.predictors import in_context_losses
from simulate.prompts import PromptStatistics, draw_prompts, statistics_of
from simulate.reference import attention as twin_attention
from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_streams import drawn, label_task
from theory.setting import Attention, TaskDistribution

Array = NDArray[np.float64]
EXPLICIT = {"explicit": True}


def statistics(task: TaskDistribution, number: int, address: Address, explicit: bool) -> PromptStatistics:
    """Prompts of either sampler."""
    if explicit:
        return statistics_of(task, draw_prompts(task, number, address.generator()))
    return drawn(task, number, address)


def attention_losses(task: TaskDistribution, part: Attention, setting: Setting, number: int, address: Address) -> Array:
    prompts = statistics(task, number, address, setting.how.get("explicit", False))
    return np.asarray(in_context_losses(part, task)(prompts))


# Attention over noisy labels.


def risk_task(L: int, m: int, C: int, label_noise: float, noisy_labels: int) -> TaskDistribution:
    relevant: dict[str, Any] = {"p_relevant": 0.0} if m == 0 else {"relevant_examples": m}
    return label_task(C, label_noise, noisy_labels, **{"relevant_examples": None, "context_length": L, **relevant})


def copied_losses(setting: Setting, number: int, address: Address) -> Array:
    point = setting.point
    task = risk_task(point["L"], point["m"], point["C"], point["label_noise"], point["noisy_labels"])
    return attention_losses(task, Attention(odds=point["odds"], floor=point["floor"]), setting, number, address)


def noisy_gap(setting: Setting, number: int, address: Address) -> Array:
    """Losses of copying where all examples are relevant, less those of the true law, label by label."""
    m, C, noise, floor = (setting.point[name] for name in ("m", "C", "label_noise", "floor"))
    task = risk_task(m, m, C, noise, 1)
    prompts = statistics(task, number, address, setting.how.get("explicit", False))
    losses = in_context_losses(Attention(floor=floor), task)(prompts)
    return np.asarray(losses + np.where(prompts.label_offset == 0, np.log1p(-noise), np.log(noise)))


def two_label_losses(setting: Setting, number: int, address: Address) -> Array:
    """Attention over two labels; the irrelevant examples are of two classes alike, one of each label."""
    L, m, noise, odds, floor = (setting.point[name] for name in ("L", "m", "label_noise", "odds", "floor"))
    relevant: dict[str, Any] = {"p_relevant": 0.0} if m == 0 else {"relevant_examples": m}
    task = TaskDistribution(
        frequencies="weights", weights=(0.9, 0.05, 0.05), num_labels=2, context_length=L, label_noise=noise, **relevant
    )
    prompts = statistics(task, number, address, setting.how.get("explicit", False))
    return in_context_losses(Attention(odds=odds, floor=floor), task)(prompts)[prompts.query == 0]


# Attention over noiseless labels.


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


# The best rule.


def posterior_predictions(setting: Setting, number: int, address: Address) -> tuple[Array, Array]:
    """Excess risk, and loss, of the Bayes rule on the labels of explicit prompts whose examples are all relevant."""
    m, noise = setting.point["m"], setting.point["label_noise"]
    C = setting.point.get("C", 2)
    task = risk_task(max(m, 1), m, C, noise, C - 1)
    prompts = draw_prompts(task, number, address.generator())
    counts = (prompts.context_labels[:, :m, None] == np.arange(C)).sum(axis=1)
    log_posterior = counts * (np.log1p(-noise) - np.log(noise / (C - 1)))
    posterior = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    law = np.where(prompts.query[:, None] == np.arange(C), 1 - noise, noise / (C - 1))
    rows = np.arange(number)
    predicted = posterior * (1 - noise) + (1 - posterior) * noise / (C - 1)
    return (law * np.log(law / predicted)).sum(axis=1), -np.log(predicted[rows, prompts.label])


def best_excess(setting: Setting, number: int, address: Address) -> Array:
    return posterior_predictions(setting, number, address)[0]


def best_losses(setting: Setting, number: int, address: Address) -> Array:
    return posterior_predictions(setting, number, address)[1]


def best_losses_of_attention(setting: Setting, number: int, address: Address) -> Array:
    """Losses of attention beyond the true law, on the same kind of prompts: no predictor beats the floor."""
    m, C, noise = (setting.point[name] for name in ("m", "C", "label_noise"))
    task = risk_task(max(m, 1), m, C, noise, C - 1)
    prompts = drawn(task, number, address)
    losses = in_context_losses(Attention(odds=1.0, floor=noise / C), task)(prompts)
    law = np.where(prompts.label_offset == 0, np.log1p(-noise), np.log(noise / (C - 1)))
    return np.asarray(losses + law)


def copying(*values: float) -> dict[str, Any]:
    names = ("L", "m", "C", "label_noise", "noisy_labels", "odds", "floor")
    return dict(zip(names, values, strict=True))


def placed(L: int, k: int, temperature: float, relevant: float, irrelevant: float) -> dict[str, Any]:
    names = ("L", "k", "temperature", "relevant_distance", "irrelevant_distance")
    return dict(zip(names, (L, k, temperature, relevant, irrelevant), strict=True))


def noisy(m: int, C: int, label_noise: float) -> dict[str, Any]:
    return {"m": m, "C": C, "label_noise": label_noise}


SAMPLED = "the engine's attention on prompts of both samplers"
CLEAN = "the engine's attention, odds exp((d' - d)/T), on noiseless prompts of both samplers"
SPHERE = "softmax over random unit-norm inputs (drawn here)"
BEST = "the Bayes rule on labels of the explicit sampler"
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
        theorem="in_context_risk",
        simulated=SAMPLED,
        draw=copied_losses,
        settings=(
            Setting(point=copying(6, 2, 4, 0.2, 3, 3.0, 0.01), draws=300_000, sees=0.02),
            Setting(point=copying(6, 2, 4, 0.2, 3, 3.0, 0.01), draws=100_000, sees=0.03, how=EXPLICIT),
            Setting(point=copying(1, 1, 100, 0.05, 1, 20.0, 1e-4), draws=600_000, sees=0.03, wrong=False),
            Setting(point=copying(12, 0, 5, 0.7, 1, 20.0, 1e-3), draws=100_000, sees=0.02, how=EXPLICIT),
            Setting(point=copying(40, 3, 2, 0.5, 1, 5.0, 0.1), draws=300_000, sees=0.02),
        ),
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
    Check(
        theorem="gap_label_noise",
        simulated=f"{SAMPLED}, less the loss of the true law",
        draw=noisy_gap,
        settings=(
            Setting(point={"C": 10, "floor": 1e-4, "m": 3, "label_noise": 0.04}, draws=800_000, sees=0.05),
            Setting(point={"C": 10, "floor": 1e-4, "m": 3, "label_noise": 0.01}, draws=1_500_000, sees=0.07),
            Setting(
                point={"C": 4, "floor": 1e-3, "m": 1, "label_noise": 0.02}, draws=200_000, sees=0.1, how=EXPLICIT
            ),
        ),
    ),
    Check(
        theorem="bayes_in_context_floor",
        simulated=BEST,
        draw=best_excess,
        settings=(
            Setting(point=noisy(3, 4, 0.3), draws=100_000, sees=0.05, wrong=False),
            Setting(point=noisy(0, 2, 0.3), draws=2),
        ),
    ),
    Check(
        theorem="bayes_in_context_floor",
        simulated="the engine's attention on prompts of the sampler",
        draw=best_losses_of_attention,
        settings=(Setting(point=noisy(3, 4, 0.3), draws=100_000, sees=0.1, wrong=False),),
        left=False,
    ),
    Check(
        theorem="bayes_in_context_rate",
        simulated=BEST,
        draw=best_excess,
        settings=(
            Setting(point=noisy(3, 4, 0.3), draws=100_000, sees=0.05, wrong=False),
            Setting(point=noisy(8, 2, 0.2), draws=200_000, sees=0.1),
        ),
    ),
    Check(
        theorem="bayes_in_context_ceiling",
        simulated=BEST,
        draw=best_excess,
        settings=(
            Setting(point=noisy(3, 4, 0.3), draws=100_000, sees=0.05, wrong=False),
            Setting(point=noisy(6, 2, 0.1), draws=400_000, sees=0.15),
        ),
    ),
    Check(
        theorem="bayes_in_context_risk",
        simulated=BEST,
        draw=best_losses,
        settings=(
            Setting(point={"m": 3, "label_noise": 0.2}, draws=200_000, sees=0.02),
            Setting(point={"m": 7, "label_noise": 0.45}, draws=100_000, sees=0.02, wrong=False),
        ),
    ),
    Check(
        theorem="attention_above_bayes",
        simulated=f"{SAMPLED}, two labels",
        draw=two_label_losses,
        settings=(
            Setting(point={"L": 5, "m": 4, "label_noise": 0.05, "odds": 4.0, "floor": 0.05}, draws=400_000, sees=0.03),
            Setting(
                point={"L": 5, "m": 3, "label_noise": 0.2, "odds": 4.0, "floor": 1e-3},
                draws=300_000, sees=0.03, wrong=False, how=EXPLICIT,
            ),
            Setting(
                point={"L": 3, "m": 0, "label_noise": 0.1, "odds": 20.0, "floor": 1e-3},
                draws=300_000, sees=0.03, wrong=False,
            ),
        ),
    ),
)  # fmt: skip
