"""Floors of the in-context predictors: where one is needed, and how large one may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.implementations import in_context_state
from tests.simulate.in_context_parts import FIXED, KERNELS, LEARNED, MATRIX, NOISELESS, POSTERIORS, TASK, VOTES
from tests.simulate.predictor_blocks import InputTask, drawn_block, lanes_of
from theory.errors import SettingError
from theory.setting import Attention, KernelAttention, LabelPosterior, LearnedAttention

COPYING = [Attention(floor=0.0), LearnedAttention(learning_rate=0.1, floor=0.0), KernelAttention(floor=0.0)]


@pytest.mark.parametrize("part", COPYING, ids=lambda part: part.kind)
def test_a_floor_of_zero_where_the_context_can_lack_the_label(part: Any) -> None:
    with pytest.raises(SettingError, match=r"model\.in_context\.floor = 0\.0"):
        in_context_state(part, lanes_of(TASK, part, "in_context"))
    # One bad setting among good ones is found too.
    fine = replace(NOISELESS, p_relevant=1.0, relevant_examples=2)
    with pytest.raises(SettingError, match=r"model\.in_context\.floor"):
        in_context_state(part, lanes_of([fine, TASK], [part, part], "in_context"))
    with pytest.raises(SettingError, match=r"only a TaskDistribution can rule out"):
        in_context_state(part, lanes_of(InputTask(fine, dimension=2), part, "in_context"))
    block = drawn_block(fine, 50, 3)
    logs = in_context_state(part, lanes_of(fine, part, "in_context", 3)).advance(block)
    assert np.isfinite(logs).all()


@pytest.mark.parametrize("part", [FIXED[0], LEARNED[1], KERNELS[0], POSTERIORS[1], VOTES[0]], ids=lambda p: p.kind)
def test_floors_that_leave_nothing(part: Any) -> None:
    for floor in (1 / 6, 0.5):
        with pytest.raises(SettingError, match=r"model\.in_context\.floor = 0\.\d+ is not allowed: expected less"):
            in_context_state(part, lanes_of(TASK, [part, replace(part, floor=floor)], "in_context"))


def test_the_posterior_needs_a_floor_for_noise_matrices_and_one_kind_of_noise() -> None:
    part = LabelPosterior(floor=0.0)
    with pytest.raises(SettingError, match=r"model\.in_context\.floor"):
        in_context_state(part, lanes_of(MATRIX, part, "in_context"))
    with pytest.raises(SettingError, match=r"label_noise_kind = 'symmetric' is not allowed: expected 'cyclic'"):
        in_context_state(part, lanes_of([TASK, replace(TASK, label_noise_kind="symmetric")], [part] * 2, "in_context"))
