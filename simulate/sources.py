"""Streams of prompts for all lanes at once: what the step engine learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.episodes.sampler import ReplicateState, episode_sampler
from simulate.episodes.stored_rows import SampleShares
from simulate.lanes import Lanes
from simulate.protocols import Needs
from simulate.statistics import StatisticsSampler, statistics_sampler
from theory.setting import AnyTask, EpisodeDistribution, TaskDistribution, episodes_of

Indices = NDArray[np.intp]
Columns = dict[str, Any]
DrawRows = Callable[[int], Columns]
_NAMES = tuple(field.name for field in fields(PromptBlock))


class PromptSource:
    """Prompts of every lane, from addressable random streams.

    Lane ``s * replicates + r`` reads the streams of replicate ``r``, whatever its setting ``s``: settings are compared
    on common random numbers, and those of the same task on the same prompts. A lane's prompts depend neither on the
    block size nor on the other lanes. Where statistics are enough, the prompts of a task are those of the scan engine.

    Parameters
    ----------
    lanes : Lanes
        The settings and replicates.
    needs : {"statistics", "labels", "inputs"}
        What the learners read of a prompt.
    seed : int
        The run's seed.

    Examples
    --------
    >>> from theory.setting import GatedPredictor
    >>> task = TaskDistribution(num_high=2, num_low=2, p_high=0.9, context_length=4)
    >>> source = PromptSource(Lanes((task,), (GatedPredictor(),), replicates=3), "statistics", seed=1)
    >>> source.draw(5).query.shape
    (5, 3)
    """

    def __init__(self, lanes: Lanes, needs: Needs, seed: int) -> None:
        self._replicates = lanes.replicates
        tasks: list[AnyTask] = []
        for task in lanes.tasks:
            if task not in tasks:
                tasks.append(task)
        self._first = [tasks.index(task) * lanes.replicates for task in lanes.tasks]
        self._draws: list[DrawRows] = []
        self._samples: list[SampleShares | None] = []
        for task in tasks:
            self._add(task, needs, seed)

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane."""
        drawn = [draw(rows) for draw in self._draws]
        lanes = [first + replicate for first in self._first for replicate in range(self._replicates)]
        columns = {
            name: np.stack([drawn[lane][name] for lane in lanes], axis=1)
            for name in _NAMES
            if drawn[0].get(name) is not None
        }
        return PromptBlock(**columns)

    def samples(self, setting: int) -> tuple[SampleShares, ...]:
        """Realised shares of a setting's finite samples, one for each replicate; none for a stream."""
        first = self._first[setting]
        found = self._samples[first : first + self._replicates]
        return tuple(shares for shares in found if shares is not None)

    def _add(self, task: AnyTask, needs: Needs, seed: int) -> None:
        if isinstance(task, TaskDistribution) and needs == "statistics":
            statistics = statistics_sampler(task)
            for replicate in range(self._replicates):
                self._draws.append(_statistics_of(statistics, seed, replicate))
                self._samples.append(None)
            return
        distribution = task if isinstance(task, EpisodeDistribution) else episodes_of(task)
        for replicate in range(self._replicates):
            draw, state = _episodes_of(distribution, needs, seed, replicate)
            self._draws.append(draw)
            self._samples.append(None if state.sample is None else state.sample.shares)


def _statistics_of(sampler: StatisticsSampler, seed: int, replicate: int) -> DrawRows:
    """Sufficient statistics from the same random streams as the scan engine's."""
    streams = sampler.streams(seed, replicate)
    labels = sampler.task.total_labels

    def draw(rows: int) -> Columns:
        drawn = sampler.draw(rows, streams)
        return {**vars(drawn), "label": (drawn.query + drawn.label_offset) % labels}

    return draw


def _episodes_of(
    distribution: EpisodeDistribution, needs: Needs, seed: int, replicate: int
) -> tuple[DrawRows, ReplicateState]:
    """Whole episodes of one replicate."""
    sampler = episode_sampler(distribution, needs)
    streams, state = sampler.streams(seed, replicate), sampler.state(seed, replicate)
    return (lambda rows: vars(sampler.draw(rows, streams, state))), state
