"""What learns in the world: the gated predictor and its three parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from theory.setting.gate_parts import AnyGate, BayesGate
from theory.setting.in_context_parts import Attention, LearnedAttention
from theory.setting.in_weight_parts import DirichletTable


@dataclass(frozen=True, kw_only=True)
class GatedPredictor:
    r"""The model :math:`f = \alpha g + (1 - \alpha) h`.

    A part may be any frozen dataclass: :func:`theory.predict` raises :class:`theory.NoTheoryError` for one that it has
    no theory for, and the simulator for one that it has no implementation for.

    Parameters
    ----------
    in_weight : DirichletTable
        :math:`g`, learned from the stream.
    in_context : Attention or LearnedAttention
        :math:`h`, which copies labels from the prompt.
    gate : BayesGate or HedgeGate
        :math:`\alpha`, the weight on :math:`g`, learned online.
    """

    in_weight: DirichletTable = field(default_factory=DirichletTable)
    in_context: Attention | LearnedAttention = field(default_factory=Attention)
    gate: AnyGate = field(default_factory=BayesGate)
