"""Streams of prompts for all lanes at once: what the step engine learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import episode_sampler
from simulate.episodes.stored_rows import SampleShares
from simulate.lanes import Lanes
from simulate.protocols import Needs
from simulate.statistics import statistics_sampler
from theory.setting import AnyTask, EpisodeDistribution, TaskDistribution, episodes_of

Indices = NDArray[np.intp]
Columns = dict[str, Any]
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
        tasks: list[AnyTask] = []
        for task in lanes.tasks:
            if task not in tasks:
                tasks.append(task)
        self._place = [tasks.index(task) for task in lanes.tasks]
        self._sources = [_source_of(task, needs, seed, lanes.replicates) for task in tasks]

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane."""
        drawn = [source.draw(rows) for source in self._sources]
        if len(self._place) == 1:
            return PromptBlock(**drawn[0])
        names = drawn[0].keys()
        return PromptBlock(**{name: np.concatenate([drawn[i][name] for i in self._place], axis=1) for name in names})

    def samples(self, setting: int) -> tuple[SampleShares, ...]:
        """Realised shares of a setting's finite samples, one for each replicate; none for a stream."""
        return self._sources[self._place[setting]].samples


@dataclass(frozen=True, eq=False)
class _TaskSource:
    """What draws a task's prompts, arrays of shape (rows, replicates, ...), and the realised shares of its samples."""

    draw: Callable[[int], Columns]
    samples: tuple[SampleShares, ...] = ()


def _source_of(task: AnyTask, needs: Needs, seed: int, replicates: int) -> _TaskSource:
    if isinstance(task, TaskDistribution):
        if needs == "statistics":
            return _statistics_of(task, seed, replicates)
        return _episodes_of(episodes_of(task), needs, seed, replicates)
    return _episodes_of(task, needs, seed, replicates)


def _statistics_of(task: TaskDistribution, seed: int, replicates: int) -> _TaskSource:
    """Sufficient statistics from the same random streams as the scan engine's, of all replicates at once."""
    sampler = statistics_sampler(task)
    streams = [sampler.streams(seed, replicate) for replicate in range(replicates)]

    def draw(rows: int) -> Columns:
        drawn = sampler.draw(rows, *streams)
        columns = {**vars(drawn), "label": (drawn.query + drawn.label_offset) % task.total_labels}
        del columns["label_offset"]
        return {name: np.ascontiguousarray(values.reshape(replicates, rows).T) for name, values in columns.items()}

    return _TaskSource(draw)


def _episodes_of(distribution: EpisodeDistribution, needs: Needs, seed: int, replicates: int) -> _TaskSource:
    """Whole episodes, replicate by replicate."""
    sampler = episode_sampler(distribution, needs)
    streams = [sampler.streams(seed, replicate) for replicate in range(replicates)]
    states = [sampler.state(seed, replicate) for replicate in range(replicates)]

    def draw(rows: int) -> Columns:
        drawn = [sampler.draw(rows, own, state) for own, state in zip(streams, states, strict=True)]
        return stacked(drawn)

    return _TaskSource(draw, tuple(state.sample.shares for state in states if state.sample is not None))


def stacked(drawn: Sequence[Episodes]) -> Columns:
    """Episodes of several replicates side by side, under the names that a block of prompts has for them.

    Examples
    --------
    >>> one = Episodes(*[np.zeros(3, dtype=int)] * 6)
    >>> stacked([one, one])["label"].shape
    (3, 2)
    """
    return {
        name: np.stack([getattr(episodes, name) for episodes in drawn], axis=1)
        for name in _NAMES
        if getattr(drawn[0], name) is not None
    }
