"""Questions of one kind for all replicates: contexts that are relevant, or not, for queries of one group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.episodes.sampler import episode_sampler
from simulate.evaluation.query_groups import QueryGroup
from simulate.evaluation.questions import Questions, noisy_outcomes
from simulate.protocols import Needs
from simulate.sources import stacked
from simulate.streams import stream
from theory.setting import AnyTask, EpisodeDistribution, LabelRule, RowKind, Stream, TaskDistribution, episodes_of

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


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
    task : TaskDistribution or EpisodeDistribution
        What the world is like; a finite sample's questions are fresh rows around the same centres.
    kind : QuestionKind
        What is asked.
    replicates, seed : int
        Replicate ``r`` is asked the same questions whatever the number of replicates.
    needs : {"labels", "inputs"}
        What the learner reads of a prompt.
    """

    def __init__(self, task: AnyTask, kind: QuestionKind, replicates: int, seed: int, needs: Needs = "labels") -> None:
        self._kind = kind
        self._distribution = asked_distribution(task)
        self._sampler = episode_sampler(self._distribution, needs)
        self._streams = [self._sampler.streams(seed, replicate, kind.number) for replicate in range(replicates)]
        self._states = [self._sampler.state(seed, replicate) for replicate in range(replicates)]
        self._queries = [stream(seed, replicate, "query", kind.number) for replicate in range(replicates)]

    def draw(self, rows: int) -> Questions:
        """The next ``rows`` questions of every replicate."""
        row_kind = "relevant" if self._kind.relevant else "irrelevant"
        drawn = []
        for streams, state, generator in zip(self._streams, self._states, self._queries, strict=True):
            query = self._asked(generator.random(rows))
            drawn.append(self._sampler.draw(rows, streams, state, query=query, row_kind=row_kind))
        prompts = PromptBlock(**stacked(drawn))
        return Questions(prompts, *_outcomes(self._distribution, prompts))

    def _asked(self, uniforms: Array) -> Indices:
        group = self._kind.group
        place = np.searchsorted(group.probabilities.cumsum(), uniforms, side="right")
        return group.classes[np.minimum(place, group.classes.size - 1)]


def asked_distribution(task: AnyTask) -> EpisodeDistribution:
    """The stream whose rows of the kinds ``relevant`` and ``irrelevant`` are asked.

    Of a distribution with other kinds of rows, relevant are those of its most frequent kind with a match for certain
    (contexts with at least one match, if it has none), irrelevant those without a match.

    Examples
    --------
    >>> from theory.setting_file import load
    >>> [(kind.name, kind.matches) for kind in asked_distribution(load("chan2022")[0]).rows]
    [('relevant', 'exact'), ('irrelevant', 'none')]
    """
    episodes = episodes_of(task) if isinstance(task, TaskDistribution) else task
    order = sorted(episodes.rows, key=lambda kind: -kind.share)
    certain = [kind for kind in order if kind.matches in {"exact", "at-least-one"}]
    without = [kind for kind in order if kind.matches == "none"]
    relevant = certain[0] if certain else RowKind(name="relevant", share=1, matches="at-least-one")
    irrelevant = without[0] if without else RowKind(name="irrelevant", share=0, matches="none", rest=relevant.rest)
    rows = (replace(relevant, name="relevant", share=1), replace(irrelevant, name="irrelevant", share=0))
    return replace(episodes, rows=rows, sampling=Stream())


def _outcomes(distribution: EpisodeDistribution, prompts: PromptBlock) -> tuple[Indices, Array]:
    """Labels that the queries can have, and their chances; where classes are relabelled, only the one drawn."""
    rule: LabelRule = distribution.labels
    labels = distribution.total_labels
    own = prompts.query % labels
    if rule.relabel != "none":
        return prompts.label[..., None], np.ones(1)
    if rule.label_noise_kind == "matrix":
        chances = np.asarray(rule.noise_matrix)[own]
        return np.broadcast_to(np.arange(labels), chances.shape), chances
    noisy = 1 if rule.label_noise_kind == "cyclic" else labels - 1
    return noisy_outcomes(own, labels, rule.label_noise, noisy)
