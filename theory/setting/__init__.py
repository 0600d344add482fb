"""What the world is like (a task or an episode distribution) and what learns in it (:class:`GatedPredictor`).

Every class here is frozen, keyword-only and checked once, when it is made; a settings file holds the same names.
"""

from __future__ import annotations

from theory.setting.class_law import FREQUENCY_KEYS, LARGEST_NUMBER, ClassLaw
from theory.setting.episodes import EpisodeDistribution
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
from theory.setting.input_parts import INPUT_KINDS, AnyInputs, ArrayInputs, GaussianInputs, SphereInputs, TabularInputs
from theory.setting.label_rule import LabelRule
from theory.setting.model import GatedPredictor
from theory.setting.rows import RowKind
from theory.setting.sampling_parts import SAMPLING_KINDS, AnySampling, FiniteSample, Stream
from theory.setting.task import TaskDistribution
from theory.setting.task_episodes import AnyTask, episodes_of, task_of

__all__ = [
    "FREQUENCY_KEYS",
    "INPUT_KINDS",
    "LARGEST_NUMBER",
    "LARGEST_ODDS",
    "SAMPLING_KINDS",
    "AdaHedgeGate",
    "AnyGate",
    "AnyInputs",
    "AnySampling",
    "AnyTask",
    "ArrayInputs",
    "Attention",
    "BayesGate",
    "ClassLaw",
    "DecreasingHedgeGate",
    "DirichletTable",
    "EpisodeDistribution",
    "ExponentiatedGradientGate",
    "FiniteSample",
    "FixedShareGate",
    "GatedPredictor",
    "GaussianInputs",
    "HedgeGate",
    "KernelAttention",
    "LabelPosterior",
    "LabelRule",
    "LearnedAttention",
    "LogisticGate",
    "LogisticRegression",
    "MajorityVote",
    "ProjectedGradientGate",
    "RowKind",
    "SphereInputs",
    "Stream",
    "TabularInputs",
    "TaskDistribution",
    "UniversalMixtureGate",
    "episodes_of",
    "task_of",
]
