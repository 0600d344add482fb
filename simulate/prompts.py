"""Prompts drawn explicitly, example by example, and what a predictor needs to know of them.

The explicit sampler is the definition of the task; :mod:`simulate.statistics` draws the same sufficient statistics
without ever making a context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.finite_law import finite_laws
from theory.in_context import relevant_law
from theory.setting import TaskDistribution

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Prompts:
    """Whole prompts, in the order of the stream.

    Parameters
    ----------
    context_classes, context_labels : ndarray of int, shape (steps, context_length)
        Class and label of every context example.
    query, label : ndarray of int, shape (steps,)
        Class and label of the query.
    """

    context_classes: Indices
    context_labels: Indices
    query: Indices
    label: Indices


@dataclass(frozen=True, eq=False)
class PromptStatistics:
    """What log loss needs of a prompt; every array has shape (steps,).

    Parameters
    ----------
    query : ndarray of int
        Class of the query.
    label_offset : ndarray of int
        Label of the query minus that of its class, modulo the number of labels: 0 is the own label.
    relevant_examples : ndarray of int
        Number of context examples of the query's class.
    relevant_matches, irrelevant_matches : ndarray of int
        How many of the relevant and of the irrelevant examples carry the query's label.
    """

    query: Indices
    label_offset: Indices
    relevant_examples: Indices
    relevant_matches: Indices
    irrelevant_matches: Indices

    @property
    def steps(self) -> int:
        """Number of prompts."""
        return int(self.query.size)


def draw_prompts(task: TaskDistribution, steps: int, generator: np.random.Generator) -> Prompts:
    """Draw whole prompts by the task's definition; cost and memory grow with ``steps * context_length``."""
    probabilities = task.class_probabilities
    query = finite_laws(probabilities[None, :]).draw(generator.random(steps))
    relevant = _relevant_examples(task, query, generator)
    length = task.context_length
    # The relevant examples stand at random places: those with the smallest of L random keys.
    rank = generator.random((steps, length)).argsort(axis=1).argsort(axis=1)
    is_relevant = rank < relevant[:, None]
    others = _other_classes(probabilities, np.repeat(query, length), generator.random(steps * length))
    context_classes = np.where(is_relevant, query[:, None], others.reshape(steps, length))
    return Prompts(
        context_classes=context_classes,
        context_labels=_noisy_labels(task, context_classes, task.noise_in_context, generator),
        query=query,
        label=_noisy_labels(task, query, task.label_noise, generator),
    )


def statistics_of(task: TaskDistribution, prompts: Prompts) -> PromptStatistics:
    """Sufficient statistics of whole prompts."""
    relevant = prompts.context_classes == prompts.query[:, None]
    match = prompts.context_labels == prompts.label[:, None]
    return PromptStatistics(
        query=prompts.query,
        label_offset=(prompts.label - prompts.query) % task.total_labels,
        relevant_examples=relevant.sum(axis=1),
        relevant_matches=(relevant & match).sum(axis=1),
        irrelevant_matches=(~relevant & match).sum(axis=1),
    )


def _relevant_examples(task: TaskDistribution, query: Indices, generator: np.random.Generator) -> Indices:
    coin = generator.random(query.size) < task.p_relevant
    number = np.zeros(query.size, dtype=np.intp)
    uniforms = generator.random(query.size)
    for x in np.unique(query).tolist():
        values, weights = relevant_law(task, float(task.class_probabilities[x]))
        here = query == x
        number[here] = values[np.minimum(np.searchsorted(weights.cumsum(), uniforms[here]), values.size - 1)]
    return np.where(coin, number, 0)


def _other_classes(probabilities: NDArray[np.float64], avoided: Indices, uniforms: NDArray[np.float64]) -> Indices:
    """Classes drawn from the class law restricted to all but the avoided one, by inversion around the gap."""
    cumulative = np.concatenate([[0.0], probabilities.cumsum()])
    position = uniforms * (1 - probabilities[avoided])
    position = np.where(position < cumulative[avoided], position, position + probabilities[avoided])
    drawn = np.searchsorted(cumulative, position, side="right") - 1
    drawn = np.clip(drawn, 0, probabilities.size - 1)
    # Rounding at the very edge of the gap may land inside it; the class next to it is the one that was meant.
    return np.where(drawn == avoided, np.where(avoided > 0, avoided - 1, 1), drawn)


def _noisy_labels(task: TaskDistribution, classes: Indices, noise: float, generator: np.random.Generator) -> Indices:
    uniforms = generator.random(classes.shape)
    return (classes + noise_offset(uniforms, noise, task.noisy_labels)) % task.total_labels


def noise_offset(uniforms: NDArray[np.float64], noise: float, noisy_labels: int) -> Indices:
    """Label minus own label for each uniform: 0 without noise, else 1 to ``noisy_labels`` with equal chances."""
    noisy = uniforms < noise
    if noisy_labels == 1 or noise == 0:
        return noisy.astype(np.intp)
    offset = np.zeros(uniforms.shape, dtype=np.intp)
    offset[noisy] = 1 + np.minimum(uniforms[noisy] * (noisy_labels / noise), noisy_labels - 1).astype(np.intp)
    return offset
