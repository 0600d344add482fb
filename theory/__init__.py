"""What mathematics says about the gated predictor: settings in, exact risks, phases and boundaries out.

Names are loaded when they are first used, so that ``import theory`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from theory.errors import NoTheoryError, OutputError, SettingError
    from theory.prediction import ClassPrediction, Prediction
    from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
    from theory.setting_file import load, presets, read, to_toml
    from theory.solver import predict

_HOMES = {
    "Attention": "theory.setting",
    "BayesGate": "theory.setting",
    "ClassPrediction": "theory.prediction",
    "DirichletTable": "theory.setting",
    "GatedPredictor": "theory.setting",
    "NoTheoryError": "theory.errors",
    "OutputError": "theory.errors",
    "Prediction": "theory.prediction",
    "SettingError": "theory.errors",
    "TaskDistribution": "theory.setting",
    "load": "theory.setting_file",
    "predict": "theory.solver",
    "presets": "theory.setting_file",
    "read": "theory.setting_file",
    "to_toml": "theory.setting_file",
}

__all__ = [
    "Attention",
    "BayesGate",
    "ClassPrediction",
    "DirichletTable",
    "GatedPredictor",
    "NoTheoryError",
    "OutputError",
    "Prediction",
    "SettingError",
    "TaskDistribution",
    "load",
    "predict",
    "presets",
    "read",
    "to_toml",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
