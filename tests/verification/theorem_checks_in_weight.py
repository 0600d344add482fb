"""Checks of the in-weight risk: losses of the engine's tables at the visit after so many visits."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.verification.theorem_check import Address, Check, Setting
from tests.verification.theorem_streams import (
    drawn,
    label_offsets,
    label_task,
    law_of,
    prompts_of,
    table_scan,
    visited_in_turn,
)
from theory.setting import HedgeGate, TaskDistribution

Array = NDArray[np.float64]

RANKED = {"gate": HedgeGate(rate=0.5)}
"""With a rate other than 1 the engine computes the table's losses visit by visit, not from the counts at once."""


def asked_after_visits(setting: Setting, number: int, address: Address, excess: bool = True) -> Array:
    """Loss at the visit after ``n`` visits; with ``excess`` beyond that of the true label law, label by label."""
    point = {"b": 1.0, "label_noise": 0.0, "noisy_labels": 1, **setting.point}
    n = point["n"]
    task = label_task(point["C"], point["label_noise"], point["noisy_labels"])
    offsets = label_offsets(point, n + 1, number, address)
    scan = table_scan(task, number, (n + 1) * number, point["b"], setting.how.get("gate"))
    before = visited_in_turn(scan, offsets[:n]).in_weight
    losses = (visited_in_turn(scan, offsets[n:]).in_weight - before)[:number]
    return losses + law_of(offsets[n], point["label_noise"], point["noisy_labels"]) if excess else losses


def risk_after_visits(setting: Setting, number: int, address: Address) -> Array:
    """Excess risk of what the engine's tables predict after ``n`` visits: each is asked for every label."""
    point = {"b": 1.0, "label_noise": 0.0, "noisy_labels": 1, **setting.point}
    n, noise, noisy_labels = (point[name] for name in ("n", "label_noise", "noisy_labels"))
    task = label_task(point["C"], noise, noisy_labels)
    offsets = label_offsets(point, n, number, address)
    scan = table_scan(task, number, (n + 1) * number, point["b"], setting.how.get("gate"))
    before = visited_in_turn(scan, offsets).in_weight
    excess = np.zeros(number)
    for label, p in enumerate([1 - noise] + [noise / noisy_labels] * noisy_labels):
        if p == 0:
            continue
        asked = np.full((1, number), label, dtype=np.intp)
        losses = visited_in_turn(copy.deepcopy(scan), asked).in_weight - before
        excess += p * (np.log(p) + losses[:number])
    return excess


def excess_after_visits(setting: Setting, number: int, address: Address) -> Array:
    """Of every label where they are few, else at the label of one more visit."""
    few = setting.point.get("noisy_labels", 1) < 10
    return (risk_after_visits if few else asked_after_visits)(setting, number, address)


def asked_after_stream(setting: Setting, number: int, address: Address, excess: bool = True) -> Array:
    """Streams of ``N`` examples that visit the query by chance, and the loss when it is asked then."""
    point = {"b": 1.0, "label_noise": 0.0, "noisy_labels": 1, **setting.point}
    N, C = point["N"], point["C"]
    kind = "cyclic" if point["noisy_labels"] == 1 else "symmetric"
    task = TaskDistribution(
        num_high=1, num_low=C - 1, p_high=point["p_x"], context_length=1, relevant_examples=1,
        label_noise=point["label_noise"], label_noise_kind=kind,
    )  # fmt: skip
    steps = drawn(task, (N + 1) * number, address)
    scan = table_scan(task, number * C, (N + 1) * number, point["b"], setting.how.get("gate"))
    # Every stream has its own classes; the last step of each asks for its query.
    query = np.tile(np.arange(number) * C, N + 1) + steps.query
    query[N * number :] -= steps.query[N * number :]
    scan.advance(prompts_of(query[: N * number], steps.label_offset[: N * number]))
    before = scan.totals().in_weight
    last = steps.label_offset[N * number :]
    scan.advance(prompts_of(query[N * number :], last))
    losses = (scan.totals().in_weight - before)[: number * C : C]
    return losses + law_of(last, point["label_noise"], point["noisy_labels"]) if excess else losses


