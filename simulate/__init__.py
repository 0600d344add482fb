"""What happens when the gated predictor learns online: exact simulation without a loop over time.

Names are loaded when they are first used, so that ``import simulate`` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulate.agreements import agreement
    from simulate.predictors import NoEngineError
    from simulate.result_file import save
    from simulate.simulation import GroupResult, Run, run

_HOMES = {
    "GroupResult": "simulate.simulation",
    "NoEngineError": "simulate.predictors",
    "Run": "simulate.simulation",
    "agreement": "simulate.agreements",
    "run": "simulate.simulation",
    "save": "simulate.result_file",
}

__all__ = ["GroupResult", "NoEngineError", "Run", "agreement", "run", "save"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simulate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
