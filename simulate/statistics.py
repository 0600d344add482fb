"""Prompts drawn as sufficient statistics: the cost of a step does not grow with the context's length.

A step uses one uniform variate for each thing that is random in the task: query, relevance, number of relevant
examples, label, and the labels of the relevant and of the irrelevant examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from simulate.binomial_draws import binomial_inverse, binomial_rows
from simulate.finite_law import FiniteLaws, finite_laws
from simulate.label_noise import noise_offset
from simulate.prompts import PromptStatistics
from simulate.streams import Purpose, stream
from theory.classes import kinds_of_classes
from theory.in_context import relevant_law
from theory.label_masses import LabelMasses
from theory.setting import TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

LARGEST_TABLE = 1 << 21
"""Entries up to which the laws of the context's labels are tabulated; beyond, they are inverted step by step."""


@dataclass(frozen=True, eq=False)
class StatisticsSampler:
    """Everything that is computed once for a task, so that a block of steps costs a few passes over its arrays.

    Parameters
    ----------
    task : TaskDistribution
        What is sampled.
    query : FiniteLaws
        Law of the query.
    number : FiniteLaws or None
        Natural law of the number of relevant examples less one, a row a frequency; ``None`` where it is fixed.
    frequency : ndarray of int, shape (classes,)
        Row of a class in ``number``.
    relevant : FiniteLaws or None
        Law of the relevant matches: for every possible number of relevant examples a row for an own and a noisy label;
        ``None`` where that were too many.
    relevant_row : ndarray of int, shape (context_length + 1,)
        First of the two rows for a number of relevant examples.
    irrelevant : _IrrelevantMatches
        Law of the irrelevant matches.

    Examples
    --------
    >>> sampler = statistics_sampler(TaskDistribution(num_high=2, num_low=8, p_high=0.9, context_length=4))
    >>> drawn = sampler.draw(1000, sampler.streams(seed=1, replicate=0))
    >>> drawn.steps, bool(drawn.relevant_examples.min() >= 1), sampler.purposes
    (1000, True, ('query', 'relevant-examples', 'label', 'relevant-labels', 'irrelevant-labels'))
    """

    task: TaskDistribution
    query: FiniteLaws
    number: FiniteLaws | None
    frequency: Indices
    relevant: FiniteLaws | None
    relevant_row: Indices
    irrelevant: _IrrelevantMatches

    @cached_property
    def purposes(self) -> tuple[Purpose, ...]:
        """Streams that are used, one uniform variate a step each; what is certain uses none."""
        random: dict[Purpose, bool] = {
            "query": True,
            "relevance": 0 < self.task.p_relevant < 1,
            "relevant-examples": self.number is not None,
            "label": True,
            "relevant-labels": self.task.p_relevant > 0,
            "irrelevant-labels": True,
        }
        return tuple(purpose for purpose, used in random.items() if used)

    def streams(self, seed: int, replicate: int) -> dict[Purpose, np.random.Generator]:
        """The generators of one replicate."""
        return {purpose: stream(seed, replicate, purpose) for purpose in self.purposes}

    def draw(self, steps: int, *streams: dict[Purpose, np.random.Generator]) -> PromptStatistics:
        """The next ``steps`` prompts of one replicate or of several, one after the other, each with its streams."""
        return self.of_uniforms(
            {purpose: _uniforms(steps, [own[purpose] for own in streams]) for purpose in self.purposes}
        )

    def of_uniforms(self, uniforms: dict[Purpose, Array]) -> PromptStatistics:
        """Prompts from the variates of every purpose, shape (steps,) each, which are used up (overwritten)."""
        task = self.task
        query = self.query.draw(uniforms["query"])
        offset = noise_offset(uniforms["label"], task.label_noise, task.noisy_labels)
        relevant = self._relevant_examples(query, uniforms)
        if "relevant-labels" in uniforms:
            row = offset if task.noisy_labels == 1 else (offset != 0).astype(np.intp)
            matches = self._relevant_matches(uniforms["relevant-labels"], row, relevant)
        else:
            matches = np.zeros(query.size, dtype=np.intp)
        irrelevant = self.irrelevant.draw(uniforms["irrelevant-labels"], query, offset, relevant)
        return PromptStatistics(query, offset, relevant, matches, irrelevant)

    def _relevant_matches(self, uniforms: Array, is_noisy: Indices, relevant: Indices) -> Indices:
        if self.relevant is None:
            return binomial_inverse(uniforms, relevant, match_probabilities(self.task)[is_noisy])
        if self.relevant.cumulative.size > 2 * self.relevant.width:
            is_noisy = is_noisy + self.relevant_row.take(relevant)
        return self.relevant.draw(uniforms, is_noisy)

    def _relevant_examples(self, query: Indices, uniforms: dict[Purpose, Array]) -> Indices:
        number: Indices
        if self.number is not None:
            number = 1 + self.number.draw(uniforms["relevant-examples"], self.frequency.take(query))
        else:
            fixed = (self.task.relevant_examples or 0) if self.task.p_relevant > 0 else 0
            number = np.broadcast_to(np.intp(fixed), query.shape)
        if "relevance" in uniforms:
            number = number * (uniforms["relevance"] < self.task.p_relevant)
        return number


