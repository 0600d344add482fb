"""Checks of the in-context losses under label noise: attention on prompts of both samplers, and the best rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.predictors import in_context_losses
from simulate.prompts import PromptStatistics, draw_prompts, statistics_of
from tests.verification.theorem_check import Address, Check, Setting
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
    return np.asarray(in_context_losses(Attention(odds=odds, floor=floor), task)(prompts)[prompts.query == 0])


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


def noisy(m: int, C: int, label_noise: float) -> dict[str, Any]:
    return {"m": m, "C": C, "label_noise": label_noise}


SAMPLED = "the engine's attention on prompts of both samplers"
BEST = "the Bayes rule on labels of the explicit sampler"


CHECKS = (
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
        theorem="gap_label_noise",
        simulated=f"{SAMPLED}, less the loss of the true law",
        draw=noisy_gap,
        settings=(
            Setting(point={"C": 10, "floor": 1e-4, "m": 3, "label_noise": 0.04}, draws=800_000, sees=0.05),
            Setting(point={"C": 10, "floor": 1e-4, "m": 3, "label_noise": 0.01}, draws=1_500_000, sees=0.07),
            Setting(point={"C": 4, "floor": 1e-3, "m": 1, "label_noise": 0.02}, draws=200_000, sees=0.1, how=EXPLICIT),
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
                draws=300_000,
                sees=0.03,
                wrong=False,
                how=EXPLICIT,
            ),
            Setting(
                point={"L": 3, "m": 0, "label_noise": 0.1, "odds": 20.0, "floor": 1e-3},
                draws=300_000,
                sees=0.03,
                wrong=False,
            ),
        ),
    ),
)
