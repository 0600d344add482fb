"""Checks of the learned temperature, and of the shares of Zipf's classes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.learned_attention import LearningAttention
from tests.verification.theorem_check import Address, Check, Setting
from tests.verification.theorem_streams import drawn, label_task, prompts_of, table_scan
from theory.setting import LearnedAttention, TaskDistribution

Array = NDArray[np.float64]

# The learned temperature: the engine's descent in ever smaller steps, extrapolated to steps of no size.


def descent(m: int, k: int, learning_rate: float, beta_0: float, steps: int) -> tuple[Array, float]:
    """Losses before each step, and the inverse temperature at the end."""
    task = label_task(m + k + 1, context_length=m + k, relevant_examples=m)
    part = LearnedAttention(learning_rate=learning_rate, initial_odds=math.exp(beta_0), floor=0.0)
    learner = LearningAttention(part, task)
    none = np.zeros(steps, dtype=np.intp)
    losses = learner(prompts_of(none, none, m, m))
    return losses, learner.inverse_temperature


def extrapolated(values: list[float]) -> float:
    """Richardson: each value belongs to half the step of the one before."""
    for order in range(1, len(values)):
        factor = 2**order
        values = [(factor * fine - coarse) / (factor - 1) for coarse, fine in itertools.pairwise(values)]
    return values[0]


def temperature_after(setting: Setting, number: int, address: Address) -> Array:
    del number, address
    m, k, rate, beta_0, time = (setting.point[name] for name in ("m", "k", "rate", "beta_0", "time"))
    counts = [32 * 2**level for level in range(8)]
    return np.array([extrapolated([descent(m, k, rate * time / c, beta_0, c)[1] for c in counts])])


def time_of_emergence(setting: Setting, number: int, address: Address) -> Array:
    del number, address
    m, k, rate, beta_0, share = (setting.point[name] for name in ("m", "k", "rate", "beta_0", "loss_share"))
    times = []
    for level in range(6):
        step = setting.how["step"] / 2**level
        losses, _ = descent(m, k, rate * step, beta_0, round(setting.how["time"] / step))
        after = int(np.flatnonzero(losses < share * losses[0])[0])
        near = np.arange(after - 4, after + 4)
        # Inverse interpolation by Lagrange's polynomial through eight steps.
        x, target = losses[near], share * losses[0]
        weights = [np.prod([(target - x[j]) / (x[i] - x[j]) for j in range(8) if j != i]) for i in range(8)]
        times.append(step * float(np.dot(weights, near)))
    return np.array([extrapolated(times)])


# Zipf's classes.


def zipf_task(setting: Setting) -> TaskDistribution:
    point = setting.point
    return TaskDistribution(
        frequencies="zipf",
        num_classes=point["num_classes"],
        zipf_exponent=point["zipf_exponent"],
        context_length=1,
        relevant_examples=1,
    )


def queries_beyond(setting: Setting, number: int, address: Address) -> Array:
    return np.asarray(drawn(zipf_task(setting), number, address).query + 1 > setting.point["rank"], dtype=np.float64)


def queries_of_visits(setting: Setting, number: int, address: Address) -> Array:
    """After streams of N steps, the mass of the classes that the engine has counted n visits of."""
    task, N, n = zipf_task(setting), setting.point["N"], setting.point["n"]
    stream = drawn(task, number * N, address)
    classes = task.total_classes
    scan = table_scan(task, number * classes, number * N, 0.5)
    query = stream.query + classes * np.repeat(np.arange(number), N)
    scan.advance(prompts_of(query, stream.label_offset))
    visits = scan.totals().visits.reshape(number, classes)
    return np.asarray((visits == n) @ task.class_probabilities)


def zipf(num_classes: int, zipf_exponent: float, **last: float) -> dict[str, Any]:
    return {"num_classes": num_classes, "zipf_exponent": zipf_exponent, **last}


def flow(m: int, k: int, rate: float, beta_0: float, **last: float) -> dict[str, Any]:
    return {"m": m, "k": k, "rate": rate, "beta_0": beta_0, **last}


DESCENT = "`LearningAttention` in ever smaller steps, extrapolated"


CHECKS = (
    Check(
        theorem="learned_temperature",
        simulated=DESCENT,
        draw=temperature_after,
        settings=(
            Setting(point=flow(1, 7, 0.5, 0.0, time=2.0)),
            Setting(point=flow(1, 1, 1.0, 0.0, time=0.01), sees=1e-6),
            Setting(point=flow(4, 28, 0.2, 1.5, time=40.0)),
        ),
        random=False,
    ),
    Check(
        theorem="emergence_time",
        simulated=DESCENT,
        draw=time_of_emergence,
        settings=(
            Setting(point=flow(1, 7, 0.5, 0.0, loss_share=0.25), how={"step": 0.1, "time": 15.0}, sees=1e-5),
            Setting(point=flow(3, 5, 1.0, 1.0, loss_share=0.5), how={"step": 0.1, "time": 15.0}, sees=1e-5),
        ),
        random=False,
        rounding=1e-7,
    ),
    Check(
        theorem="zipf_share_threshold",
        simulated="queries of the sampler",
        draw=queries_beyond,
        settings=(
            Setting(point=zipf(300, 1.5, rank=20), draws=500_000, sees=0.03),
            Setting(point=zipf(5000, 1.1, rank=500), draws=500_000, sees=0.03),
        ),
        kind="mean",
    ),
    Check(
        theorem="zipf_share_visits",
        simulated="visits of every class that `Scan` has counted after N steps of the sampler",
        draw=queries_of_visits,
        settings=(
            Setting(point=zipf(300, 1.5, N=100, n=2), draws=10_000, sees=0.06),
            Setting(point=zipf(300, 2.0, N=1000, n=0), draws=1000, sees=0.05),
        ),
    ),
)
