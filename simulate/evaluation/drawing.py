"""Questions of one kind for all replicates: contexts that are relevant, or not, for queries of one group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.evaluation.query_groups import QueryGroup
from simulate.evaluation.questions import Questions, noisy_outcomes
from simulate.prompts import _other_classes, noise_offset
from simulate.statistics import statistics_sampler
from simulate.streams import Purpose, evaluation_stream
from theory.setting import TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_PURPOSES: tuple[Purpose, ...] = (
    "query",
    "relevant-examples",
    "label",
    "relevant-labels",
    "irrelevant-labels",
    "prompts",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionKind:
    """What is asked.

    Parameters
    ----------
    number : int
        Number of the kind: every kind has random streams of its own.
    relevant : bool
        Whether the contexts hold examples of the query's class.
    group : QueryGroup
        Whose queries are asked.
    """

    number: int
    relevant: bool
    group: QueryGroup


class QuestionSource:
    """Questions of one kind: from the start the same ones whenever a source is made anew, in blocks of any size.

    Parameters
    ----------
    task : TaskDistribution
        What the world is like.
    kind : QuestionKind
        What is asked.
    replicates, seed : int
        Replicate ``r`` is asked the same questions whatever the number of replicates.
    """

    def __init__(self, task: TaskDistribution, kind: QuestionKind, replicates: int, seed: int) -> None:
        self._task, self._kind = task, kind
        self._sampler = statistics_sampler(replace(task, p_relevant=1.0))
        self._streams = [
            {purpose: evaluation_stream(seed, replicate, kind.number, purpose) for purpose in _PURPOSES}
            for replicate in range(replicates)
        ]

    def draw(self, rows: int) -> Questions:
        """The next ``rows`` questions of every replicate."""
        lanes, length = len(self._streams), self._task.context_length
        query = self._queries(self._uniforms("query", rows))
        own = query % self._task.total_labels
        label = self._noisy(own, self._uniforms("label", rows), self._task.label_noise)
        relevant = self._relevant_examples(query, self._uniforms("relevant-examples", rows))
        # The relevant examples stand at random places: those with the smallest of L random keys.
        rank = self._uniforms("prompts", rows, length).argsort(axis=-1).argsort(axis=-1)
        others = _other_classes(
            self._task.class_probabilities,
            np.repeat(query.ravel(), length),
            self._uniforms("irrelevant-labels", rows, length).ravel(),
        )
        classes = np.where(rank < relevant[..., None], query[..., None], others.reshape(rows, lanes, length))
        uniforms = self._uniforms("relevant-labels", rows, length)
        context = self._noisy(classes % self._task.total_labels, uniforms, self._task.noise_in_context)
        outcomes, chances = noisy_outcomes(
            own, self._task.total_labels, self._task.label_noise, self._task.noisy_labels
        )
        return Questions(_block(query, label, classes, context), outcomes, chances)

    def _uniforms(self, purpose: Purpose, rows: int, *each: int) -> Array:
        return np.stack([streams[purpose].random((rows, *each)) for streams in self._streams], axis=1)

    def _queries(self, uniforms: Array) -> Indices:
        group = self._kind.group
        place = np.searchsorted(group.probabilities.cumsum(), uniforms, side="right")
        return group.classes[np.minimum(place, group.classes.size - 1)]

    def _relevant_examples(self, query: Indices, uniforms: Array) -> Indices:
        if not self._kind.relevant:
            return np.zeros_like(query)
        number = self._sampler.number
        if number is None:
            return np.full_like(query, self._task.relevant_examples or 0)
        drawn = number.draw(uniforms.ravel(), self._sampler.frequency.take(query.ravel()))
        return 1 + drawn.astype(np.intp).reshape(query.shape)

    def _noisy(self, own: Indices, uniforms: Array, noise: float) -> Indices:
        task = self._task
        noisy: Indices = (own + noise_offset(uniforms, noise, task.noisy_labels)) % task.total_labels
        return noisy


def _block(query: Indices, label: Indices, classes: Indices, context: Indices) -> PromptBlock:
    same_class, same_label = classes == query[..., None], context == label[..., None]
    return PromptBlock(
        query=query,
        label=label,
        relevant_examples=same_class.sum(axis=-1),
        relevant_matches=(same_class & same_label).sum(axis=-1),
        irrelevant_matches=(~same_class & same_label).sum(axis=-1),
        context_classes=classes,
        context_labels=context,
    )
