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
    from simulate.sweeps.exporting import export_csv, export_netcdf, export_npz
    from simulate.sweeps.grid import Grid
    from simulate.sweeps.grid_axes import grid_axis
    from simulate.sweeps.grid_file import read_grid
    from simulate.sweeps.replaying import replay
    from simulate.sweeps.sweep_status import sweep_status
    from simulate.sweeps.sweep_table import SweepTable
    from simulate.sweeps.sweeping import stored_sweep, sweep

_HOMES = {
    "Evaluation": "simulate.evaluation.results",
    "Grid": "simulate.sweeps.grid",
    "GroupResult": "simulate.run_result",
    "NoEngineError": "simulate.predictors",
    "RegretRow": "simulate.regrets.rows",
    "Run": "simulate.run_result",
    "SweepTable": "simulate.sweeps.sweep_table",
    "Trace": "simulate.evaluation.traces",
    "agreement": "simulate.agreements",
    "compare_along": "simulate.comparison",
    "evaluate": "simulate.evaluation.evaluating",
    "export_csv": "simulate.sweeps.exporting",
    "export_netcdf": "simulate.sweeps.exporting",
    "export_npz": "simulate.sweeps.exporting",
    "grid_axis": "simulate.sweeps.grid_axes",
    "load_trace": "simulate.evaluation.trace_file",
    "parse_axis": "simulate.comparison",
    "read_grid": "simulate.sweeps.grid_file",
    "regret_table": "simulate.regrets.rows",
    "replay": "simulate.sweeps.replaying",
    "run": "simulate.simulation",
    "run_grid": "simulate.simulation",
    "run_regrets": "simulate.regrets.running",
    "save": "simulate.result_file",
    "save_trace": "simulate.evaluation.trace_file",
    "stored_sweep": "simulate.sweeps.sweeping",
    "sweep": "simulate.sweeps.sweeping",
    "sweep_status": "simulate.sweeps.sweep_status",
    "trace": "simulate.evaluation.evaluating",
}

__all__ = [
    "Evaluation",
    "Grid",
    "GroupResult",
    "NoEngineError",
    "RegretRow",
    "Run",
    "SweepTable",
    "Trace",
    "agreement",
    "compare_along",
    "evaluate",
    "export_csv",
    "export_netcdf",
    "export_npz",
    "grid_axis",
    "load_trace",
    "parse_axis",
    "read_grid",
    "regret_table",
    "replay",
    "run",
    "run_grid",
    "run_regrets",
    "save",
    "save_trace",
    "stored_sweep",
    "sweep",
    "sweep_status",
    "trace",
]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
