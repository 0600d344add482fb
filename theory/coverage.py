"""Which parts of a model there is a theory for: one dispatch for each role; anything else is an error that names it."""

from __future__ import annotations

from functools import singledispatch

from theory.errors import NoTheoryError, SettingError
from theory.in_context import check_attention
from theory.setting import (
    AnyGate,
    Attention,
    BayesGate,
    DirichletTable,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)

LARGEST_FLOW_RATE = 1.0
"""Largest learning rate of a temperature that theory speaks of: there the mean gate is off by up to 0.02."""


def check_theory(
    task: TaskDistribution, model: GatedPredictor
) -> tuple[DirichletTable, Attention | LearnedAttention, AnyGate]:
    """The parts of a model, once it is sure that there is a theory for them and that they fit the task.

    Raises
    ------
    NoTheoryError, SettingError
        As :func:`predict`, before anything is computed.
    """
    table, attention = in_weight_theory(model.in_weight), in_context_theory(model.in_context)
    gate = gate_theory(model.gate)
    check_attention(task, attention)
    return table, attention, gate


@singledispatch
def in_weight_theory(part: object) -> DirichletTable:
    """The in-weight part, if there is a theory for it."""
    raise NoTheoryError("in_weight", part)


@singledispatch
def in_context_theory(part: object) -> Attention | LearnedAttention:
    """The in-context part, if there is a theory for it."""
    raise NoTheoryError("in_context", part)


@singledispatch
def gate_theory(part: object) -> AnyGate:
    """The gate, if there is a theory for it."""
    raise NoTheoryError("gate", part)


@in_weight_theory.register
def _(part: DirichletTable) -> DirichletTable:
    return part


@in_context_theory.register
def _(part: Attention) -> Attention:
    return part


@in_context_theory.register
def _(part: LearnedAttention) -> Attention | LearnedAttention:
    if part.learning_rate > LARGEST_FLOW_RATE:
        allowed = f"at most {LARGEST_FLOW_RATE}, up to which the gradient's flow describes the stream (or simulate it)"
        raise SettingError("model.in_context.learning_rate", part.learning_rate, allowed)
    # What does not learn is attention with fixed odds, for which more is known.
    return part if part.learning_rate > 0 else Attention(odds=part.initial_odds, floor=part.floor)


@gate_theory.register(BayesGate)
@gate_theory.register(HedgeGate)
def _(part: AnyGate) -> AnyGate:
    if part.per == "shared":
        raise NoTheoryError("gate", part, "per = 'shared'")
    return part
