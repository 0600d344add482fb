"""Which state an in-weight predictor starts from, where that depends on the task."""

from __future__ import annotations

from simulate.in_weight.logistic_table import TabularLogisticState
from simulate.in_weight.logistic_weights import InputLogisticState
from simulate.lanes import Lanes
from simulate.task_inputs import common_input_dimension


def start_logistic_regression(lanes: Lanes) -> InputLogisticState | TabularLogisticState:
    """Weights for the inputs of the task, or for the indicators of its classes where it has none."""
    dimension = common_input_dimension(lanes)
    return TabularLogisticState(lanes) if dimension is None else InputLogisticState(lanes, dimension)
