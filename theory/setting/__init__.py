"""What the world is like (:class:`TaskDistribution`) and what learns in it (:class:`GatedPredictor`).

Every class here is frozen, keyword-only and checked once, when it is made; a settings file holds the same names.
"""

from __future__ import annotations

from theory.setting.class_law import FREQUENCY_KEYS, LARGEST_NUMBER, ClassLaw
from theory.setting.gate_parts import AnyGate, BayesGate, HedgeGate
from theory.setting.in_context_parts import LARGEST_ODDS, Attention, LearnedAttention
from theory.setting.in_weight_parts import DirichletTable
from theory.setting.model import GatedPredictor
from theory.setting.task import TaskDistribution

__all__ = [
    "FREQUENCY_KEYS",
    "LARGEST_NUMBER",
    "LARGEST_ODDS",
    "AnyGate",
    "Attention",
    "BayesGate",
    "ClassLaw",
    "DirichletTable",
    "GatedPredictor",
    "HedgeGate",
    "LearnedAttention",
    "TaskDistribution",
]
