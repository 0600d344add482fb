"""What happens when the gated predictor learns online: exact simulation without a loop over time.

Names are loaded when they are first used, so that ``import simulate`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from simulate.agreements import agreement
    from simulate.comparison import compare_along, parse_axis
    from simulate.predictors import NoEngineError
    from simulate.result_file import save
    from simulate.run_result import GroupResult, Run
from simulate.simulation import run, run_grid

_HOMES = {
    "GroupResult": "simulate.run_result",
    "NoEngineError": "simulate.predictors",
    "Run": "simulate.run_result",
    "agreement": "simulate.agreements",
    "compare_along": "simulate.comparison",
    "parse_axis": "simulate.comparison",
    "run": "simulate.simulation",
    "run_grid": "simulate.simulation",
    "save": "simulate.result_file",
}

__all__ = ["GroupResult", "NoEngineError", "Run", "agreement", "compare_along", "parse_axis", "run", "run_grid", "save"]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
