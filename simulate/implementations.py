"""From frozen settings to learning states: one dispatch for each role, no class hierarchy.

A part that is not known here may bring its own: a method ``start(lanes)`` that returns a state of the shape that
:mod:`simulate.protocols` describes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from simulate.gates.adahedge import AdaHedgeState
from simulate.gates.fixed_share import FixedShareState
from simulate.gates.gradient import ExponentiatedGradientState, ProjectedGradientState
from simulate.gates.logistic import LogisticState
from simulate.gates.summing import DecreasingHedgeState, HedgeState
from simulate.gates.universal_mixture import UniversalMixtureState
from simulate.in_context.label_posteriors import LabelPosteriorState
from simulate.in_context.label_votes import MajorityVoteState
from simulate.in_context.starts import start_attention, start_kernel_attention, start_learned_attention
from simulate.in_weight.dirichlet_counts import DirichletTableState
from simulate.in_weight.starts import start_logistic_regression
from simulate.lanes import Lanes
from simulate.predictors import NoEngineError
from simulate.protocols import Gate, Predictor
from theory.setting import (
    AdaHedgeGate,
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    ProjectedGradientGate,
    UniversalMixtureGate,
)


def _users_own(role: str, protocol: type) -> Callable[[object, Lanes], Any]:
    def start(part: object, lanes: Lanes) -> Any:
        begin = getattr(part, "start", None)
        if not callable(begin):
            raise NoEngineError(role, part, "step")
        state = begin(lanes)
        if not isinstance(state, protocol):
            raise NoEngineError(role, part, "step")
        return state

    return start


in_weight_state: Any = singledispatch(_users_own("in_weight", Predictor))
"""State of an in-weight predictor: ``in_weight_state(part, lanes) -> Predictor``."""
in_context_state: Any = singledispatch(_users_own("in_context", Predictor))
"""State of an in-context predictor: ``in_context_state(part, lanes) -> Predictor``."""
gate_state: Any = singledispatch(_users_own("gate", Gate))
"""State of a gate: ``gate_state(part, lanes) -> Gate``."""


def _register(dispatch: Any, states: dict[type, Callable[[Lanes], Any]]) -> None:
    for settings, state in states.items():
        dispatch.register(settings, lambda _, lanes, state=state: state(lanes))


_register(
    gate_state,
    {
        BayesGate: HedgeState,
        HedgeGate: HedgeState,
        DecreasingHedgeGate: DecreasingHedgeState,
        AdaHedgeGate: AdaHedgeState,
        FixedShareGate: FixedShareState,
        UniversalMixtureGate: UniversalMixtureState,
        ExponentiatedGradientGate: ExponentiatedGradientState,
        ProjectedGradientGate: ProjectedGradientState,
        LogisticGate: LogisticState,
    },
)
_register(in_weight_state, {DirichletTable: DirichletTableState, LogisticRegression: start_logistic_regression})
_register(
    in_context_state,
    {
        Attention: start_attention,
        KernelAttention: start_kernel_attention,
        LabelPosterior: LabelPosteriorState,
        LearnedAttention: start_learned_attention,
        MajorityVote: MajorityVoteState,
    },
)
