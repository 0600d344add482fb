"""Checks on streams of real tasks, learned by the simulator's twin step by step."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from simulate.prompts import Prompts, draw_prompts
from simulate.reference import ReferenceStep, reference_run
from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_streams import label_task
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, HedgeGate, TaskDistribution

Array = NDArray[np.float64]


def twin_steps(setting: Setting, number: int, address: Address) -> list[ReferenceStep]:
    how = setting.how
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=how["b"]),
        in_context=Attention(odds=how["odds"], floor=how["floor"]),
        gate=how["gate"],
    )
    return reference_run(how["task"], model, draw_prompts(how["task"], number, address.generator()))


def column(steps: list[ReferenceStep], name: str) -> Array:
    return np.array([getattr(step, name) for step in steps])


def twin_mixtures(setting: Setting, number: int, address: Address) -> Trajectories:
    """Loss of the gated prediction at every step."""
    steps = twin_steps(setting, number, address)
    own = {
        "alpha": column(steps, "gate_before"),
        "g": np.exp(-column(steps, "in_weight")),
        "h": np.exp(-column(steps, "in_context")),
    }
    return Trajectories(column(steps, "gated"), own)


def twin_sums(setting: Setting, number: int, address: Address) -> Trajectories:
    """Sum of the gated losses of every query, with those of the two predictors."""
    steps = twin_steps(setting, number, address)
    queries = np.array([step.query for step in steps])
    sums = [np.bincount(queries, weights=column(steps, name)) for name in ("gated", "in_weight", "in_context")]
    return Trajectories(np.asarray(sums[0], dtype=np.float64), {"loss_g": sums[1], "loss_h": sums[2]})


def twin_slopes(setting: Setting, number: int, address: Address) -> Trajectories:
    """One plus the slope of the gated loss in the weight, at every step of a stream and of one with a surprise."""
    steps = twin_steps(setting, number, address)
    visits: Counter[int] = Counter()
    before = []
    for step in steps:
        before.append(visits[step.query])
        visits[step.query] += 1
    return Trajectories(_slopes(steps), {"n": np.array(before)})


def slopes_after_surprise(setting: Setting, number: int, address: Address) -> Trajectories:
    """So many visits of the own label, in contexts that say otherwise; then the context is right and the label new."""
    del address
    C, how = setting.point["C"], setting.how
    label = np.append(np.zeros(number, dtype=np.intp), 1)
    context = np.ones((number + 1, 4), dtype=np.intp)
    prompts = Prompts(np.zeros_like(context), context, np.zeros_like(label), label)
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=setting.point["b"]),
        in_context=Attention(odds=1.0, floor=setting.point["floor"]),
        gate=how["gate"],
    )
    steps = reference_run(label_task(C, 0.5, C - 1, context_length=4, relevant_examples=4), model, prompts)
    return Trajectories(_slopes(steps), {"n": np.arange(number + 1)})


def _slopes(steps: list[ReferenceStep]) -> Array:
    g, h, f = (np.exp(-column(steps, name)) for name in ("in_weight", "in_context", "gated"))
    return np.asarray(1 + np.abs(g - h) / f)


TASK = TaskDistribution(
    num_high=4, num_low=16, p_high=0.7, context_length=4, p_relevant=0.8, label_noise=0.1, label_noise_kind="symmetric"
)
STRONG = TaskDistribution(num_high=1, num_low=3, p_high=0.4, context_length=2, label_noise=0.6)
REAL = {"task": TASK, "b": 0.5, "odds": 10.0, "floor": 1e-3, "gate": BayesGate(prior_in_weight=0.3)}
NOISY = {"task": STRONG, "b": 0.05, "odds": 3.0, "floor": 0.05, "gate": HedgeGate(rate=2.0)}
TWIN = "the twin on explicit prompts"


CHECKS = (
    Check(
        theorem="convexity",
        simulated=f"{TWIN}: every step",
        draw=twin_mixtures,
        settings=(Setting(point={}, draws=2000, how=REAL), Setting(point={}, draws=500, how=NOISY)),
        kind="every",
    ),
    Check(
        theorem="bayes_regret",
        simulated=f"{TWIN}: sums of every query",
        draw=twin_sums,
        settings=(
            Setting(point={"prior": 0.3}, draws=3000, how=REAL),
            Setting(point={"prior": 0.01}, draws=500, how={**NOISY, "gate": BayesGate(prior_in_weight=0.01)}),
        ),
        kind="every",
    ),
    Check(
        theorem="gradient_bound",
        simulated=f"{TWIN}: every step",
        draw=twin_slopes,
        settings=(
            Setting(point={"C": 20, "b": 0.5, "floor": 1e-3}, draws=2000, sees=0.5, wrong=False, how=REAL),
            Setting(point={"C": 4, "b": 0.05, "floor": 0.05}, draws=5000, sees=0.5, how=NOISY),
        ),
        kind="every",
        left=False,
    ),
    Check(
        theorem="gradient_bound",
        simulated="the twin on explicit prompts, a surprise after many visits",
        draw=slopes_after_surprise,
        settings=(Setting(point={"C": 10, "b": 0.5, "floor": 0.05}, draws=300, sees=0.05, how={"gate": BayesGate()}),),
        kind="every",
        left=False,
        random=False,
    ),
)
