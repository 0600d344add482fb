"""States of the in-context predictors: the scalar twins, lanes on their own, extreme numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.implementations import in_context_state
from simulate.reference_predictors import reference_in_context
from tests.simulate.in_context_parts import INPUTS, PARTS, TASK, TWO, start
from tests.simulate.predictor_blocks import advance_in_parts, drawn_block, lane_of, lanes_of, off, twin_laws, twin_logs
from theory.errors import SettingError
from theory.setting import Attention, KernelAttention, LabelPosterior, LearnedAttention, MajorityVote


@pytest.mark.parametrize("name", PARTS)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 40), max_size=3), replicates=st.integers(1, 3))
def test_states_equal_the_twins_at_any_split(name: str, cuts: list[int], replicates: int) -> None:
    task, parts, dimension = PARTS[name]
    lanes = len(parts) * replicates
    block = drawn_block(task, 40, lanes, seed=len(cuts), dimension=dimension)
    questions = drawn_block(task, 3, lanes, seed=99, dimension=dimension)
    twins = [reference_in_context(part, task) for part in parts for _ in range(replicates)]
    state = start(name, replicates)
    logs = advance_in_parts(state, block, cuts)
    assert off(logs, twin_logs(twins, block)) < 1e-12
    law = state.label_law(questions)
    assert off(law, twin_laws(twins, questions)) < 1e-12
    assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12
    # Asking taught nothing, and the answer is what the next step is predicted with.
    assert (state.label_law(questions) == law).all()
    following = np.take_along_axis(law[:1], questions.label[:1, :, None], axis=-1)[..., 0]
    assert off(state.advance(questions.part(0, 1)), np.log(following)) < 1e-12


@pytest.mark.parametrize("name", PARTS)
def test_a_lane_does_not_depend_on_the_others(name: str) -> None:
    task, parts, dimension = PARTS[name]
    block = drawn_block(task, 60, 4 * len(parts), dimension=dimension)
    logs = start(name, 4).advance(block)
    for place, part in enumerate(parts):
        alone = in_context_state(part, lanes_of(task, part, "in_context"))
        assert off(logs[:, [4 * place]], alone.advance(lane_of(block, 4 * place))) < 1e-13


@pytest.mark.parametrize("p_relevant", [0.0, 1.0])
@pytest.mark.parametrize("length", [1, 6])
def test_wild_settings_give_numbers(p_relevant: float, length: int) -> None:
    task = replace(TWO, p_relevant=p_relevant, context_length=length, relevant_examples=length)
    parts = [
        Attention(odds=1e100, floor=1e-300),
        LearnedAttention(learning_rate=1000.0, initial_odds=1e100),
        KernelAttention(temperature=1e-6, learning_rate=1000.0),
        LabelPosterior(floor=0.0),
        MajorityVote(floor=1e-300),
    ]
    block = drawn_block(task, 500, 3)
    for part in parts:
        state = in_context_state(part, lanes_of(task, part, "in_context", 3))
        logs, law = state.advance(block), state.label_law(block)
        assert np.isfinite(logs).all(), part
        assert (logs <= 0).all(), part
        assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12, part


def test_an_empty_block_is_no_step() -> None:
    for name, (task, parts, dimension) in PARTS.items():
        block = drawn_block(task, 5, len(parts), dimension=dimension)
        state = start(name, 1)
        assert state.advance(block.part(2, 2)).shape == (0, len(parts))
        assert (state.advance(block) == start(name, 1).advance(block)).all()
        assert state.label_law(block.part(0, 0)).shape == (0, len(parts), task.total_labels)


def test_blocks_without_what_a_part_reads() -> None:
    block = drawn_block(TASK, 3, 1)
    bare = replace(block, context_classes=None, context_labels=None)
    for part in (Attention(), LabelPosterior(), MajorityVote()):
        state = in_context_state(part, lanes_of(TASK, part, "in_context"))
        with pytest.raises(SettingError, match=r"block\.context_classes is missing"):
            state.label_law(bare)
        if state.needs == "labels":
            with pytest.raises(SettingError, match=r"block\.context_classes is missing"):
                state.advance(bare)
        with pytest.raises(SettingError, match=r"block\.context_labels is missing"):
            state.label_law(replace(block, context_labels=None))
    state = in_context_state(KernelAttention(), lanes_of(INPUTS, KernelAttention(), "in_context"))
    with pytest.raises(SettingError, match=r"block\.context_inputs is missing"):
        state.advance(block)
    with pytest.raises(SettingError, match=r"block\.query_inputs is missing"):
        state.advance(replace(drawn_block(INPUTS, 3, 1, dimension=3), query_inputs=None))
