"""Streams of prompts for all lanes at once: what the step engine learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import CACHED, PromptBlock
from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import episode_sampler
from simulate.episodes.stored_rows import SampleShares
from simulate.lanes import Lanes
from simulate.protocols import Needs
from simulate.statistics import statistics_sampler
from simulate.streams import Purpose
from theory.setting import AnyTask, EpisodeDistribution, TaskDistribution, episodes_of

Array = NDArray[np.float64]
Columns = dict[str, Any]
_NAMES = tuple(field.name for field in fields(PromptBlock))
_STATISTICS = _NAMES[:5]

MOST_STATISTICS, MOST_EPISODES = 1 << 19, 1 << 16
"""Prompts of all lanes that are drawn at a time: a long stretch of every stream, in bounded memory."""


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
        most = min(source.most for source in self._sources)
        self._stretch = min(max(1, most // lanes.count), CACHED)

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane."""
        (drawn,) = zip(*(source.draw(rows, rows) for source in self._sources), strict=True)
        return self._side_by_side(drawn)

    def parts(self, steps: int) -> Iterator[PromptBlock]:
        """The next ``steps`` prompts of every lane, a few rows at a time, each of which stays in the caches."""
        for done in range(0, steps, self._stretch):
            rows = min(self._stretch, steps - done)
            for drawn in zip(*(source.draw(rows, source.piece) for source in self._sources), strict=True):
                yield from self._side_by_side(drawn).parts()

    def _side_by_side(self, drawn: tuple[Columns, ...]) -> PromptBlock:
        """The prompts of every setting's task."""
        if len(self._place) == 1:
            return PromptBlock(**drawn[0])
        names = drawn[0].keys()
        return PromptBlock(**{name: np.concatenate([drawn[i][name] for i in self._place], axis=1) for name in names})

    def samples(self, setting: int) -> tuple[SampleShares, ...]:
        """Realised shares of a setting's finite samples, one for each replicate; none for a stream."""
        return self._sources[self._place[setting]].samples


class _TaskSource(Protocol):
    """What draws a task's prompts for all replicates.

    ``most`` is how many prompts of all lanes are good to draw at a time, ``piece`` how many rows of them to pass on;
    ``samples`` are the realised shares of the finite samples, one for each replicate.
    """

    most: int
    piece: int
    samples: tuple[SampleShares, ...]

    def draw(self, rows: int, piece: int) -> Iterator[Columns]:
        """The next rows, a piece at a time (at least one): arrays of shape (rows, replicates, ...)."""
        ...


def _source_of(task: AnyTask, needs: Needs, seed: int, replicates: int) -> _TaskSource:
    if isinstance(task, TaskDistribution):
        if needs == "statistics":
            return _Statistics(task, seed, replicates)
        return _Episodes(episodes_of(task), needs, seed, replicates)
    return _Episodes(task, needs, seed, replicates)


class _Statistics:
    """Sufficient statistics from the same random streams as the scan engine's, of all replicates at once."""

    def __init__(self, task: TaskDistribution, seed: int, replicates: int) -> None:
        self._labels, self._replicates = task.total_labels, replicates
        self._own_label = np.arange(task.total_classes) % task.total_labels
        self._sampler = statistics_sampler(task)
        streams = [self._sampler.streams(seed, replicate) for replicate in range(replicates)]
        self._streams = {purpose: [own[purpose] for own in streams] for purpose in self._sampler.purposes}
        self._uniforms = np.empty((len(self._streams), replicates, 0))
        self.most, self.piece = MOST_STATISTICS, max(1, CACHED // replicates)
        self.samples: tuple[SampleShares, ...] = ()

    def draw(self, rows: int, piece: int) -> Iterator[Columns]:
        """The next rows; to call a generator costs as much as many variates, so all of them are drawn at once."""
        if self._uniforms.shape[2] < rows:
            self._uniforms = np.empty((*self._uniforms.shape[:2], rows))
        uniforms = self._uniforms[:, :, :rows]
        for of_purpose, generators in zip(uniforms, self._streams.values(), strict=True):
            for row, generator in zip(of_purpose, generators, strict=True):
                generator.random(out=row)
        for start in range(0, max(rows, 1), max(piece, 1)):
            here = uniforms[:, :, start : start + piece]
            yield self._columns({purpose: u.T.ravel() for purpose, u in zip(self._streams, here, strict=True)})

    def _columns(self, uniforms: dict[Purpose, Array]) -> Columns:
        drawn = self._sampler.of_uniforms(uniforms)
        label = self._own_label.take(drawn.query) + drawn.label_offset
        # The offset is less than the number of labels: a remainder by division would cost ten times as much.
        label -= self._labels * (label >= self._labels)
        values = {**vars(drawn), "label": label}
        shape = (-1, self._replicates)
        return {name: np.ascontiguousarray(values[name].reshape(shape)) for name in _STATISTICS}


class _Episodes:
    """Whole episodes, replicate by replicate."""

    def __init__(self, distribution: EpisodeDistribution, needs: Needs, seed: int, replicates: int) -> None:
        self._sampler = episode_sampler(distribution, needs)
        self._streams = [self._sampler.streams(seed, replicate) for replicate in range(replicates)]
        self._states = [self._sampler.state(seed, replicate) for replicate in range(replicates)]
        self.most, self.piece = MOST_EPISODES, CACHED
        self.samples = tuple(state.sample.shares for state in self._states if state.sample is not None)

    def draw(self, rows: int, piece: int) -> Iterator[Columns]:
        """The next rows."""
        drawn = [self._sampler.draw(rows, own, state) for own, state in zip(self._streams, self._states, strict=True)]
        columns = stacked(drawn)
        for start in range(0, max(rows, 1), max(piece, 1)):
            yield {name: values[start : start + piece] for name, values in columns.items()}


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
