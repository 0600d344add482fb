"""What learns in the world: the gated predictor and its three parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from theory.setting.gate_parts import BayesGate
from theory.setting.in_context_parts import Attention
from theory.setting.in_weight_parts import DirichletTable


@dataclass(frozen=True, kw_only=True)
class GatedPredictor:
    r"""The model :math:`f = \alpha g + (1 - \alpha) h`.

    A part may be any frozen dataclass: :func:`theory.predict` raises :class:`theory.NoTheoryError` for one that it has
    no theory for, and the simulator for one that it has no implementation for. The kinds that a settings file can name
    are in :data:`theory.setting_file.PARTS`.

    Parameters
    ----------
    in_weight : DirichletTable, LogisticRegression or a user's own
        :math:`g`, learned from the stream.
    in_context : Attention, LearnedAttention, KernelAttention, LabelPosterior, MajorityVote or a user's own
        :math:`h`, which copies labels from the prompt.
    gate : BayesGate, HedgeGate, another gate of :mod:`theory.setting.gate_parts`, or a user's own
        :math:`\alpha`, the weight on :math:`g`, learned online.
    """

    in_weight: Any = field(default_factory=DirichletTable)
    in_context: Any = field(default_factory=Attention)
    gate: Any = field(default_factory=BayesGate)
