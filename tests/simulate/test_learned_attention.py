"""Attention that learns its temperature: the engine's loop against the twin, the gradient, and the path on the flow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulate.checkpoints import checkpoints
from simulate.learned_attention import LearningAttention
from simulate.prompts import PromptStatistics, draw_prompts, statistics_of
from simulate.reference import attention, reference_run
from simulate.scan import Scan
from simulate.statistics import statistics_sampler
from tests.simulate.test_scan import blocks
from theory.learned.temperature import temperature_path
from theory.setting import Attention, BayesGate, GatedPredictor, HedgeGate, LearnedAttention, TaskDistribution

CYCLIC = TaskDistribution(num_high=3, num_low=7, p_high=0.8, context_length=5, p_relevant=0.7, label_noise=0.2)
TASKS = {
    "cyclic": CYCLIC,
    "noiseless": replace(CYCLIC, label_noise=0.0, relevant_examples=2),
    "symmetric": replace(CYCLIC, label_noise_kind="symmetric", context_label_noise=0.6, relevant_examples=3),
    "shared labels": replace(CYCLIC, num_labels=4),
    "only irrelevant": replace(CYCLIC, p_relevant=0.0),
}
GATES = {
    "query": BayesGate(),
    "relevance": BayesGate(prior_in_weight=0.3, per="query-and-relevance"),
    "hedge": HedgeGate(rate=0.6),
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rate", [0.02, 1.0, 300.0])
def test_scan_equals_the_reference_twin(name: str, gate: str, rate: float) -> None:
    task, steps = TASKS[name], 1500
    model = GatedPredictor(in_context=LearnedAttention(learning_rate=rate, initial_odds=1.5), gate=GATES[gate])
    prompts = draw_prompts(task, steps, np.random.default_rng(3))
    twin = reference_run(task, model, prompts)
    drawn = statistics_of(task, prompts)
    expected = np.array([step.in_context for step in twin])
    scans = []
    for size in (steps, 61):
        state = LearningAttention(model.in_context, task)
        losses = np.concatenate([state(part) for part in blocks(drawn, size)])
        assert np.abs(losses - expected).max() < 1e-12 * max(1.0, expected.max())
        scans.append(Scan(task, model, checkpoints(steps)))
        for part in blocks(drawn, size):
            scans[-1].advance(part)
    last = {}
    for step in twin:
        cell = 2 * step.query + step.relevant if model.gate.per == "query-and-relevance" else step.query
        last[cell] = step.gate_after
    for scan in scans:
        assert np.abs(scan.gates[list(last)] - list(last.values())).max() < 1e-10
    if rate == 1.0 and name != "only irrelevant":
        # A temperature that stays is told apart.
        fixed = replace(model, in_context=Attention(odds=1.5))
        assert (
            np.abs(np.array([step.in_context for step in reference_run(task, fixed, prompts)]) - expected).max() > 0.1
        )


@pytest.mark.parametrize("beta", [-2.0, 0.0, 1.3, 6.0])
def test_the_twin_moves_along_the_gradient(beta: float) -> None:
    """Central differences of its own softmax attention."""
    generator, step = np.random.default_rng(0), 1e-5
    for _ in range(50):
        matches = (generator.random(7) < 0.4).tolist()
        carries = (generator.random(7) < 0.4).tolist()
        slope = attention(matches, carries, beta)[1]
        above, below = (attention(matches, carries, beta + sign * step)[0] for sign in (1, -1))
        assert slope == pytest.approx((above - below) / (2 * step), abs=1e-9)


def test_the_loss_falls_along_the_step() -> None:
    """The same prompt twice: the second loss is lower by the rate times the squared slope, to first order."""
    one, none = np.ones(2, dtype=np.intp), np.zeros(2, dtype=np.intp)
    task = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=4, relevant_examples=1)
    drawn = PromptStatistics(none, none, one, one, none)
    rate, floor = 1e-6, 1e-3
    first, second = LearningAttention(LearnedAttention(learning_rate=rate, floor=floor), task)(drawn).tolist()
    h = (1 - 4 * floor) / 4 + floor
    slope = (1 - 4 * floor) * (3 / 16) / h
    assert (first - second) / rate == pytest.approx(slope**2, rel=1e-4)


def test_a_wild_rate_gives_finite_losses() -> None:
    for name, task in TASKS.items():
        state = LearningAttention(LearnedAttention(learning_rate=1000.0, initial_odds=1e100), task)
        sampler = statistics_sampler(task)
        losses = state(sampler.draw(3000, sampler.streams(1, 0)))
        assert np.isfinite(losses).all(), name
        assert losses.max() <= -math.log(1e-4) + 1e-9
        assert math.isfinite(state.inverse_temperature)


def distance_to_the_flow(task: TaskDistribution, rate: float, replicates: int) -> tuple[float, float]:
    """Root mean square distance of a run's inverse temperature from the flow, and the distance of their mean."""
    part, sampler = LearnedAttention(learning_rate=rate), statistics_sampler(task)
    steps = round(12 / rate)
    ends = np.array([steps // 8, steps // 3, steps])
    found = np.empty((replicates, ends.size))
    for replicate in range(replicates):
        state, streams = LearningAttention(part, task), sampler.streams(4, replicate)
        for place, size in enumerate(np.diff(ends, prepend=0).tolist()):
            state(sampler.draw(size, streams))
            found[replicate, place] = state.inverse_temperature
    gap = found - temperature_path(task, part).at(ends.astype(float))
    return float(np.sqrt((gap**2).mean())), float(np.abs(gap.mean(axis=0)).max())


@pytest.mark.parametrize("name", ["cyclic", "symmetric"])
def test_the_path_approaches_the_flow_as_the_rate_falls(name: str) -> None:
    """The scatter falls like the root of the rate: by 2 for a quarter of it; 200 values tell 2 from 1.5 and 2.7."""
    wide, _ = distance_to_the_flow(TASKS[name], 0.08, 200)
    narrow, bias = distance_to_the_flow(TASKS[name], 0.02, 200)
    assert 1.5 < wide / narrow < 2.7
    assert narrow < 0.2
    assert bias < 0.05
