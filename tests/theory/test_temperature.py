"""The inverse temperature: losses and slopes of a prompt, the mean slope, the flow in closed form and integrated."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest

from theory.classes import class_kinds
from theory.in_context import floored_loss, in_context_loss, label_mass, prompt_laws
from theory.learned.temperature import (
    MeanSlope,
    integrated_path,
    inverse_temperature,
    log_probability_slope,
    prompt_loss,
    temperature_path,
)
from theory.setting import Attention, LearnedAttention, TaskDistribution

PROMPTS = [(1, 0, 1, 3), (0, 2, 1, 3), (2, 1, 3, 5), (0, 0, 2, 2), (4, 0, 4, 0), (0, 2, 0, 6), (0, 0, 0, 3)]
BETAS = [-900.0, -40.0, -2.0, 0.0, 0.7, 5.0, 40.0, 600.0]
FLOOR = (6, 1e-3)
TASK = TaskDistribution(num_high=2, num_low=6, p_high=0.6, context_length=5, relevant_examples=2)
TASKS = {
    "noiseless": TASK,
    "noisy": replace(TASK, label_noise=0.15),
    "natural": replace(TASK, relevant_examples=None, label_noise=0.1, p_relevant=0.8),
    "symmetric": replace(TASK, label_noise=0.2, label_noise_kind="symmetric", context_label_noise=0.3),
    "shared labels": replace(TASK, num_labels=3, label_noise=0.1),
    "only relevant examples": replace(TASK, relevant_examples=5, label_noise=0.1),
    "only irrelevant contexts": replace(TASK, p_relevant=0.0, label_noise=0.1),
}


def exact_loss(prompt: tuple[int, int, int, int], beta: float) -> mpmath.mpf:
    a, b, m, k = prompt
    with mpmath.workdps(900):
        odds, epsilon = mpmath.exp(mpmath.mpf(beta)), mpmath.mpf(FLOOR[1])
        return -mpmath.log((1 - FLOOR[0] * epsilon) * (odds * a + b) / (odds * m + k) + epsilon)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("beta", BETAS)
def test_loss_and_slope_of_a_prompt(prompt: tuple[int, int, int, int], beta: float) -> None:
    exact = exact_loss(prompt, beta)
    assert float(prompt_loss(*prompt, beta, FLOOR)) == pytest.approx(float(exact), rel=1e-12)
    with mpmath.workdps(900):
        step = mpmath.mpf(10) ** -30
        slope = -(exact_loss(prompt, mpmath.mpf(beta) + step) - exact_loss(prompt, mpmath.mpf(beta) - step)) / (
            2 * step
        )
    assert float(log_probability_slope(*prompt, beta, FLOOR)) == pytest.approx(float(slope), rel=1e-12, abs=1e-200)


def test_a_slope_without_the_floor_would_be_seen() -> None:
    with_floor = log_probability_slope(0, 2, 1, 3, 2.0, FLOOR)
    without = log_probability_slope(0, 2, 1, 3, 2.0, (6, 0.0))
    assert abs(float(with_floor / without) - 1) > 1e-3


def test_loss_is_that_of_attention_with_fixed_odds() -> None:
    a, b, m, k = np.array(PROMPTS).T
    for odds in (1.0, 20.0, 1e8):
        expected = floored_loss(label_mass(a, b, m, k, odds), *FLOOR)
        assert np.allclose(prompt_loss(a, b, m, k, math.log(odds), FLOOR), expected, rtol=1e-9, atol=1e-14)


def test_a_small_loss_keeps_its_digits() -> None:
    loss = float(prompt_loss(1, 0, 1, 3, 80.0, (4, 0.0)))
    assert loss == pytest.approx(3 * math.exp(-80.0), rel=1e-12)


def mean_risk(task: TaskDistribution, beta: float) -> float:
    """Mean in-context risk over the stream, from the laws for fixed odds."""
    attention = Attention(odds=math.exp(beta), floor=1e-3)
    return math.fsum(
        kind.size * kind.probability * in_context_loss(task, attention, kind).risk for kind in class_kinds(task)[0]
    )


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("beta", [0.1, 2.0, 6.0])
def test_mean_slope_is_minus_the_derivative_of_the_mean_risk(name: str, beta: float) -> None:
    task, step = TASKS[name], 1e-4
    derivative = (mean_risk(task, beta + step) - mean_risk(task, beta - step)) / (2 * step)
    assert MeanSlope.of(task, 1e-3)(beta) == pytest.approx(-derivative, abs=2e-8)


@pytest.mark.parametrize("name", ["noisy", "natural", "symmetric", "shared labels"])
def test_the_flow_ends_where_the_mean_risk_is_least(name: str) -> None:
    limit = temperature_path(TASKS[name], LearnedAttention(learning_rate=0.1, floor=1e-3)).limit
    least = mean_risk(TASKS[name], limit)
    assert all(mean_risk(TASKS[name], limit + shift) > least for shift in (-0.01, 0.01))


@pytest.mark.parametrize("rate", [1e-3, 0.1, 30.0])
@pytest.mark.parametrize("odds", [1.0, 50.0])
@pytest.mark.parametrize("relevant", [1, 4])
def test_closed_form_equals_numerical_integration(rate: float, odds: float, relevant: int) -> None:
    task = replace(TASK, relevant_examples=relevant)
    attention = LearnedAttention(learning_rate=rate, initial_odds=odds, floor=0.0)
    steps = np.concatenate([[0.0], np.geomspace(1, 1e18, 60)])
    closed, integrated = temperature_path(task, attention), integrated_path(task, attention)
    assert np.abs(closed.at(steps) - integrated.at(steps)).max() < 1e-7
    assert closed.limit == integrated.limit == math.inf
    # Twice the rate, or the small root of a flow without its constant, are told apart.
    wrong = inverse_temperature(
        np.array(float(relevant)), np.array(5.0 - relevant), np.array(2 * rate), np.array(math.log(odds)), steps
    )
    assert np.abs(wrong - integrated.at(steps)).max() > 1e-3


@pytest.mark.parametrize("name", TASKS)
def test_the_flow_is_the_limit_of_small_steps_along_the_mean_slope(name: str) -> None:
    """Euler's method with the learning rate as its step: the distance falls in proportion to the rate."""
    slope, distances = MeanSlope.of(TASKS[name], 1e-4), []
    for rate in (0.2, 0.05):
        beta, path = 0.0, [0.0]
        for _ in range(round(40 / rate)):
            beta += rate * slope(beta)
            path.append(beta)
        flow = temperature_path(TASKS[name], LearnedAttention(learning_rate=rate))
        distances.append(float(np.abs(flow.at(np.arange(len(path), dtype=float)) - path).max()))
    assert distances[0] < 0.2
    assert distances[1] <= 0.3 * distances[0]


