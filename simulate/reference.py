"""The slow, readable twin: reads whole prompts, one step at a time, and says what the fast engine must compute.

Nothing here is shared with the fast engine but the settings: attention is a softmax over the examples, the table a
dictionary of counts, the gate one number for each cell.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from simulate.prompts import Prompts
from theory.setting import GatedPredictor, TaskDistribution


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
    log_odds: dict[tuple[int, bool | None], float] = {}
    steps = []
    for query, label, classes, context in zip(
        prompts.query.tolist(),
        prompts.label.tolist(),
        prompts.context_classes.tolist(),
        prompts.context_labels.tolist(),
        strict=True,
    ):
        relevant = query in classes
        cell = (query, relevant if model.gate.per == "query-and-relevance" else None)
        odds = log_odds.get(cell, model.gate.prior_log_odds)
        alpha = sigmoid(odds)
        g = (seen[query, label] + b) / (visits[query] + labels * b)
        h = attention(query, label, classes, context, model.in_context.odds, model.in_context.floor, labels)
        log_odds[cell] = odds + model.gate.rate * (math.log(g) - math.log(h))
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
                gate_after=sigmoid(log_odds[cell]),
            )
        )
    return steps


def attention(
    query: int,
    label: int,
    classes: list[int],
    labels: list[int],
    odds: float,
    floor: float,
    total_labels: int,
) -> float:
    """Probability that floored softmax attention gives a label: scores are log-odds of a matching class."""
    scores = [math.log(odds) if other == query else 0.0 for other in classes]
    largest = max(scores)
    weights = [math.exp(score - largest) for score in scores]
    copied = sum(weight for weight, other in zip(weights, labels, strict=True) if other == label) / sum(weights)
    return (1 - total_labels * floor) * copied + floor


def sigmoid(x: float) -> float:
    """Logistic function without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
