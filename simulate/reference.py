"""The slow, readable twin: reads whole prompts, one step at a time, and says what the fast engine must compute.

Nothing here is shared with the fast engine but the settings: attention is a softmax over the examples, the table a
dictionary of counts, the gate one number for each cell.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from simulate.prompts import Prompts
from theory.setting import (
    BayesGate,
    DecreasingHedgeGate,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)


@dataclass(frozen=True)
class ReferenceStep:
    """What happens at one step: losses in nats, and the gate cell's value before and after learning from it."""

    query: int
    relevant: bool
    in_weight: float
    in_context: float
    gated: float
    gate_before: float
    gate_after: float


def reference_run(task: TaskDistribution, model: GatedPredictor, prompts: Prompts) -> list[ReferenceStep]:
    """Online learning of the gated predictor on given prompts.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting.
    prompts : Prompts
        The stream.

    Returns
    -------
    list of ReferenceStep
        One for each prompt.
    """
    labels, b = task.total_labels, model.in_weight.pseudo_count
    seen: Counter[tuple[int, int]] = Counter()
    visits: Counter[int] = Counter()
    cells: dict[Hashable, GateCell] = {}
    part = model.in_context
    inverse_temperature = math.log(part.initial_odds if isinstance(part, LearnedAttention) else part.odds)
    steps = []
    for query, label, classes, context in zip(
        prompts.query.tolist(),
        prompts.label.tolist(),
        prompts.context_classes.tolist(),
        prompts.context_labels.tolist(),
        strict=True,
    ):
        relevant = query in classes
        address = {"query": query, "query-and-relevance": (query, relevant), "shared": None}[model.gate.per]
        cell = cells.setdefault(address, GateCell(model.gate))
        alpha = cell.alpha()
        g = (seen[query, label] + b) / (visits[query] + labels * b)
        matches = [other == query for other in classes]
        carries = [other == label for other in context]
        copied, slope = attention(matches, carries, inverse_temperature)
        h = (1 - labels * part.floor) * copied + part.floor
        if isinstance(part, LearnedAttention):
            inverse_temperature += part.learning_rate * (1 - labels * part.floor) * slope / h
        cell.learn(math.log(g) - math.log(h))
        seen[query, label] += 1
        visits[query] += 1
        steps.append(
            ReferenceStep(
                query=query,
                relevant=relevant,
                in_weight=-math.log(g),
                in_context=-math.log(h),
                gated=-math.log(alpha * g + (1 - alpha) * h),
                gate_before=alpha,
                gate_after=cell.alpha(),
            )
        )
    return steps


class GateCell:
    """One cell of a Bayes or Hedge gate, whose rate may fall with the cell's visits."""

    def __init__(self, gate: BayesGate | HedgeGate | DecreasingHedgeGate) -> None:
        self._gate = gate
        self._visits, self._gained = 0, 0.0

    def alpha(self) -> float:
        """The gate before the next visit."""
        falls = isinstance(self._gate, DecreasingHedgeGate)
        rate = self._gate.rate / math.sqrt(self._visits + 1) if falls else self._gate.rate
        prior = self._gate.prior_in_weight
        return sigmoid(math.log(prior) - math.log1p(-prior) + rate * self._gained)

    def learn(self, gained: float) -> None:
        """Take the log-probability of the label under g less that under h."""
        self._visits += 1
        self._gained += gained


def attention(matches: list[bool], carries: list[bool], inverse_temperature: float) -> tuple[float, float]:
    """Softmax attention on the examples that carry a label, and its derivative by the inverse temperature.

    An example's score is the inverse temperature times whether its class matches; the derivative of a softmax average
    by the factor of its scores is a covariance under the softmax.
    """
    scores = [inverse_temperature * match for match in matches]
    largest = max(scores)
    weights = [math.exp(score - largest) for score in scores]
    total = sum(weights)
    copied = sum(weight for weight, carry in zip(weights, carries, strict=True) if carry) / total
    matched = sum(weight for weight, match in zip(weights, matches, strict=True) if match) / total
    both = (weight for weight, match, carry in zip(weights, matches, carries, strict=True) if match and carry)
    return copied, sum(both) / total - copied * matched


def sigmoid(x: float) -> float:
    """Logistic function without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