def best_after_stream(setting: Setting, number: int, address: Address) -> Array:
    """The same streams, asked of who infers the own label from the noisy labels of the visits and knows the noise."""
    point = setting.point
    N, C, noise = point["N"], point["C"], point["label_noise"]
    task = TaskDistribution(
        num_high=1, num_low=C - 1, p_high=point["p_x"], context_length=1, relevant_examples=1,
        label_noise=noise, label_noise_kind="symmetric",
    )  # fmt: skip
    steps = drawn(task, (N + 1) * number, address)
    counts = np.zeros((number, C))
    history = np.tile(np.arange(number), N)
    visited = steps.query[: N * number] == 0
    np.add.at(counts, (history[visited], steps.label_offset[: N * number][visited]), 1.0)
    log_posterior = counts * np.log((1 - noise) * (C - 1) / noise)
    posterior = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    asked = posterior[np.arange(number), steps.label_offset[N * number :]]
    return np.asarray(-np.log(asked * (1 - noise) + (1 - asked) * noise / (C - 1)))


def table_of_its_own_prior(setting: Setting, number: int, address: Address) -> Array:
    """Label laws drawn from the table's prior, labels from them; learned by the engine, asked after ``n`` visits."""
    n, C, b = (setting.point[name] for name in ("n", "C", "b"))
    generator = address.generator()
    laws = generator.dirichlet(np.full(C, b), size=number)
    cumulative = laws.cumsum(axis=1)
    uniforms = generator.random((n + 1, number, 1))
    offsets = np.minimum((uniforms > cumulative).sum(axis=2), C - 1)
    scan = table_scan(label_task(C, 0.1, C - 1), number, (n + 1) * number, b, setting.how.get("gate"))
    before = visited_in_turn(scan, offsets[:n]).in_weight
    return (visited_in_turn(scan, offsets[n:]).in_weight - before)[:number]


def law(n: int, C: int, label_noise: float, noisy_labels: int, **b: float) -> dict[str, Any]:
    return {"n": n, "C": C, "label_noise": label_noise, "noisy_labels": noisy_labels, **b}


def stream_of(N: int, p_x: float, C: int, b: float, label_noise: float, noisy_labels: int) -> dict[str, Any]:
    return {"N": N, "p_x": p_x, "C": C, "b": b, "label_noise": label_noise, "noisy_labels": noisy_labels}


TOTAL = partial(asked_after_visits, excess=False)
AFTER = "label statistics of the sampler; loss of `Scan`'s table at the visit after n visits"
BEYOND = "label statistics of the sampler; excess risk of `Scan`'s table after n visits"
STREAM = "streams of the sampler, `Scan`'s table asked after N steps"
FEW = law(3, 4, 0.3, 3, b=0.2)
STRONG = law(20, 3, 0.6, 1, b=0.5)
MANY = law(8, 60, 0.1, 59, b=1.0)

