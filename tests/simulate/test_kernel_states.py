"""Attention on inputs: its limits, scaling, extreme distances."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.implementations import in_context_state
from simulate.in_context.kernel_weights import log_mass_and_slope
from tests.simulate.in_context_parts import INPUTS, TASK
from tests.simulate.predictor_blocks import InputTask, drawn_block, lanes_of, off
from theory.setting import Attention, KernelAttention


def test_a_kernel_on_indicators_is_attention() -> None:
    """Without inputs the odds are exp(2/T); inputs that are one-hot learn the same temperature."""
    block = drawn_block(TASK, 80, 2)
    kernel, hot = KernelAttention(temperature=0.7), np.eye(6)
    attention = Attention(odds=math.exp(2 / 0.7))
    states = [in_context_state(part, lanes_of(TASK, part, "in_context", 2)) for part in (kernel, attention)]
    assert off(states[0].advance(block), states[1].advance(block)) < 1e-13
    learning = KernelAttention(temperature=0.7, learning_rate=0.05)
    table = in_context_state(learning, lanes_of(TASK, learning, "in_context", 2))
    dense = in_context_state(learning, lanes_of(InputTask(TASK, dimension=6), learning, "in_context", 2))
    given = replace(block, query_inputs=hot[block.query], context_inputs=hot[block.context_classes])
    logs = table.advance(block)
    assert off(dense.advance(given), logs) < 1e-12
    assert np.abs(2 * dense.inverse_temperature - table.inverse_temperature).max() < 1e-12
    assert off(logs, states[0].advance(block)) > 0.01


def test_the_kernel_between_its_limits() -> None:
    """A cold kernel copies the nearest example, a hot one counts all alike."""
    block = drawn_block(INPUTS, 100, 1, dimension=3)
    assert block.context_inputs is not None
    assert block.query_inputs is not None
    assert block.context_labels is not None
    nearest = ((block.context_inputs - block.query_inputs[:, :, None]) ** 2).sum(axis=-1).argmin(axis=-1)
    copied = np.take_along_axis(block.context_labels, nearest[..., None], axis=-1)[..., 0]
    for temperature, share in ((1e-6, 1.0), (1e6, None)):
        part = KernelAttention(temperature=temperature, floor=1e-3)
        state = in_context_state(part, lanes_of(INPUTS, part, "in_context"))
        alike = (block.context_labels == block.label[..., None]).mean(axis=-1)
        mass = (copied == block.label) * share if share else alike
        assert np.abs(np.exp(state.advance(block)) - (1 - 6e-3) * mass - 1e-3).max() < 1e-4
        assert (state.label_law(block).argmax(axis=-1) == copied).all() or share is None


def test_scaling_inputs_and_temperature_changes_nothing() -> None:
    """Inputs times c, T times c squared, the rate over its square; the temperature times c is told apart."""
    block, c = drawn_block(INPUTS, 60, 2, dimension=3), 7.0
    assert block.context_inputs is not None
    assert block.query_inputs is not None
    scaled = replace(block, query_inputs=c * block.query_inputs, context_inputs=c * block.context_inputs)

    def logs(block: Any, temperature: float, rate: float) -> Any:
        part = KernelAttention(temperature=temperature, learning_rate=rate)
        return in_context_state(part, lanes_of(INPUTS, part, "in_context", 2)).advance(block)

    for rate in (0.0, 0.05):
        assert off(logs(scaled, 1.5 * c**2, rate / c**4), logs(block, 1.5, rate)) < 1e-11
        assert off(logs(scaled, 1.5 * c, rate / c**4), logs(block, 1.5, rate)) > 0.1


@pytest.mark.parametrize("distance", [0.0, 1e-6, 1e6])
@pytest.mark.parametrize("temperature", [1e-6, 1e6])
@pytest.mark.parametrize("rate", [0.0, 1000.0])
def test_wild_kernels_give_numbers(distance: float, temperature: float, rate: float) -> None:
    """Also with one example, one dimension, two labels."""
    for task, dimension in ((TASK, 3), (replace(TASK, num_labels=2, context_length=1), 1)):
        with_inputs = InputTask(task, dimension=dimension)
        part = KernelAttention(temperature=temperature, learning_rate=rate)
        state = in_context_state(part, lanes_of(with_inputs, part, "in_context", 3))
        block = drawn_block(with_inputs, 100, 3, dimension=dimension)
        assert block.context_inputs is not None
        assert block.query_inputs is not None
        block = replace(
            block, query_inputs=distance * block.query_inputs, context_inputs=distance * block.context_inputs
        )
        logs, law = state.advance(block), state.label_law(block)
        assert np.isfinite(logs).all()
        assert (logs >= math.log(1e-4) - 1e-9).all()
        assert np.isfinite(state.inverse_temperature).all()
        assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12


def test_a_carrier_that_is_far_away_has_a_finite_log_mass() -> None:
    """Where its weight underflows: minus the inverse temperature times the distance."""
    barrier = np.array([[-1e300, 0.0]])
    log_mass, slope = log_mass_and_slope(np.array([[0.0, 4.0]]), barrier, np.array([1e6]))
    assert log_mass.tolist() == [-4e6]
    assert slope.tolist() == [-4.0]