def _uniforms(steps: int, generators: list[np.random.Generator]) -> Array:
    """The next ``steps`` uniform variates of every generator, one generator after the other."""
    if len(generators) == 1:
        return generators[0].random(steps)
    uniforms = np.empty((len(generators), steps))
    for row, generator in zip(uniforms, generators, strict=True):
        generator.random(out=row)
    return uniforms.ravel()


@dataclass(frozen=True, eq=False)
class _CollisionRows:
    """Collision probabilities, a row a value, and where to find that of a query and its label.

    Parameters
    ----------
    collisions : ndarray, shape (rows,)
        The probabilities.
    own : ndarray of int, shape (classes,)
        Row of each class with its own label. Where a single label has all the noise, its row is the next one.
    other : ndarray of int, shape (classes,)
        First row of each class with other labels; unused where a single label has all the noise.
    label : ndarray of int, shape (classes,)
        Own label of each class; unused as well.
    level : ndarray of int, shape (labels,)
        What a label adds to the first row; unused as well.
    """

    collisions: Array
    own: NDArray[np.int32]
    other: Indices
    label: Indices
    level: Indices

    def find(self, query: Indices, offset: Indices) -> Indices:
        """Row for each query and offset of its label from the own one."""
        row = self.own.take(query).astype(np.intp)
        if self.level.size == 0:
            row += offset
            return row
        steps = np.flatnonzero(offset)
        noisy = query[steps]
        label = (self.label.take(noisy) + offset[steps]) % self.level.size
        row[steps] = self.other.take(noisy) + self.level.take(label)
        return row


@dataclass(frozen=True, eq=False)
class _IrrelevantMatches:
    """Law of the number of irrelevant examples that carry the query's label: Binomial(k, collision probability)."""

    task: TaskDistribution
    rows: _CollisionRows
    table: FiniteLaws | None
    first_row: Indices

    def draw(self, uniforms: Array, query: Indices, offset: Indices, relevant: Indices) -> Indices:
        row = self.rows.find(query, offset)
        if self.table is None:
            return binomial_inverse(uniforms, self.task.context_length - relevant, self.rows.collisions[row])
        if self.first_row.any():
            row += self.first_row.take(relevant)
        return self.table.draw(uniforms, row)


def statistics_sampler(task: TaskDistribution) -> StatisticsSampler:
    """Sampler of a task's sufficient statistics.

    Parameters
    ----------
    task : TaskDistribution
        Any task.
    """
    number, frequency = None, np.zeros(1, dtype=np.intp)
    if task.relevant_examples is None and task.p_relevant > 0:
        number, frequency = _natural_numbers(task)
    possible = possible_numbers(task, number)
    relevant, relevant_row = _relevant_matches(task, possible)
    return StatisticsSampler(
        task=task,
        query=finite_laws(task.class_probabilities[None, :]),
        number=number,
        frequency=frequency,
        relevant=relevant,
        relevant_row=relevant_row,
        irrelevant=_irrelevant_matches(task, possible),
    )


def _natural_numbers(task: TaskDistribution) -> tuple[FiniteLaws, Indices]:
    """Laws of the number of relevant examples less one, a row a frequency, and the row of each class."""
    probabilities, row = np.unique(task.class_probabilities, return_inverse=True)
    laws = np.zeros((probabilities.size, task.context_length))
    for i, probability in enumerate(probabilities.tolist()):
        values, weights = relevant_law(task, probability)
        laws[i, values - 1] = weights
    return finite_laws(laws), row.reshape(-1)


