"""Labels that are counted: votes, counts of any prompts, and what ten thousand labels cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.implementations import in_context_state
from simulate.in_context.label_counts import LabelCounts
from tests.simulate.in_context_parts import TASK
from tests.simulate.predictor_blocks import drawn_block, explicit_block, lanes_of, off
from theory.setting import LabelPosterior, MajorityVote, TaskDistribution


def test_votes_by_hand() -> None:
    """Ties share; irrelevant examples vote only where there is no relevant one."""
    part = MajorityVote(floor=0.01)
    state = in_context_state(part, lanes_of(TASK, part, "in_context"))
    classes = [[[0, 0, 1, 1, 1]], [[0, 0, 0, 1, 1]], [[1, 2, 2, 3, 3]]]
    labels = [[[0, 2, 5, 5, 5]], [[3, 3, 1, 1, 1]], [[4, 4, 2, 2, 1]]]
    law = state.label_law(explicit_block([[0]] * 3, [[0]] * 3, classes, labels))[:, 0]
    expected = [{0: 0.5, 2: 0.5}, {3: 1.0}, {2: 0.5, 4: 0.5}]
    for found, shares in zip(law, expected, strict=True):
        assert found.tolist() == pytest.approx([0.94 * shares.get(y, 0.0) + 0.01 for y in range(6)], rel=1e-14)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=3, max_size=3), min_size=1, max_size=6))
def test_label_counts_are_counts(rows: list[list[tuple[int, bool]]]) -> None:
    labels, chosen = (np.array([[pair[i] for pair in row] for row in rows]) for i in (0, 1))
    counts = LabelCounts.of(labels, chosen.astype(bool), 4)
    dense = np.zeros(4 * len(rows), dtype=int)
    dense[counts.key] = counts.count
    assert dense.tolist() == [sum(pair == (y, True) for pair in row) for row in rows for y in range(4)]


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_ten_thousand_labels(kind: str) -> None:
    """Predicting the label of 2000 prompts touches only labels that occur; the whole law says the same."""
    import tracemalloc

    task = TaskDistribution(
        frequencies="uniform", num_classes=10_000, context_length=6, label_noise=0.3, label_noise_kind=kind
    )
    task = replace(task, relevant_examples=4)
    block, part = drawn_block(task, 500, 4), LabelPosterior(floor=1e-6)
    state = in_context_state(part, lanes_of(task, part, "in_context", 4))
    tracemalloc.start()
    logs = state.advance(block)
    # A dense array would have 20 million entries.
    assert tracemalloc.get_traced_memory()[1] < 8e6
    tracemalloc.stop()
    law = state.label_law(block.part(0, 3))
    assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12
    assert off(logs[:3], np.log(np.take_along_axis(law, block.label[:3, :, None], axis=-1)[..., 0])) < 1e-12
