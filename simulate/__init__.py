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
    from simulate.regrets.rows import RegretRow, regret_table
    from simulate.result_file import save
    from simulate.simulation import GroupResult, Run, run

_HOMES = {
    "GroupResult": "simulate.simulation",
    "NoEngineError": "simulate.predictors",
    "RegretRow": "simulate.regrets.rows",
    "Run": "simulate.simulation",
    "agreement": "simulate.agreements",
    "compare_along": "simulate.comparison",
    "parse_axis": "simulate.comparison",
    "regret_table": "simulate.regrets.rows",
    "run": "simulate.simulation",
    "save": "simulate.result_file",
}

__all__ = [
    "GroupResult",
    "NoEngineError",
    "RegretRow",
    "Run",
    "agreement",
    "compare_along",
    "parse_axis",
    "regret_table",
    "run",
    "save",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