def possible_numbers(task: TaskDistribution, natural: FiniteLaws | None) -> Indices:
    """Numbers of relevant examples that a context of the task can have; ``natural`` is the law of one less."""
    if task.p_relevant == 0:
        return np.zeros(1, dtype=np.intp)
    # In a long context most numbers are less likely than double precision knows: they need no tables.
    relevant = np.array([task.relevant_examples]) if natural is None else 1 + np.arange(natural.reach)
    return relevant if task.p_relevant == 1 else np.append(0, relevant)


def _rows_by_number(task: TaskDistribution, possible: Indices, rows_each: int) -> Indices:
    """First row for each number of relevant examples, where every possible number has the same number of rows."""
    first = np.zeros(task.context_length + 1, dtype=np.intp)
    first[possible] = np.arange(possible.size) * rows_each
    return first


def match_probabilities(task: TaskDistribution) -> Array:
    """Probability that a relevant example carries the query's label, if that is the own one, and if it is noise."""
    return np.array([1 - task.noise_in_context, task.noise_in_context / task.noisy_labels])


def _relevant_matches(task: TaskDistribution, possible: Indices) -> tuple[FiniteLaws | None, Indices]:
    width = int(possible.max()) + 1
    first_row = _rows_by_number(task, possible, 2)
    if 2 * possible.size * width > LARGEST_TABLE:
        return None, first_row
    rows = binomial_rows(possible.repeat(2), np.tile(match_probabilities(task), possible.size), width - 1)
    return finite_laws(rows), first_row


def _irrelevant_matches(task: TaskDistribution, possible: Indices) -> _IrrelevantMatches:
    rows = _collision_rows(task)
    collisions = rows.collisions
    trials = task.context_length - possible
    width = int(trials.max()) + 1
    table = None
    if trials.size * collisions.size * width <= LARGEST_TABLE:
        laws = binomial_rows(trials.repeat(collisions.size), np.tile(collisions, trials.size), width - 1)
        table = finite_laws(laws)
    return _IrrelevantMatches(task, rows, table, _rows_by_number(task, possible, collisions.size))


@lru_cache(maxsize=4)
def _collision_rows(task: TaskDistribution) -> _CollisionRows:
    """Collision probabilities; kept for a few tasks, since they are half of what a run of an earlier task sets up."""
    return _rows_of_one_label(task) if task.noisy_labels == 1 else _rows_of_several_labels(task)


def _rows_of_one_label(task: TaskDistribution) -> _CollisionRows:
    """For every kind of class the row of the own label, then that of the one that noise leads to."""
    kinds, kind_of = kinds_of_classes(task)
    collisions = np.array([[kind.own_collision, float(kind.noisy_collisions[0])] for kind in kinds])
    none = np.zeros(0, dtype=np.intp)
    return _CollisionRows(collisions.ravel(), own=_narrow(2 * kind_of), other=none, label=none, level=none)


def _rows_of_several_labels(task: TaskDistribution) -> _CollisionRows:
    """The own labels' rows, then for every frequency of a class those of the labels, by their mass."""
    kinds, kind_of = kinds_of_classes(task)
    own, own_row = np.unique([kind.own_collision for kind in kinds], return_inverse=True)
    values, frequency = np.unique(task.class_probabilities, return_inverse=True)
    masses, level = np.unique(LabelMasses(task).of_labels(np.arange(task.total_labels)), return_inverse=True)
    noise = task.noise_in_context
    spread = noise / task.noisy_labels
    rest = np.maximum(1 - values[:, None] - masses[None, :], 0.0)
    collisions = (masses[None, :] * (1 - noise) + rest * spread) / (1 - values[:, None])
    return _CollisionRows(
        np.append(own, np.minimum(collisions, 1.0)),
        own=_narrow(own_row.reshape(-1)[kind_of]),
        other=own.size + masses.size * frequency.reshape(-1),
        label=np.arange(task.total_classes) % task.total_labels,
        level=level.reshape(-1),
    )


def _narrow(rows: Indices) -> NDArray[np.int32]:
    """Half the bytes: with many classes the table is read from the cache as long as it fits in."""
    return rows.astype(np.int32)
