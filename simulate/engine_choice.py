"""Which engine simulates a setting: the scan where it can, the step engine elsewhere."""

from __future__ import annotations

from simulate.predictors import NoEngineError, in_context_losses, in_weight_pseudo_count, summing_gate
from theory.checks import choice
from theory.errors import SettingError
from theory.setting import AnyTask, GatedPredictor, TaskDistribution

ENGINES = ("scan", "step")


def chosen_engine(task: AnyTask, model: GatedPredictor, engine: str | None) -> str:
    """The engine that was asked for, or the fastest that can simulate the setting.

    Raises
    ------
    NoEngineError
        The scan engine was asked for, and cannot simulate a part of the model.
    SettingError
        There is no such engine, or the scan engine was asked for an episode distribution.
    """
    if engine is not None:
        choice("engine", engine, ENGINES)
    if not isinstance(task, TaskDistribution):
        if engine == "scan":
            raise SettingError("engine", engine, "'step', since the scan engine simulates a TaskDistribution only")
        return "step"
    if engine == "step":
        return "step"
    try:
        scan_covers(task, model)
    except NoEngineError:
        if engine == "scan":
            raise
        return "step"
    return "scan"


def scan_covers(task: TaskDistribution, model: GatedPredictor) -> None:
    """Raise :class:`NoEngineError` for a part that the scan engine cannot simulate."""
    in_weight_pseudo_count(model.in_weight)
    in_context_losses(model.in_context, task)
    summing_gate(model.gate)
