"""Streams of all lanes: the scan engine's own draws, whatever the blocks and the other lanes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.sources import PromptSource
from simulate.statistics import statistics_sampler
from theory.setting import GatedPredictor, TaskDistribution

ONE = TaskDistribution(num_high=2, num_low=5, p_high=0.8, context_length=4, label_noise=0.2, p_relevant=0.7)
TWO = TaskDistribution(num_high=2, num_low=5, p_high=0.6, context_length=4, label_noise=0.3, relevant_examples=2)
SHARED = TaskDistribution(
    frequencies="zipf", num_classes=9, zipf_exponent=1.0, num_labels=4, context_length=3,
    label_noise=0.4, label_noise_kind="symmetric",
)  # fmt: skip
STATISTICS = ("query", "label", "relevant_examples", "relevant_matches", "irrelevant_matches")


def source(*tasks: TaskDistribution, replicates: int = 3, seed: int = 5) -> PromptSource:
    return PromptSource(Lanes(tasks, (GatedPredictor(),) * len(tasks), replicates), "statistics", seed)


def same(first: PromptBlock, second: PromptBlock) -> bool:
    pairs = ((getattr(first, f.name), getattr(second, f.name)) for f in fields(PromptBlock))
    return all(np.array_equal(a, b) for a, b in pairs if a is not None or b is not None)


@pytest.mark.parametrize("task", [ONE, TWO, SHARED])
def test_every_lane_sees_the_draws_of_the_scan_engine(task: TaskDistribution) -> None:
    block = source(task).draw(500)
    sampler = statistics_sampler(task)
    for replicate in range(3):
        drawn = sampler.draw(500, sampler.streams(5, replicate))
        assert np.array_equal(block.query[:, replicate], drawn.query)
        assert np.array_equal(block.label[:, replicate], (drawn.query + drawn.label_offset) % task.total_labels)
        for name in STATISTICS[2:]:
            assert np.array_equal(getattr(block, name)[:, replicate], getattr(drawn, name))


def test_blocks_of_any_size_give_the_same_stream() -> None:
    whole, parts = source(ONE, TWO), source(ONE, TWO)
    drawn = whole.draw(60)
    for start, end in ((0, 1), (1, 20), (20, 60)):
        assert same(drawn.part(start, end), parts.draw(end - start))


def test_settings_of_the_same_task_see_the_same_prompts() -> None:
    block = source(ONE, TWO, ONE).draw(200)
    assert block.query.shape == (200, 9)
    for name in STATISTICS:
        values = getattr(block, name)
        assert np.array_equal(values[:, :3], values[:, 6:])
    assert not np.array_equal(block.query[:, 0], block.query[:, 1])


def test_a_lane_does_not_depend_on_the_other_lanes() -> None:
    many, alone = source(ONE, TWO, replicates=4).draw(100), source(TWO, replicates=1).draw(100)
    for name in STATISTICS:
        assert np.array_equal(getattr(many, name)[:, 4], getattr(alone, name)[:, 0])


def test_blocks_are_rows_of_all_lanes_in_memory() -> None:
    """The step engine walks over rows: a row lies together, with one common type of index."""
    block = source(ONE, ONE).draw(7)
    for name in STATISTICS:
        values = getattr(block, name)
        assert values.dtype == np.intp
        assert values.flags.c_contiguous


def test_no_rows_are_no_rows() -> None:
    assert source(ONE).draw(0).rows == 0
