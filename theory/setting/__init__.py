"""What the world is like (:class:`TaskDistribution`) and what learns in it (:class:`GatedPredictor`).

Every class here is frozen, keyword-only and checked once, when it is made; a settings file holds the same names.
"""

from __future__ import annotations

from theory.setting.class_law import FREQUENCY_KEYS, LARGEST_NUMBER, ClassLaw
from theory.setting.gate_parts import (
    AdaHedgeGate,
    AnyGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    LogisticGate,
    ProjectedGradientGate,
    UniversalMixtureGate,
)
from theory.setting.in_context_parts import (
    LARGEST_ODDS,
    Attention,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    MajorityVote,
)
from theory.setting.in_weight_parts import DirichletTable, LogisticRegression
from theory.setting.model import GatedPredictor
from theory.setting.task import TaskDistribution

__all__ = [
    "FREQUENCY_KEYS",
    "LARGEST_NUMBER",
    "LARGEST_ODDS",
    "AdaHedgeGate",
    "AnyGate",
    "Attention",
    "BayesGate",
    "ClassLaw",
    "DecreasingHedgeGate",
    "DirichletTable",
    "ExponentiatedGradientGate",
    "FixedShareGate",
    "GatedPredictor",
    "HedgeGate",
    "KernelAttention",
    "LabelPosterior",
    "LearnedAttention",
    "LogisticGate",
    "LogisticRegression",
    "MajorityVote",
    "ProjectedGradientGate",
    "TaskDistribution",
    "UniversalMixtureGate",
]
