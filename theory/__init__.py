"""What mathematics says about the gated predictor: settings in, exact risks, phases and boundaries out.

Names are loaded when they are first used, so that ``import theory`` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.errors import NoTheoryError, OutputError, SettingError
    from theory.prediction import ClassPrediction, Prediction, predict
    from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
    from theory.setting_file import load, presets, to_toml

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
    "predict": "theory.prediction",
    "presets": "theory.setting_file",
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
    "to_toml",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'theory' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