CHECKS = (
    Check(
        theorem="in_weight_risk",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=FEW, draws=200_000, sees=0.025),
            Setting(point=STRONG, draws=60_000, sees=0.025, how=RANKED),
            Setting(point=MANY, draws=60_000, sees=0.03, wrong=False),
        ),
    ),
    Check(
        theorem="in_weight_risk_total",
        simulated=AFTER,
        draw=TOTAL,
        settings=(
            Setting(point=FEW, draws=100_000, sees=0.03),
            Setting(point=STRONG, draws=40_000, sees=0.03, how=RANKED),
            Setting(point=MANY, draws=60_000, sees=0.03),
        ),
    ),
    Check(
        theorem="in_weight_risk_noiseless",
        simulated=AFTER,
        draw=TOTAL,
        settings=(
            Setting(point={"n": 0, "C": 7, "b": 0.5}, draws=50, wrong=False),
            Setting(point={"n": 5, "C": 6, "b": 0.5}, draws=50),
            Setting(point={"n": 40, "C": 1000, "b": 0.01}, draws=50, how=RANKED),
        ),
        random=False,
    ),
    Check(
        theorem="laplace_upper_seen",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=law(3, 4, 0.3, 3), draws=200_000, sees=0.02),
            Setting(point=law(8, 60, 0.1, 59), draws=60_000, sees=0.03, wrong=False),
        ),
    ),
    Check(
        theorem="laplace_upper_log",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=law(3, 40, 0.02, 1), draws=60_000, sees=0.002),
            Setting(point=law(30, 3, 0.5, 1), draws=60_000, sees=0.02, wrong=False),
        ),
    ),
    Check(
        theorem="laplace_upper_linear",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=law(50, 3, 0.01, 1), draws=60_000, sees=0.02),
            Setting(point=law(3, 4, 0.3, 3), draws=100_000, sees=0.03, wrong=False),
        ),
    ),
    Check(
        theorem="pseudo_count_upper",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=FEW, draws=200_000, sees=0.025),
            Setting(point=law(6, 5, 0.5, 1, b=0.05), draws=200_000, sees=0.04, how=RANKED),
        ),
    ),
    Check(
        theorem="in_weight_lower",
        simulated=BEYOND,
        draw=excess_after_visits,
        settings=(
            Setting(point=FEW, draws=200_000, sees=0.025),
            Setting(point=law(6, 5, 0.5, 1, b=0.05), draws=200_000, sees=0.04, how=RANKED),
        ),
    ),
    Check(
        theorem="risk_after_examples",
        simulated=STREAM,
        draw=partial(asked_after_stream, excess=False),
        settings=(
            Setting(point=stream_of(12, 0.2, 4, 0.3, 0.2, 3), draws=60_000, sees=0.03),
            Setting(point=stream_of(40, 0.5, 2, 1.0, 0.4, 1), draws=20_000, sees=0.03, wrong=False),
            Setting(point=stream_of(30, 0.05, 20, 0.1, 0.0, 1), draws=20_000, sees=0.04, how=RANKED),
        ),
    ),
    Check(
        theorem="excess_after_examples",
        simulated=f"{STREAM}, less the loss of the true law",
        draw=asked_after_stream,
        settings=(
            Setting(point=stream_of(12, 0.2, 4, 0.3, 0.2, 3), draws=200_000, sees=0.05),
            Setting(point=stream_of(30, 0.05, 20, 0.1, 0.0, 1), draws=20_000, sees=0.04),
        ),
    ),
    Check(
        theorem="unvisited_floor",
        simulated=STREAM,
        draw=partial(asked_after_stream, excess=False),
        settings=(
            Setting(point=stream_of(5, 0.1, 6, 0.05, 0.05, 5), draws=60_000, sees=0.03),
            Setting(point=stream_of(2, 0.01, 30, 0.5, 0.1, 29), draws=20_000, sees=0.02),
        ),
        left=False,
    ),
    Check(
        theorem="unvisited_floor",
        simulated="streams of the sampler, asked of the posterior of the own label",
        draw=best_after_stream,
        settings=(
            Setting(point={"N": 5, "p_x": 0.1, "C": 6, "label_noise": 0.05}, draws=100_000, sees=0.02),
            Setting(point={"N": 8, "p_x": 0.4, "C": 3, "label_noise": 0.3}, draws=60_000, sees=0.03, wrong=False),
        ),
    ),
    Check(
        theorem="dirichlet_bayes_risk",
        simulated="label laws drawn from the prior; loss of `Scan`'s table at the visit after n visits",
        draw=table_of_its_own_prior,
        settings=(
            Setting(point={"n": 6, "C": 5, "b": 0.7}, draws=60_000, sees=0.03),
            Setting(point={"n": 1, "C": 30, "b": 0.1}, draws=60_000, sees=0.03),
            Setting(point={"n": 10, "C": 2, "b": 3.0}, draws=60_000, sees=0.02, how=RANKED),
        ),
    ),
)
