r"""Slow, readable twins of the predictors: one prompt at a time, plain Python, a sum for every sum in the formula.

Nothing here is shared with the fast states but the settings and the law of the noise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

from simulate.in_context.noise_kernels import NoiseKernel, log_probability, noise_kernels
from simulate.predictors import NoEngineError
from simulate.task_inputs import input_dimension
from theory.setting import (
    Attention,
    DirichletTable,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticRegression,
    MajorityVote,
)


@dataclass(frozen=True, kw_only=True)
class ReferencePrompt:
    """One prompt: class and label of the query and of every example, and their inputs where the task has any."""

    query: int
    label: int
    context_classes: Sequence[int]
    context_labels: Sequence[int]
    query_input: Sequence[float] | None = None
    context_inputs: Sequence[Sequence[float]] | None = None


class ReferencePredictor(Protocol):
    """What every twin can do."""

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """Probability of every label; the prompt's own label is not looked at."""
        ...

    def learn(self, prompt: ReferencePrompt) -> None:
        """Learn from the prompt and its label."""
        ...


@singledispatch
def reference_in_weight(part: object, task: Any) -> ReferencePredictor:  # noqa: ARG001 (dispatch base)
    """Twin of an in-weight predictor, before any step.

    Raises
    ------
    NoEngineError
        There is none for this part.
    """
    raise NoEngineError("in_weight", part, "reference")


@singledispatch
def reference_in_context(part: object, task: Any) -> ReferencePredictor:  # noqa: ARG001 (dispatch base)
    """Twin of an in-context predictor, before any step.

    Raises
    ------
    NoEngineError
        There is none for this part.
    """
    raise NoEngineError("in_context", part, "reference")


class ReferenceTable:
    """Counts of (class, label), each with a pseudo-count."""

    def __init__(self, labels: int, pseudo_count: float) -> None:
        self.labels, self.pseudo_count = labels, pseudo_count
        self.seen: Counter[tuple[int, int]] = Counter()

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """Relative counts of the query's class."""
        counts = [self.seen[prompt.query, label] + self.pseudo_count for label in range(self.labels)]
        total = math.fsum(counts)
        return [count / total for count in counts]

    def learn(self, prompt: ReferencePrompt) -> None:
        """Count the label."""
        self.seen[prompt.query, prompt.label] += 1


class ReferenceRegression:
    """Multinomial logistic regression on features of the query, by gradient descent from zero."""

    def __init__(self, labels: int, features: Callable[[ReferencePrompt], list[float]], rate: float) -> None:
        self.labels, self.features, self.rate = labels, features, rate
        self.weights: list[list[float]] | None = None

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """Softmax of the scores."""
        x = self.features(prompt)
        weights = self.weights or [[0.0] * len(x)] * self.labels
        return softmax([math.fsum(w * value for w, value in zip(row, x, strict=True)) for row in weights])

    def learn(self, prompt: ReferencePrompt) -> None:
        """One step along the gradient of the log probability of the label."""
        x, law = self.features(prompt), self.predict(prompt)
        weights = self.weights or [[0.0] * len(x) for _ in range(self.labels)]
        for label, (row, probability) in enumerate(zip(weights, law, strict=True)):
            push = self.rate * ((label == prompt.label) - probability)
            for place, value in enumerate(x):
                row[place] += push * value
        self.weights = weights


class ReferenceSoftmax:
    """Softmax of minus the inverse temperature times a distance, which copies labels; the temperature may learn."""

    def __init__(
        self,
        labels: int,
        distances: Callable[[ReferencePrompt], list[float]],
        inverse_temperature: float,
        rate: float,
        floor: float,
    ) -> None:
        self.labels, self.distances, self.rate, self.floor = labels, distances, rate, floor
        self.inverse_temperature = inverse_temperature

    def _attention(self, prompt: ReferencePrompt) -> list[float]:
        return softmax([-self.inverse_temperature * distance for distance in self.distances(prompt)])

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """Attention on the examples with each label."""
        law = [0.0] * self.labels
        for weight, label in zip(self._attention(prompt), prompt.context_labels, strict=True):
            law[label] += weight
        return with_floor(law, self.floor)

    def learn(self, prompt: ReferencePrompt) -> None:
        """The derivative of a softmax average by the factor of its scores is a covariance under the softmax."""
        probability = self.predict(prompt)[prompt.label]
        attention, scores = self._attention(prompt), [-distance for distance in self.distances(prompt)]
        mean = math.fsum(weight * score for weight, score in zip(attention, scores, strict=True))
        carried = zip(attention, scores, prompt.context_labels, strict=True)
        slope = math.fsum(weight * (score - mean) for weight, score, label in carried if label == prompt.label)
        self.inverse_temperature += self.rate * (1 - self.labels * self.floor) * slope / probability


