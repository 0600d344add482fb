"""Prompts drawn explicitly, example by example, and what a predictor needs to know of them.

The explicit sampler is the definition of the task; :mod:`simulate.statistics` draws the same sufficient statistics
without ever making a context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.episodes.sampler import episode_sampler
from theory.setting import TaskDistribution, episodes_of

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
    sampler = episode_sampler(episodes_of(task), "labels")
    drawn = sampler.draw(steps, dict.fromkeys(sampler.purposes, generator))
    return Prompts(
        context_classes=np.asarray(drawn.context_classes, dtype=np.intp),
        context_labels=np.asarray(drawn.context_labels, dtype=np.intp),
        query=drawn.query,
        label=drawn.label,
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
