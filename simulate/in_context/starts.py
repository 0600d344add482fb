"""Which state an in-context predictor starts from: the parts whose weights depend on relevance alone share one."""

from __future__ import annotations

import numpy as np

from simulate.in_context.kernel_weights import KernelAttentionState
from simulate.in_context.odds_attention import OddsAttentionState
from simulate.lanes import Lanes
from simulate.task_inputs import common_input_dimension


def start_attention(lanes: Lanes) -> OddsAttentionState:
    """Fixed odds: a temperature that does not learn."""
    return OddsAttentionState(lanes, np.log(lanes.numbers("in_context", "odds")), np.zeros(lanes.count))


def start_learned_attention(lanes: Lanes) -> OddsAttentionState:
    """Learned odds."""
    odds, rate = lanes.numbers("in_context", "initial_odds"), lanes.numbers("in_context", "learning_rate")
    return OddsAttentionState(lanes, np.log(odds), rate)


def start_kernel_attention(lanes: Lanes) -> KernelAttentionState | OddsAttentionState:
    r"""Attention on inputs, or on indicators of the classes, which are at the squared distances 0 and 2.

    In the latter case the log-odds are :math:`2\beta`, and a step along the gradient by :math:`\beta` is one along that
    by the log-odds at four times the rate.
    """
    if common_input_dimension(lanes) is not None:
        return KernelAttentionState(lanes)
    temperature, rate = lanes.numbers("in_context", "temperature"), lanes.numbers("in_context", "learning_rate")
    return OddsAttentionState(lanes, 2 / temperature, 4 * rate)