class ReferencePosterior:
    """Bayes rule: a likelihood for every own label, then the law of the query's label given each."""

    def __init__(self, labels: int, kernels: tuple[NoiseKernel, NoiseKernel], floor: float) -> None:
        self.labels, self.floor = labels, floor
        self.context, self.query = kernels

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """Mixture of the query's noise laws by the posterior of the own label."""
        relevant = relevant_labels(prompt)
        scores = [
            sum(log_probability(noise_probability(self.context, own, seen, self.labels)) for seen in relevant)
            for own in range(self.labels)
        ]
        posterior = softmax(scores)
        law = [
            math.fsum(
                weight * noise_probability(self.query, own, label, self.labels) for own, weight in enumerate(posterior)
            )
            for label in range(self.labels)
        ]
        return with_floor(law, self.floor)

    def learn(self, prompt: ReferencePrompt) -> None:
        """There is nothing to learn."""


class ReferenceVote:
    """The labels with most votes share all."""

    def __init__(self, labels: int, floor: float) -> None:
        self.labels, self.floor = labels, floor

    def predict(self, prompt: ReferencePrompt) -> list[float]:
        """One vote for each relevant example, or for each example where none is."""
        votes = Counter(relevant_labels(prompt) or prompt.context_labels)
        most = max(votes.values())
        winners = {label for label, count in votes.items() if count == most}
        return with_floor([(label in winners) / len(winners) for label in range(self.labels)], self.floor)

    def learn(self, prompt: ReferencePrompt) -> None:
        """There is nothing to learn."""


@reference_in_weight.register
def _(part: DirichletTable, task: Any) -> ReferencePredictor:
    return ReferenceTable(task.total_labels, part.pseudo_count)


@reference_in_weight.register
def _(part: LogisticRegression, task: Any) -> ReferencePredictor:
    tabular = input_dimension(task) is None

    def features(prompt: ReferencePrompt) -> list[float]:
        indicator = [float(x == prompt.query) for x in range(task.total_classes)]
        return (indicator if tabular else list(prompt.query_input or ())) + [1.0] * part.bias

    return ReferenceRegression(task.total_labels, features, part.learning_rate)


@reference_in_context.register
def _(part: Attention, task: Any) -> ReferencePredictor:
    return ReferenceSoftmax(task.total_labels, irrelevance, math.log(part.odds), 0.0, part.floor)


@reference_in_context.register
def _(part: LearnedAttention, task: Any) -> ReferencePredictor:
    start = part.initial_inverse_temperature
    return ReferenceSoftmax(task.total_labels, irrelevance, start, part.learning_rate, part.floor)


@reference_in_context.register
def _(part: KernelAttention, task: Any) -> ReferencePredictor:
    distances = indicator_distances if input_dimension(task) is None else input_distances
    return ReferenceSoftmax(task.total_labels, distances, 1 / part.temperature, part.learning_rate, part.floor)


@reference_in_context.register
def _(part: LabelPosterior, task: Any) -> ReferencePredictor:
    return ReferencePosterior(task.total_labels, noise_kernels(task), part.floor)


@reference_in_context.register
def _(part: MajorityVote, task: Any) -> ReferencePredictor:
    return ReferenceVote(task.total_labels, part.floor)


def irrelevance(prompt: ReferencePrompt) -> list[float]:
    """0 for an example of the query's class, 1 for another."""
    return [float(other != prompt.query) for other in prompt.context_classes]


def indicator_distances(prompt: ReferencePrompt) -> list[float]:
    """Squared distances between indicators of classes."""
    return [2 * distance for distance in irrelevance(prompt)]


def input_distances(prompt: ReferencePrompt) -> list[float]:
    """Squared distances of the examples' inputs from the query's."""
    query = prompt.query_input or ()
    return [
        math.fsum((a - b) ** 2 for a, b in zip(example, query, strict=True)) for example in prompt.context_inputs or ()
    ]


def relevant_labels(prompt: ReferencePrompt) -> list[int]:
    """Labels of the examples of the query's class."""
    pairs = zip(prompt.context_classes, prompt.context_labels, strict=True)
    return [label for other, label in pairs if other == prompt.query]


def noise_probability(kernel: NoiseKernel, own: int, seen: int, labels: int) -> float:
    """Probability to see a label, given the own one."""
    if kernel.matrix is not None:
        return float(kernel.matrix[own, seen])
    if seen == own:
        return 1 - kernel.noise
    if kernel.kind == "cyclic":
        return kernel.noise * (seen == (own + 1) % labels)
    return kernel.noise / (labels - 1)


def softmax(scores: list[float]) -> list[float]:
    """Probabilities from scores of any size."""
    largest = max(scores)
    weights = [math.exp(score - largest) for score in scores]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def with_floor(law: list[float], floor: float) -> list[float]:
    """A law with the floor added to every label."""
    return [(1 - len(law) * floor) * probability + floor for probability in law]
