r"""The gates, one number at a time: what the step engine's gates must compute.

Nothing here is shared with the engine but the settings. A gate answers ``weight(query, relevant_examples)`` and learns
with ``learn(query, relevant_examples, in_weight, in_context)``, the log probabilities that the two predictors gave the
label; cells are keys of a dictionary.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any, Protocol

from simulate.predictors import NoEngineError
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    LogisticGate,
    ProjectedGradientGate,
    UniversalMixtureGate,
)

Cell = tuple[int | None, bool | None]


class ReferenceGate(Protocol):
    """A gate of one learner."""

    def weight(self, query: int, relevant_examples: int) -> float:
        """Weight on the in-weight predictor for a prompt."""
        ...

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        """Learn from the log probabilities that the predictors gave the prompt's label."""
        ...


@singledispatch
def reference_gate(part: object, task: Any) -> ReferenceGate:  # noqa: ARG001 (dispatch base)
    """The gate of one learner, from its settings and its task.

    Raises
    ------
    NoEngineError
        The part has no reference.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> gate = reference_gate(BayesGate(prior_in_weight=0.25), TaskDistribution(num_high=1, num_low=1, p_high=0.5))
    >>> gate.learn(0, 1, math.log(0.9), math.log(0.3))
    >>> round(gate.weight(0, 1), 12), round(gate.weight(1, 1), 12)
    (0.5, 0.25)
    """
    raise NoEngineError("gate", part, "reference")


def _cell(per: str, query: int, relevant_examples: int) -> Cell:
    if per == "shared":
        return None, None
    return query, relevant_examples > 0 if per == "query-and-relevance" else None


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _log_odds(prior: float) -> float:
    return math.log(prior) - math.log1p(-prior)


def _add_logs(x: float, y: float) -> float:
    high, low = max(x, y), min(x, y)
    return high + math.log1p(math.exp(low - high))


def _slope(weight: float, other: float, in_weight: float, in_context: float) -> float:
    """(g - h)/f, for the weights of both predictors."""
    best = max(in_weight, in_context)
    g, h = math.exp(in_weight - best), math.exp(in_context - best)
    # Differences of close probabilities by expm1, and a floor where no double is left.
    difference = -math.expm1(in_context - best) if in_weight == best else math.expm1(in_weight - best)
    return difference / max(weight * g + other * h, 1e-150)


class _Hedge:
    def __init__(self, part: BayesGate | HedgeGate) -> None:
        self._part = part
        self._lead: dict[Cell, float] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        lead = self._lead.get(_cell(self._part.per, query, relevant_examples), 0.0)
        return _sigmoid(_log_odds(self._part.prior_in_weight) + self._part.rate * lead)

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        cell = _cell(self._part.per, query, relevant_examples)
        self._lead[cell] = self._lead.get(cell, 0.0) + in_weight - in_context


class _DecreasingHedge:
    def __init__(self, part: DecreasingHedgeGate) -> None:
        self._part = part
        self._gains: dict[Cell, list[float]] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        gains = self._gains.get(_cell(self._part.per, query, relevant_examples), [])
        rate = self._part.rate / math.sqrt(len(gains) + 1)
        return _sigmoid(_log_odds(self._part.prior_in_weight) + rate * math.fsum(gains))

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        cell = _cell(self._part.per, query, relevant_examples)
        self._gains.setdefault(cell, []).append(in_weight - in_context)


class _AdaHedge:
    def __init__(self, part: AdaHedgeGate) -> None:
        self._part = part
        self._losses: dict[Cell, tuple[float, float]] = {}
        self._gap: dict[Cell, float] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        cell = _cell(self._part.per, query, relevant_examples)
        g, h = self._losses.get(cell, (0.0, 0.0))
        gap = self._gap.get(cell, 0.0)
        if gap == 0:
            return 0.5 if g == h else float(g < h)
        return _sigmoid(math.log(2) / gap * (h - g))

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        cell = _cell(self._part.per, query, relevant_examples)
        g, h = self._losses.get(cell, (0.0, 0.0))
        gap = self._gap.get(cell, 0.0)
        weight = self.weight(query, relevant_examples)
        mean = -weight * in_weight - (1 - weight) * in_context
        if gap == 0:
            mixed = min(g - in_weight, h - in_context) - min(g, h)
        else:
            rate = math.log(2) / gap
            before = _add_logs(-rate * g, -rate * h)
            mixed = (before - _add_logs(-rate * (g - in_weight), -rate * (h - in_context))) / rate
        self._gap[cell] = gap + max(mean - mixed, 0.0)
        self._losses[cell] = g - in_weight, h - in_context


