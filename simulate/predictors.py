"""From frozen settings to what the scan engine runs: one dispatch for each role, no class hierarchy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, singledispatch

import numpy as np
from numpy.typing import NDArray

from simulate.learned_attention import LearningAttention
from simulate.prompts import PromptStatistics
from theory.in_context import check_attention, floored_loss, label_mass
from theory.setting import (
    AnyGate,
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
LossOf = Callable[[PromptStatistics], Array]

_LARGEST_TABLE = 1 << 16
"""Outcomes up to which their losses are looked up: all of them for contexts up to 70."""


class NoEngineError(ValueError):
    """A part of the model has no implementation in an engine; the message names both.

    Parameters
    ----------
    role : str
        The part's role: ``in_weight``, ``in_context`` or ``gate``.
    part : object
        The part.
    engine : {"scan", "step", "reference"}
        The engine.
    """

    def __init__(self, role: str, part: object, engine: str) -> None:
        self.role, self.part = role, part
        name = getattr(part, "kind", None) or type(part).__name__
        super().__init__(f"model.{role} = {name!r} has no implementation in the {engine} engine")


@dataclass(frozen=True, eq=False)
class TabledLosses:
    """In-context losses that take few values: looked up by the *outcome* of a prompt, a small whole number.

    Parameters
    ----------
    values : ndarray, shape (outcomes,)
        Loss in nats of each outcome.
    first : ndarray of int, shape (context_length + 1,)
        First outcome of each number of relevant examples; from there on they are numbered by their relevant matches,
        and then by their irrelevant ones.
    fixed : int or None
        The number of relevant examples, where it is the same in every prompt.
    """

    values: Array
    first: Indices
    fixed: int | None

    def outcomes(self, drawn: PromptStatistics) -> Indices:
        """Outcome of each prompt."""
        if self.fixed is not None:
            outcome = drawn.relevant_matches * (self.first.size - self.fixed)
            outcome += drawn.irrelevant_matches
            return np.asarray(outcome)
        outcome = self.first.size - drawn.relevant_examples
        outcome *= drawn.relevant_matches
        outcome += drawn.irrelevant_matches
        outcome += self.first.take(drawn.relevant_examples)
        return np.asarray(outcome)

    def __call__(self, drawn: PromptStatistics) -> Array:
        """Loss of each prompt."""
        return self.values.take(self.outcomes(drawn))


@singledispatch
def in_context_losses(part: object, task: TaskDistribution) -> LossOf:  # noqa: ARG001 (dispatch base)
    """Function from prompt statistics to the in-context losses in nats, shape (steps,).

    A part that learns keeps its state between calls, which then have to take the stream block by block.
    """
    raise NoEngineError("in_context", part, "scan")


@in_context_losses.register
def _(part: Attention, task: TaskDistribution) -> LossOf:
    check_attention(task, part)
    length = task.context_length

    def computed(drawn: PromptStatistics) -> Array:
        m = drawn.relevant_examples
        mass = label_mass(drawn.relevant_matches, drawn.irrelevant_matches, m, length - m, part.odds)
        return floored_loss(mass, task.total_labels, part.floor)

    fixed = task.relevant_examples if task.p_relevant == 1 else None
    return _tabled(part, length, fixed, task.total_labels, (label_mass, floored_loss)) or computed


@lru_cache(maxsize=16)
def _tabled(
    part: Attention, length: int, fixed: int | None, labels: int, formulas: tuple[Callable[..., Array], ...]
) -> TabledLosses | None:
    """Losses of all outcomes, if they are not too many.

    They are kept, since a run asks more than once and the cells of a sweep ask for the same ones; under the formulas
    too, so that a test's wrong variant is not answered with the right one's table, nor the other way round.
    """
    mass_of, loss_of = formulas
    numbers = np.arange(length + 1) if fixed is None else np.array([fixed])
    # From 0 to m relevant matches, and from 0 to L - m irrelevant ones.
    sizes = (numbers + 1) * (length + 1 - numbers)
    if sizes.sum() > _LARGEST_TABLE:
        return None
    starts = sizes.cumsum() - sizes
    m = numbers.repeat(sizes)
    within, width = np.arange(m.size) - starts.repeat(sizes), length + 1 - m
    relevant = within // width
    irrelevant = within - relevant * width
    mass = np.minimum(mass_of(relevant, irrelevant, m, length - m, part.odds), 1.0)
    first = np.zeros(length + 1, dtype=np.intp)
    first[numbers] = starts
    return TabledLosses(loss_of(mass, labels, part.floor), first, fixed)


@in_context_losses.register
def _(part: LearnedAttention, task: TaskDistribution) -> LossOf:
    check_attention(task, part)
    return LearningAttention(part, task)


@singledispatch
def in_weight_pseudo_count(part: object) -> float:
    """Pseudo-count of the Dirichlet table, the in-weight predictor whose loss the scan engine knows from counts."""
    raise NoEngineError("in_weight", part, "scan")


@in_weight_pseudo_count.register
def _(part: DirichletTable) -> float:
    return part.pseudo_count


SummingGate = AnyGate | DecreasingHedgeGate
"""The gates that the scan engine runs: the prior's log-odds plus a sum, times a rate that visits alone decide."""


@singledispatch
def summing_gate(part: object) -> SummingGate:
    """The gate, if its log-odds are the prior's and a sum over earlier visits, times what their number decides."""
    raise NoEngineError("gate", part, "scan")


@summing_gate.register(BayesGate)
@summing_gate.register(HedgeGate)
@summing_gate.register(DecreasingHedgeGate)
def _(part: SummingGate) -> SummingGate:
    return part
