"""The presets of the literature: each drawn, and checked against its paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import ReplicateState, episode_sampler
from tests.theory.test_episode_setting import LITERATURE, preset
from theory.setting import (
    EpisodeDistribution,
    Stream,
    TabularInputs,
    TaskDistribution,
    task_of,
)
from theory.setting.label_flip import flip_within_groups
from theory.setting_file import load


@pytest.mark.parametrize("name", LITERATURE)
def test_the_flip_is_a_permutation_without_a_fixed_point(name: str) -> None:
    flip = flip_within_groups(preset(name))
    assert sorted(flip.tolist()) == list(range(flip.size))
    assert (flip != np.arange(flip.size)).all()


# Presets against their papers.


def drawn(name: str, rows: int = 4000) -> tuple[EpisodeDistribution, Episodes, ReplicateState]:
    episodes = preset(name)
    sampler = episode_sampler(episodes, "inputs")
    state = sampler.state(1, 0)
    return episodes, sampler.draw(rows, sampler.streams(1, 0), state), state


def most_common_of_others(found: Episodes) -> np.ndarray:
    """Largest number of context examples of one class other than the query's, row by row."""
    rows = zip(found.query.tolist(), np.asarray(found.context_classes).tolist(), strict=True)
    return np.array([max((row.count(x) for x in set(row) - {query}), default=0) for query, row in rows])


def test_chan2022() -> None:
    episodes, found, _ = drawn("chan2022")
    assert (episodes.total_classes, episodes.held_out_classes, episodes.context_length) == (1623, 10, 8)
    p = episodes.class_probabilities
    assert p[0] / p[9] == pytest.approx(10, rel=1e-12)
    bursty = found.row_kind == 0
    assert abs(bursty.mean() - 0.9) < 6 * math.sqrt(0.09 / 4000)
    assert (found.relevant_examples[bursty] == 3).all()
    assert (most_common_of_others(found)[bursty] >= 3).all()
    plain = found.relevant_examples[~bursty]
    mean, square = 8 * (p**2).sum(), 8 * (p**2 * (1 - p)).sum() + 64 * (p**3).sum() - 64 * (p**2).sum() ** 2
    assert abs(plain.mean() - mean) < 6 * math.sqrt(square / plain.size)
    assert np.array_equal(found.label, found.query)
    assert found.query.max() < 1613


def test_singh2023() -> None:
    episodes, found, _ = drawn("singh2023")
    assert (episodes.total_classes, episodes.held_out_classes) == (1623, 23)
    assert (found.relevant_examples == 3).all()
    assert (most_common_of_others(found) >= 3).all()
    assert (found.row_kind == 0).all()
    assert episodes.class_probabilities[:1600] == pytest.approx(np.full(1600, 1 / 1600))


def test_reddy2023() -> None:
    episodes, found, _ = drawn("reddy2023")
    assert (episodes.total_classes, episodes.total_labels, episodes.context_length) == (1024, 32, 8)
    assert (found.relevant_examples == 4).all()
    assert (most_common_of_others(found) == 4).all()
    assert np.array_equal(found.label, found.query % 32)
    queries, context = np.asarray(found.query_inputs), np.asarray(found.context_inputs)
    assert queries.shape == (4000, 63)
    # Rescaled: mean square length 1; within a cluster the cosine is 1/(1 + 0.1^2) on average (6 sigma are below 0.02).
    assert abs((queries**2).sum(axis=1).mean() - 1) < 0.04
    products = np.einsum("rd,rld->rl", queries, context)
    own = np.asarray(found.context_classes) == found.query[:, None]
    assert abs(products[own].mean() - 1 / 1.01) < 0.04
    assert abs(products[~own].mean()) < 0.02


def test_chan2024() -> None:
    episodes, found, state = drawn("chan2024")
    assert (episodes.num_high, episodes.num_low, episodes.context_length) == (5, 5, 1)
    assert state.sample is not None
    assert (state.sample.shares.classes > 0).all()
    assert (found.relevant_examples == (found.row_kind == 0)).all()
    assert abs(state.sample.shares.row_kinds[0] - 0.9) < 6 * math.sqrt(0.09 / 4096)
    stored = {row.tobytes() for row in np.asarray(state.sample.episodes.query_inputs)}
    assert {row.tobytes() for row in np.asarray(found.query_inputs)} <= stored
    # A centre of length 1 and noise of length 0.2 * 8: the squared length is 1 + 0.04 * 64 on average.
    lengths = (np.asarray(state.sample.episodes.query_inputs) ** 2).sum(axis=1)
    assert abs(lengths.mean() - 3.56) < 6 * math.sqrt((2 * 64 * 0.04**2 + 4 * 0.04) / 4096)
    task = TaskDistribution(num_high=5, num_low=5, p_high=0.9, p_relevant=0.9)
    as_task = replace(episodes, inputs=TabularInputs(), sampling=Stream())
    assert task_of(as_task) == task == load("paper")[0]