class _FixedShare:
    def __init__(self, part: FixedShareGate) -> None:
        self._part = part
        self._log_odds: dict[Cell, float] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        cell = _cell(self._part.per, query, relevant_examples)
        return _sigmoid(self._log_odds.get(cell, _log_odds(self._part.prior_in_weight)))

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        cell = _cell(self._part.per, query, relevant_examples)
        learned = self._log_odds.get(cell, _log_odds(self._part.prior_in_weight)) + in_weight - in_context
        switch, stay = math.log(self._part.switch_rate), math.log1p(-self._part.switch_rate)
        self._log_odds[cell] = _add_logs(stay + learned, switch) - _add_logs(switch + learned, stay)


class _UniversalMixture:
    def __init__(self, part: UniversalMixtureGate) -> None:
        self._part = part
        angles = [math.pi * (2 * k + 1) / (4 * part.nodes) for k in range(part.nodes)]
        self._nodes = [(math.sin(angle) ** 2, math.cos(angle) ** 2) for angle in angles]
        self._log_likelihood: dict[Cell, list[float]] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        logs = self._log_likelihood.get(_cell(self._part.per, query, relevant_examples), [0.0] * len(self._nodes))
        best = max(logs)
        likelihoods = [math.exp(log - best) for log in logs]
        weighted = math.fsum(node * x for (node, _), x in zip(self._nodes, likelihoods, strict=True))
        return weighted / math.fsum(likelihoods)

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        logs = self._log_likelihood.setdefault(
            _cell(self._part.per, query, relevant_examples), [0.0] * len(self._nodes)
        )
        best = max(in_weight, in_context)
        g, h = math.exp(in_weight - best), math.exp(in_context - best)
        logs[:] = [x + math.log(node * g + other * h) for (node, other), x in zip(self._nodes, logs, strict=True)]


class _ExponentiatedGradient:
    def __init__(self, part: ExponentiatedGradientGate) -> None:
        self._part = part
        self._log_odds: dict[Cell, float] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        cell = _cell(self._part.per, query, relevant_examples)
        return _sigmoid(self._log_odds.get(cell, _log_odds(self._part.prior_in_weight)))

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        cell = _cell(self._part.per, query, relevant_examples)
        held = self._log_odds.get(cell, _log_odds(self._part.prior_in_weight))
        slope = _slope(_sigmoid(held), _sigmoid(-held), in_weight, in_context)
        self._log_odds[cell] = held + self._part.learning_rate * slope


class _ProjectedGradient:
    def __init__(self, part: ProjectedGradientGate) -> None:
        self._part = part
        self._weight: dict[Cell, float] = {}

    def weight(self, query: int, relevant_examples: int) -> float:
        return self._weight.get(_cell(self._part.per, query, relevant_examples), self._part.prior_in_weight)

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        held = self.weight(query, relevant_examples)
        moved = held + self._part.learning_rate * _slope(held, 1 - held, in_weight, in_context)
        self._weight[_cell(self._part.per, query, relevant_examples)] = min(max(moved, 0.0), 1.0)


class _Logistic:
    def __init__(self, part: LogisticGate, task: Any) -> None:
        self._part, self._context_length = part, int(task.context_length)
        self._visits: dict[int, int] = {}
        self._theta: dict[object, float] = {"constant": _log_odds(part.prior_in_weight)}

    def weight(self, query: int, relevant_examples: int) -> float:
        features = self._features(query, relevant_examples)
        return _sigmoid(sum(self._theta.get(name, 0.0) * value for name, value in features.items()))

    def learn(self, query: int, relevant_examples: int, in_weight: float, in_context: float) -> None:
        weight = self.weight(query, relevant_examples)
        slope = weight * (1 - weight) * _slope(weight, 1 - weight, in_weight, in_context)
        for name, value in self._features(query, relevant_examples).items():
            self._theta[name] = self._theta.get(name, 0.0) + self._part.learning_rate * slope * value
        self._visits[query] = self._visits.get(query, 0) + 1

    def _features(self, query: int, relevant_examples: int) -> dict[object, float]:
        """Values by name; the indicator of a class has the class for a name."""
        values: dict[str, tuple[object, float]] = {
            "constant": ("constant", 1.0),
            "relevance": ("relevance", relevant_examples / self._context_length),
            "familiarity": ("familiarity", math.log1p(self._visits.get(query, 0))),
            "query": (query, 1.0),
        }
        return dict(values[name] for name in self._part.features)


def _register(part: type, gate: Any) -> None:
    reference_gate.register(part, lambda part, _: gate(part))


_register(BayesGate, _Hedge)
_register(HedgeGate, _Hedge)
_register(DecreasingHedgeGate, _DecreasingHedge)
_register(AdaHedgeGate, _AdaHedge)
_register(FixedShareGate, _FixedShare)
_register(UniversalMixtureGate, _UniversalMixture)
_register(ExponentiatedGradientGate, _ExponentiatedGradient)
_register(ProjectedGradientGate, _ProjectedGradient)
reference_gate.register(LogisticGate, _Logistic)
