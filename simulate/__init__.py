"""What happens when the gated predictor learns online: exact simulation without a loop over time.

Names are loaded when they are first used, so that ``import simulate`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from simulate.agreements import agreement
    from simulate.comparison import compare_along, parse_axis
    from simulate.evaluation.evaluating import evaluate, trace
    from simulate.evaluation.results import Evaluation
    from simulate.evaluation.trace_file import load_trace, save_trace
    from simulate.evaluation.traces import Trace
    from simulate.predictors import NoEngineError
    from simulate.regrets.rows import RegretRow, regret_table
    from simulate.regrets.running import run_regrets
    from simulate.result_file import save
    from simulate.run_result import GroupResult, Run
    from simulate.simulation import run, run_grid

_HOMES = {
    "Evaluation": "simulate.evaluation.results",
    "GroupResult": "simulate.run_result",
    "NoEngineError": "simulate.predictors",
    "RegretRow": "simulate.regrets.rows",
    "Run": "simulate.run_result",
    "Trace": "simulate.evaluation.traces",
    "agreement": "simulate.agreements",
    "compare_along": "simulate.comparison",
    "evaluate": "simulate.evaluation.evaluating",
    "load_trace": "simulate.evaluation.trace_file",
    "parse_axis": "simulate.comparison",
    "regret_table": "simulate.regrets.rows",
    "run": "simulate.simulation",
    "run_grid": "simulate.simulation",
    "run_regrets": "simulate.regrets.running",
    "save": "simulate.result_file",
    "save_trace": "simulate.evaluation.trace_file",
    "trace": "simulate.evaluation.evaluating",
}

__all__ = [
    "Evaluation",
    "GroupResult",
    "NoEngineError",
    "RegretRow",
    "Run",
    "Trace",
    "agreement",
    "compare_along",
    "evaluate",
    "load_trace",
    "parse_axis",
    "regret_table",
    "run",
    "run_grid",
    "run_regrets",
    "save",
    "save_trace",
    "trace",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
