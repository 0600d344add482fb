"""Attention with a fixed temperature: what is looked up equals what is computed."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.implementations import in_context_state
from simulate.in_context import odds_attention
from tests.simulate.predictor_blocks import drawn_block, lanes_of
from theory.setting import Attention, TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=5, p_relevant=0.6, label_noise=0.2)
PARTS = [Attention(odds=odds, floor=floor) for odds, floor in ((1.0, 1e-4), (20.0, 0.1), (20.0, 1e-9), (1.0, 1e-4))]


def logs(parts: list[Attention], task: TaskDistribution = TASK) -> np.ndarray:
    lanes = lanes_of(task, parts, "in_context", replicates=2)
    return in_context_state(parts[0], lanes).advance(drawn_block(task, 200, lanes.count, seed=3))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_looked_up_is_computed(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=length, p_relevant=0.6, label_noise=0.2)
    looked_up = logs(PARTS, task)
    monkeypatch.setattr(odds_attention, "_LARGEST_TABLE", 0)
    assert np.array_equal(looked_up, logs(PARTS, task))


def test_every_lane_has_the_table_of_its_setting() -> None:
    together = logs(PARTS)
    for number, part in enumerate(PARTS):
        alone = logs([part] * len(PARTS))
        own = slice(2 * number, 2 * number + 2)
        assert np.array_equal(together[:, own], alone[:, own])
    # The wrong variant: the first setting's table for all lanes.
    assert np.abs(together - logs(PARTS[:1] * len(PARTS))).max() > 0.1


def test_what_cannot_be_has_no_probability() -> None:
    """Without a floor a label that the context lacks is impossible; such entries of the table are never read."""
    task = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=5, relevant_examples=2)
    found = logs([Attention(odds=3.0, floor=0.0)], task)
    assert np.isfinite(found).all()
