r"""Regret bounds against the two predictors that need no look at the losses: those of gates that mix log losses.

With the last rate :math:`\lambda \le 1` that a gate used in a cell, the bound is
:math:`\frac1\lambda\log\frac1{\text{prior}}`: log loss is mixable, and normalised losses grow where the rate falls.
"""

from __future__ import annotations

import math

from simulate.run_result import WorstRegret
from theory.setting import BayesGate, DecreasingHedgeGate, HedgeGate


def worst_regret(gate: object, in_weight: float, in_context: float, visits: int) -> WorstRegret:
    """Largest regrets of a run with their bounds, ``None`` for a gate that has no such bounds.

    Parameters
    ----------
    gate : object
        The gate's settings.
    in_weight, in_context : float
        Largest regret against either predictor over all cells and replicates, in nats.
    visits : int
        Visits of the most visited cell.

    Examples
    --------
    >>> round(worst_regret(BayesGate(), 0.5, 0.1, 100).in_weight_bound, 4)
    0.6931
    """
    bounds: tuple[float | None, float | None] = (None, None)
    if isinstance(gate, BayesGate | HedgeGate | DecreasingHedgeGate) and gate.rate <= 1:
        rate = gate.rate / math.sqrt(max(visits, 1)) if isinstance(gate, DecreasingHedgeGate) else gate.rate
        prior = gate.prior_in_weight
        bounds = (-math.log(prior) / rate, -math.log1p(-prior) / rate)
    return WorstRegret(
        in_weight=in_weight, in_weight_bound=bounds[0], in_context=in_context, in_context_bound=bounds[1]
    )
