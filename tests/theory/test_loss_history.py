"""Averages over time of the in-context loss: against sums over every single step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from theory.classes import class_kinds
from theory.in_context import PromptLaw, in_context_loss, prompt_laws
from theory.learned.loss_history import LossHistory, few_values
from theory.learned.temperature import TemperaturePath, prompt_loss, temperature_path
from theory.setting import Attention, LearnedAttention, TaskDistribution

Array = NDArray[np.float64]

FLOOR = 1e-3
TASK = TaskDistribution(
    num_high=2, num_low=6, p_high=0.6, context_length=5, relevant_examples=None, label_noise=0.2, p_relevant=0.8
)
PATH = temperature_path(TASK, LearnedAttention(learning_rate=0.1, floor=FLOOR))
PROMPTS = prompt_laws(TASK, class_kinds(TASK)[0][0])
LAWS = (PROMPTS.own, PROMPTS.noisy)
FREQUENCIES = np.linspace(0.0, 7.6, 41)


def history(task: TaskDistribution = TASK, path: TemperaturePath = PATH) -> LossHistory:
    return LossHistory(task, PROMPTS, path, FLOOR, 7.6)


def losses_at_every_step(law: PromptLaw, steps: int) -> Array:
    """Losses of the prompts, shape (steps, prompts)."""
    k = TASK.context_length - law.num_relevant
    beta = PATH.at(np.arange(steps, dtype=np.float64))[:, None]
    return prompt_loss(law.relevant, law.irrelevant, law.num_relevant, k, beta, (TASK.total_classes, FLOOR))


@pytest.mark.parametrize("steps", [1, 2, 31, 33, 100, 2500])
def test_averages_equal_sums_over_every_step(steps: int) -> None:
    """To rounding where steps are summed one by one; an integral in place of a sum adds 1e-6 at a rate of 0.1."""
    exact = steps <= 32
    average = history().average(steps)
    waves = average.waves(FREQUENCIES)
    characteristic = []
    for law, found, wave in zip(LAWS, (average.loss.own, average.loss.noisy), (waves.own, waves.noisy), strict=True):
        losses = losses_at_every_step(law, steps)
        mean = float((losses @ law.probabilities).mean())
        assert found.mean == pytest.approx(mean, rel=1e-12 if exact else 2e-6)
        assert found.variance == pytest.approx(
            float((losses**2 @ law.probabilities).mean()) - mean**2, rel=1e-10 if exact else 1e-5
        )
        assert found.values.min() == pytest.approx(losses.min(), abs=1e-9)
        assert found.values.max() == pytest.approx(losses.max(), abs=1e-9)
        each = np.exp(1j * losses[:, :, None] * FREQUENCIES) * law.probabilities[None, :, None]
        characteristic.append(each.sum(axis=1))
        assert np.abs(wave - characteristic[-1].mean(axis=0)).max() < (1e-10 if exact else 1e-5)
    own, noisy = (phi / phi.mean(axis=0) - 1 for phi in characteristic)
    large = (np.abs(waves.own) > 0.4) & (np.abs(waves.noisy) > 0.4)
    assert large.sum() >= 3
    for spread, product in (
        (waves.own_spread, own * own),
        (waves.noisy_spread, noisy * noisy),
        (waves.cross_spread, own * noisy),
    ):
        assert np.abs(spread - product.mean(axis=0))[large].max() < (1e-9 if exact else 1e-5)
    # The average is not the loss at the end.
    if steps > 30:
        late = float(losses_at_every_step(LAWS[0], steps)[-1] @ LAWS[0].probabilities)
        assert abs(average.loss.own.mean / late - 1) > 1e-3


@pytest.mark.parametrize("steps", [1, 40, 12345])
def test_total_risk_and_risk_at_a_temperature(steps: int) -> None:
    whole = sum(
        share * float((losses_at_every_step(law, steps) @ law.probabilities).sum())
        for law, share in zip(LAWS, (0.8, 0.2), strict=True)
    )
    assert history().total_risk(steps) == pytest.approx(whole, rel=1e-12 if steps <= 32 else 1e-6)
    kind = class_kinds(TASK)[0][0]
    fixed = in_context_loss(TASK, Attention(odds=30.0, floor=FLOOR), kind).risk
    assert history().risk_at(math.log(30.0)) == pytest.approx(fixed, rel=1e-12)


def test_far_in_the_future_the_average_is_that_of_the_limit() -> None:
    found = history()
    assert found.total_risk(10**17) / 10**17 == pytest.approx(found.risk_at(PATH.limit), rel=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_law_that_no_query_follows_does_not_matter(noise: float) -> None:
    task = replace(TASK, label_noise=noise)
    found = history(task).average(50)
    assert found.loss.own.mean == found.loss.noisy.mean
    law = LAWS[round(noise)]
    assert found.loss.own.mean == pytest.approx(float((losses_at_every_step(law, 50) @ law.probabilities).mean()))


def test_few_values_keep_mean_variance_and_nearly_the_characteristic_function() -> None:
    generator = np.random.default_rng(0)
    loss, weight = generator.exponential(2.0, 5000), generator.dirichlet(np.ones(5000))
    few, chance = few_values(loss, weight)
    assert few.size <= 256
    for power in (0, 1, 2):
        assert chance @ few**power == pytest.approx(weight @ loss**power, rel=1e-12)
    for frequency in (0.3, 1.0, 3.0):
        assert abs(chance @ np.exp(1j * frequency * few) - weight @ np.exp(1j * frequency * loss)) < 2e-5
    assert all(
        np.array_equal(a, b) for a, b in zip(few_values(loss[:9], weight[:9]), (loss[:9], weight[:9]), strict=True)
    )
