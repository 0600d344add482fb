r"""Regret bounds against the two predictors that need no look at the losses: they depend on visits alone.

All of them grow with the visits, so that those of the most visited cell hold in every one. Where they come from, and
bounds that depend on the losses: :mod:`simulate.regrets.bounds`.
"""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np

from simulate.run_result import WorstRegret
from theory.numerics.gate_prices import decreasing_hedge_price, fixed_share_price, hedge_price
from theory.setting import BayesGate, DecreasingHedgeGate, FixedShareGate, HedgeGate, UniversalMixtureGate

Bounds = tuple[float | None, float | None]
_NONE: Bounds = (None, None)


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
    bounds = bounds_of_visits(gate, max(visits, 1))
    return WorstRegret(
        in_weight=in_weight, in_weight_bound=bounds[0], in_context=in_context, in_context_bound=bounds[1]
    )


@singledispatch
def bounds_of_visits(gate: object, visits: int) -> Bounds:  # noqa: ARG001 (dispatch base)
    """Largest regret against the in-weight and the in-context predictor after so many visits of a cell, in nats.

    Examples
    --------
    >>> round(bounds_of_visits(UniversalMixtureGate(), 6)[0], 4)
    1.6094
    """
    return _NONE


@bounds_of_visits.register(BayesGate)
@bounds_of_visits.register(HedgeGate)
def _(gate: BayesGate | HedgeGate, visits: int) -> Bounds:  # noqa: ARG001 (the same after any number)
    if gate.rate > 1:
        return _NONE
    in_weight, in_context = (float(hedge_price(start, gate.rate)) for start in _prior_prices(gate.prior_in_weight))
    return in_weight, in_context


@bounds_of_visits.register
def _(gate: DecreasingHedgeGate, visits: int) -> Bounds:
    if gate.rate > 1:
        return _NONE
    starts = _prior_prices(gate.prior_in_weight)
    in_weight, in_context = (float(decreasing_hedge_price(start, gate.rate, visits)) for start in starts)
    return in_weight, in_context


@bounds_of_visits.register
def _(gate: FixedShareGate, visits: int) -> Bounds:
    starts = _prior_prices(gate.prior_in_weight)
    in_weight, in_context = (float(fixed_share_price(start, visits, 0, gate.switch_rate)) for start in starts)
    return in_weight, in_context


@bounds_of_visits.register
def _(gate: UniversalMixtureGate, visits: int) -> Bounds:
    # Beyond, its nodes may not suffice, and what it pays is a search that single trajectories are worth.
    if visits > gate.nodes**2:
        return _NONE
    price = float(np.log1p(4 * visits) / 2)
    return price, price


def _prior_prices(prior: float) -> tuple[float, float]:
    return -math.log(prior), -math.log1p(-prior)
