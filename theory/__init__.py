"""What mathematics says about the gated predictor: settings in, exact risks, phases and boundaries out.

Names are loaded when they are first used, so that ``import theory`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from theory.catalogue import find_theorem, theorem_names
    from theory.diagrams.diagram import PhaseDiagram, phase_diagram
    from theory.errors import NoTheoryError, OutputError, SettingError
    from theory.match_laws import match_law
    from theory.prediction import ClassPrediction, Prediction
    from theory.scaling.exponents import LocalExponent, local_exponent
    from theory.scaling.leading_orders import ScalingLaw, scaling_laws
    from theory.scaling.many_classes import ContextShare, context_share, zipf_task_share
    from theory.scaling.zipf import ZipfShare, zipf_share
    from theory.setting import (
        AdaHedgeGate,
        ArrayInputs,
        Attention,
        BayesGate,
        ClassLaw,
        DecreasingHedgeGate,
        DirichletTable,
        EpisodeDistribution,
        ExponentiatedGradientGate,
        FiniteSample,
        FixedShareGate,
        GatedPredictor,
        GaussianInputs,
        HedgeGate,
        KernelAttention,
        LabelPosterior,
        LabelRule,
        LearnedAttention,
        LogisticGate,
        LogisticRegression,
        MajorityVote,
        ProjectedGradientGate,
        RowKind,
        SphereInputs,
        Stream,
        TabularInputs,
        TaskDistribution,
        UniversalMixtureGate,
        episodes_of,
        task_of,
    )
    from theory.setting.label_flip import flip_within_groups
    from theory.setting_file import load, presets, read, to_toml
    from theory.solver import predict
    from theory.theorems.claim import AssumptionError
    from theory.theorems.theorem import Erratum, Theorem
    from theory.transitions.closing import closing_value

_HOMES = {
    "AdaHedgeGate": "theory.setting",
    "ArrayInputs": "theory.setting",
    "AssumptionError": "theory.theorems.claim",
    "Attention": "theory.setting",
    "BayesGate": "theory.setting",
    "ClassLaw": "theory.setting",
    "ClassPrediction": "theory.prediction",
    "ContextShare": "theory.scaling.many_classes",
    "DecreasingHedgeGate": "theory.setting",
    "DirichletTable": "theory.setting",
    "EpisodeDistribution": "theory.setting",
    "Erratum": "theory.theorems.theorem",
    "ExponentiatedGradientGate": "theory.setting",
    "FiniteSample": "theory.setting",
    "FixedShareGate": "theory.setting",
    "GatedPredictor": "theory.setting",
    "GaussianInputs": "theory.setting",
    "HedgeGate": "theory.setting",
    "KernelAttention": "theory.setting",
    "LabelPosterior": "theory.setting",
    "LabelRule": "theory.setting",
    "LearnedAttention": "theory.setting",
    "LocalExponent": "theory.scaling.exponents",
    "LogisticGate": "theory.setting",
    "LogisticRegression": "theory.setting",
    "MajorityVote": "theory.setting",
    "NoTheoryError": "theory.errors",
    "OutputError": "theory.errors",
    "PhaseDiagram": "theory.diagrams.diagram",
    "Prediction": "theory.prediction",
    "ProjectedGradientGate": "theory.setting",
    "RowKind": "theory.setting",
    "ScalingLaw": "theory.scaling.leading_orders",
    "SettingError": "theory.errors",
    "SphereInputs": "theory.setting",
    "Stream": "theory.setting",
    "TabularInputs": "theory.setting",
    "TaskDistribution": "theory.setting",
    "Theorem": "theory.theorems.theorem",
    "UniversalMixtureGate": "theory.setting",
    "ZipfShare": "theory.scaling.zipf",
    "closing_value": "theory.transitions.closing",
    "context_share": "theory.scaling.many_classes",
    "episodes_of": "theory.setting",
    "find_theorem": "theory.catalogue",
    "flip_within_groups": "theory.setting.label_flip",
    "load": "theory.setting_file",
    "local_exponent": "theory.scaling.exponents",
    "match_law": "theory.match_laws",
    "phase_diagram": "theory.diagrams.diagram",
    "predict": "theory.solver",
    "presets": "theory.setting_file",
    "read": "theory.setting_file",
    "scaling_laws": "theory.scaling.leading_orders",
    "task_of": "theory.setting",
    "theorem_names": "theory.catalogue",
    "to_toml": "theory.setting_file",
    "zipf_share": "theory.scaling.zipf",
    "zipf_task_share": "theory.scaling.many_classes",
}

__all__ = [
    "AdaHedgeGate",
    "ArrayInputs",
    "AssumptionError",
    "Attention",
    "BayesGate",
    "ClassLaw",
    "ClassPrediction",
    "ContextShare",
    "DecreasingHedgeGate",
    "DirichletTable",
    "EpisodeDistribution",
    "Erratum",
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
    "LocalExponent",
    "LogisticGate",
    "LogisticRegression",
    "MajorityVote",
    "NoTheoryError",
    "OutputError",
    "PhaseDiagram",
    "Prediction",
    "ProjectedGradientGate",
    "RowKind",
    "ScalingLaw",
    "SettingError",
    "SphereInputs",
    "Stream",
    "TabularInputs",
    "TaskDistribution",
    "Theorem",
    "UniversalMixtureGate",
    "ZipfShare",
    "closing_value",
    "context_share",
    "episodes_of",
    "find_theorem",
    "flip_within_groups",
    "load",
    "local_exponent",
    "match_law",
    "phase_diagram",
    "predict",
    "presets",
    "read",
    "scaling_laws",
    "task_of",
    "theorem_names",
    "to_toml",
    "zipf_share",
    "zipf_task_share",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
