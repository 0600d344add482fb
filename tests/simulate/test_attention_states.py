"""Attention in the step engine: by hand, against the scan engine, along the gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.implementations import in_context_state
from simulate.learned_attention import LearningAttention
from simulate.prompts import draw_prompts, statistics_of
from tests.simulate.in_context_parts import INPUTS, SYMMETRIC, TASK
from tests.simulate.predictor_blocks import advance_in_parts, drawn_block, explicit_block, lanes_of, off
from theory.setting import Attention, KernelAttention, LearnedAttention, TaskDistribution


def test_attention_by_hand() -> None:
    """Odds 3; the relevant example carries the label and one of two others: (3 + 1)/(3 + 2)."""
    task = TaskDistribution(num_high=1, num_low=2, p_high=0.5, context_length=3)
    state = in_context_state(Attention(), lanes_of(task, Attention(odds=3.0, floor=0.1), "in_context"))
    block = explicit_block([[0]], [[1]], [[[0, 1, 2]]], [[[1, 1, 2]]])
    assert float(np.exp(state.advance(block))[0, 0]) == pytest.approx(0.7 * 0.8 + 0.1, rel=1e-14)
    assert state.label_law(block).ravel().tolist() == pytest.approx([0.1, 0.66, 0.24], rel=1e-14)


@pytest.mark.parametrize("rate", [0.02, 1.0, 300.0])
@pytest.mark.parametrize("task", [TASK, SYMMETRIC, replace(TASK, p_relevant=0.0)])
def test_learned_attention_is_that_of_the_scan_engine(task: TaskDistribution, rate: float) -> None:
    part = LearnedAttention(learning_rate=rate, initial_odds=1.5)
    prompts = draw_prompts(task, 1500, np.random.default_rng(3))
    expected = LearningAttention(part, task)(statistics_of(task, prompts))
    block = explicit_block(
        *(array[:, None] for array in (prompts.query, prompts.label, prompts.context_classes, prompts.context_labels))
    )
    state = in_context_state(part, lanes_of(task, part, "in_context"))
    # At such a rate every step amplifies rounding.
    assert off(-advance_in_parts(state, block, [100, 101])[:, 0], expected) < (1e-12 if rate < 100 else 1e-10)


LEARNERS: dict[str, tuple[Any, Any, int]] = {
    "attention": (TASK, LearnedAttention(learning_rate=0.3, initial_odds=2.0, floor=0.1), 0),
    "kernel": (INPUTS, KernelAttention(temperature=2.0, learning_rate=0.3, floor=0.1), 3),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_the_temperature_moves_along_the_gradient(name: str) -> None:
    """Central differences of the log probability; a step without the floor's factor, or backwards, is rejected."""
    task, part, dimension = LEARNERS[name]
    block = drawn_block(task, 1, 200, dimension=dimension)
    state = in_context_state(part, lanes_of(task, part, "in_context", 200))
    start, sides = state.inverse_temperature.copy(), []
    for change in (1e-5, -1e-5):
        state.inverse_temperature = start + change
        law = state.label_law(block)
        sides.append(np.log(np.take_along_axis(law, block.label[..., None], axis=-1)[0, :, 0]))
    state.inverse_temperature = start.copy()
    state.advance(block)
    gained, slope = state.inverse_temperature - start, (sides[0] - sides[1]) / 2e-5
    assert np.abs(gained - 0.3 * slope).max() < 1e-8
    assert np.abs(gained - 0.3 * slope / (1 - 6 * 0.1)).max() > 1e-2
    assert np.abs(gained + 0.3 * slope).max() > 1e-2
