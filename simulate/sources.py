"""Streams of prompts for all lanes at once: what the step engine learns from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.prompts import PromptStatistics
from simulate.protocols import Needs
from simulate.statistics import StatisticsSampler, statistics_sampler
from simulate.streams import Purpose
from theory.errors import SettingError
from theory.setting import TaskDistribution

Indices = NDArray[np.intp]
_STATISTICS = ("query", "label", "relevant_examples", "relevant_matches", "irrelevant_matches")


class PromptSource(Protocol):
    """Where the prompts of all lanes come from."""

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane."""
        ...


class StatisticsSource:
    """Prompts as sufficient statistics, from the same random streams as the scan engine's.

    Lane ``s * replicates + r`` reads the streams of replicate ``r``, whatever its setting ``s``: settings are compared
    on common random numbers, and those of the same task on the same prompts. A lane's prompts depend neither on the
    block size nor on the other lanes.

    Parameters
    ----------
    lanes : Lanes
        The settings and replicates.
    seed : int
        The run's seed.

    Examples
    --------
    >>> from theory.setting import GatedPredictor
    >>> task = TaskDistribution(num_high=2, num_low=2, p_high=0.9, context_length=4)
    >>> source = StatisticsSource(Lanes((task,), (GatedPredictor(),), replicates=3), seed=1)
    >>> source.draw(5).query.shape
    (5, 3)
    """

    def __init__(self, lanes: Lanes, seed: int) -> None:
        self._lanes = lanes
        self._tasks: list[TaskDistribution] = list(dict.fromkeys(lanes.tasks))
        self._samplers = [statistics_sampler(task) for task in self._tasks]
        self._streams = [
            [sampler.streams(seed, replicate) for replicate in range(lanes.replicates)] for sampler in self._samplers
        ]

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane, as sufficient statistics."""
        drawn = np.empty((len(_STATISTICS), len(self._tasks) * self._lanes.replicates, rows), dtype=np.intp)
        for place, (sampler, streams) in enumerate(self._samplers_and_streams()):
            statistics = sampler.draw(rows, streams)
            for name, values in zip(_STATISTICS, drawn[:, place], strict=True):
                values[:] = _label(statistics, sampler.task) if name == "label" else getattr(statistics, name)
        query, label, relevant, relevant_matches, irrelevant_matches = (self._spread(values) for values in drawn)
        return PromptBlock(query, label, relevant, relevant_matches, irrelevant_matches)

    def _samplers_and_streams(self) -> Iterator[tuple[StatisticsSampler, dict[Purpose, np.random.Generator]]]:
        for sampler, of_replicates in zip(self._samplers, self._streams, strict=True):
            for streams in of_replicates:
                yield sampler, streams

    def _spread(self, drawn: Indices) -> Indices:
        """From (task and replicate, rows) to (rows, lanes): settings of the same task get the same prompts."""
        if len(self._tasks) == len(self._lanes.tasks):
            return np.ascontiguousarray(drawn.T)
        replicates = np.arange(self._lanes.replicates)
        place = [self._tasks.index(task) * self._lanes.replicates + replicates for task in self._lanes.tasks]
        return np.ascontiguousarray(drawn[np.concatenate(place)].T)


def _label(statistics: PromptStatistics, task: TaskDistribution) -> Indices:
    label: Indices = (statistics.query + statistics.label_offset) % task.total_labels
    return label


def prompt_source(lanes: Lanes, needs: Needs, seed: int) -> PromptSource:
    """The source of prompts that hold what is needed."""
    if needs != "statistics":
        raise SettingError("needs", needs, "statistics")
    return StatisticsSource(lanes, seed)
