"""What mathematics says about the gated predictor: settings in, exact risks, phases and boundaries out.

Names are loaded when they are first used, so that ``import theory`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from theory.catalogue import find_theorem, theorem_names
    from theory.closing import closing_value
    from theory.errors import NoTheoryError, OutputError, SettingError
    from theory.prediction import ClassPrediction, Prediction
    from theory.setting import (
        Attention,
        BayesGate,
        DirichletTable,
        GatedPredictor,
        HedgeGate,
        LearnedAttention,
        TaskDistribution,
    )
    from theory.setting_file import load, presets, read, to_toml
    from theory.solver import predict
    from theory.theorems.claim import AssumptionError
    from theory.theorems.theorem import Erratum, Theorem

_HOMES = {
    "AssumptionError": "theory.theorems.claim",
    "Attention": "theory.setting",
    "BayesGate": "theory.setting",
    "ClassPrediction": "theory.prediction",
    "DirichletTable": "theory.setting",
    "Erratum": "theory.theorems.theorem",
    "GatedPredictor": "theory.setting",
    "HedgeGate": "theory.setting",
    "LearnedAttention": "theory.setting",
    "NoTheoryError": "theory.errors",
    "OutputError": "theory.errors",
    "Prediction": "theory.prediction",
    "SettingError": "theory.errors",
    "TaskDistribution": "theory.setting",
    "Theorem": "theory.theorems.theorem",
    "closing_value": "theory.closing",
    "find_theorem": "theory.catalogue",
    "load": "theory.setting_file",
    "predict": "theory.solver",
    "presets": "theory.setting_file",
    "read": "theory.setting_file",
    "theorem_names": "theory.catalogue",
    "to_toml": "theory.setting_file",
}

__all__ = [
    "AssumptionError",
    "Attention",
    "BayesGate",
    "ClassPrediction",
    "DirichletTable",
    "Erratum",
    "GatedPredictor",
    "HedgeGate",
    "LearnedAttention",
    "NoTheoryError",
    "OutputError",
    "Prediction",
    "SettingError",
    "TaskDistribution",
    "Theorem",
    "closing_value",
    "find_theorem",
    "load",
    "predict",
    "presets",
    "read",
    "theorem_names",
    "to_toml",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