@pytest.mark.parametrize("name", ["only relevant examples", "only irrelevant contexts"])
def test_where_the_temperature_moves_no_prompt_it_stays(name: str) -> None:
    path = temperature_path(TASKS[name], LearnedAttention(learning_rate=0.3, initial_odds=7.0))
    assert path.limit == path.start == math.log(7.0)
    assert path.at(np.array([0.0, 5.0, 1e9])).tolist() == [math.log(7.0)] * 3


def test_irrelevant_contexts_only_slow_the_flow_down() -> None:
    always = temperature_path(TASK, LearnedAttention(learning_rate=0.1))
    half = temperature_path(replace(TASK, p_relevant=0.5), LearnedAttention(learning_rate=0.1))
    steps = np.geomspace(1, 1e6, 20)
    assert np.allclose(half.at(2 * steps), always.at(steps), atol=1e-7)
    assert not np.allclose(half.at(steps), always.at(steps), atol=1e-3)


def test_misleading_contexts_turn_the_temperature_negative() -> None:
    """Where relevant examples never carry the label and irrelevant ones do, attention learns to look away."""
    task = TaskDistribution(
        num_high=1, num_low=1, p_high=0.5, context_length=4, relevant_examples=2, context_label_noise=1.0
    )
    path = temperature_path(task, LearnedAttention(learning_rate=0.1))
    assert path.limit == -math.inf
    assert float(path.at(np.array([1e4]))[0]) < -3
    assert set(prompt_laws(task, class_kinds(task)[0][0]).own.relevant.tolist()) == {0}


def test_shared_labels_have_no_closed_form() -> None:
    """An irrelevant example may carry the label too: the closed form would be too fast."""
    task, attention = replace(TASK, num_labels=4), LearnedAttention(learning_rate=0.1, floor=0.0)
    steps = np.geomspace(1, 1e4, 20)
    found = temperature_path(task, attention).at(steps)
    assert np.abs(found - integrated_path(task, attention).at(steps)).max() < 1e-9
    assert np.abs(found - temperature_path(TASK, attention).at(steps)).max() > 0.05
