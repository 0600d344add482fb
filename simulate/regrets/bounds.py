r"""The regret bounds of the gates, on the trajectory of one cell.

With the weight :math:`\pi` of a predictor in the prior, :math:`D_i = \log g_i(y_i) - \log h_i(y_i)`, and slopes
:math:`z_i = (g_i - h_i)/f_i`, on every sequence of :math:`n` visits:

* Bayes and Hedge with a rate :math:`\lambda \le 1`: :math:`\frac1\lambda\log\frac1\pi`, since log loss is mixable;
  beyond, :math:`\frac1\lambda\log\frac1\pi + \frac\lambda8\sum D_i^2` by Hoeffding's lemma (``hedge_slow_regret``,
  ``hedge_regret`` in the catalogue, the latter with :math:`n B^2` for the sum).
* Decreasing Hedge, :math:`\lambda_i = \lambda/\sqrt i`: :math:`\frac{\sqrt n}\lambda\log\frac1\pi +
  \frac18\sum\max(\lambda_i - 1, 0) D_i^2` (``decreasing_hedge_regret``, with :math:`B^2` for :math:`D_i^2`; the
  theorem speaks of the in-context predictor, and the names are arbitrary).
* AdaHedge: :math:`\Delta_n + \Delta_{n-1}` with the sum :math:`\Delta_n` of its mixability gaps
  (``adahedge_regret``).
* Fixed share against :math:`S` switches: :math:`\log\frac1\pi + S\log\frac1s + (n-1-S)\log\frac1{1-s}`
  (``fixed_share_regret``), with the prior of the first predictor.
* Universal mixture against every constant gate: :math:`\frac12\log(4n+1)` (``universal_mixture_regret``) while its
  nodes suffice.
* Exponentiated gradient against a constant :math:`a`: :math:`\frac1\lambda\mathrm{KL}(a\|\pi) +
  \frac\lambda8\sum z_i^2` (``exponentiated_gradient_regret``, with :math:`\log 2` and :math:`n G^2`).
* Projected gradient: :math:`\frac{(a-\pi)^2}{2\lambda} + \frac\lambda2\sum z_i^2` (``online_gradient_regret``, with
  :math:`\frac1{8\lambda}` and :math:`n G^2`).

The names are those of the catalogue, whose theorems take their closed forms from
:mod:`theory.numerics.gate_prices` too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from simulate.gates.mixing import both_weights
from simulate.regrets.comparators import best_constant, least_switching_loss
from simulate.regrets.mixability import cumulative_mixability_gaps
from simulate.regrets.node_price import mixture_price
from simulate.regrets.visits import CellVisits
from theory.numerics.gate_prices import (
    adahedge_price,
    decreasing_hedge_price,
    descent_price,
    excess_rates,
    fixed_share_price,
    hedge_price,
)
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    ProjectedGradientGate,
    UniversalMixtureGate,
)

Array = NDArray[np.float64]

ONE_PREDICTOR = ("in-weight", "in-context")
BEST_CONSTANT = "best constant gate"
MOST_SWITCHES = 3


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A gate's regret on one trajectory, and its bound there; both in nats."""

    comparator: str
    regret: float
    bound: float
    theorem: str


@singledispatch
def comparisons(gate: object, visits: CellVisits) -> Iterator[Comparison]:  # noqa: ARG001 (dispatch base)
    """Regrets of a gate on the trajectory of one cell, against everything that it has a bound for.

    A gate that has none, as the logistic one, is compared with nothing.
    """
    return iter(())


@comparisons.register(BayesGate)
@comparisons.register(HedgeGate)
def _(gate: BayesGate | HedgeGate, visits: CellVisits) -> Iterator[Comparison]:
    slow = gate.rate <= 1
    squares = 0.0 if slow else float(visits.squared_gains.sum())
    theorem = "bayes_regret" if gate.rate == 1 else "hedge_slow_regret" if slow else "hedge_regret"
    prices = (hedge_price(start, gate.rate, squares) for start in _prior_prices(gate.prior_in_weight))
    return _against_each(visits, prices, theorem)


@comparisons.register
def _(gate: DecreasingHedgeGate, visits: CellVisits) -> Iterator[Comparison]:
    excess = float((excess_rates(visits.count, gate.rate) * visits.squared_gains).sum())
    starts = _prior_prices(gate.prior_in_weight)
    prices = (decreasing_hedge_price(start, gate.rate, visits.count, excess) for start in starts)
    return _against_each(visits, prices, "decreasing_hedge_regret")


@comparisons.register
def _(gate: AdaHedgeGate, visits: CellVisits) -> Iterator[Comparison]:  # noqa: ARG001 (it has no settings to read)
    gaps = cumulative_mixability_gaps(visits.gains)
    price = adahedge_price(gaps)
    return _against_each(visits, (price, price), "adahedge_regret")


@comparisons.register
def _(gate: FixedShareGate, visits: CellVisits) -> Iterator[Comparison]:
    priors = _prior_prices(gate.prior_in_weight)
    staying = (fixed_share_price(prior, visits.count, 0, gate.switch_rate) for prior in priors)
    yield from _against_each(visits, staying, "fixed_share_regret")
    for switches in range(1, min(MOST_SWITCHES, visits.count - 1) + 1):
        starts = zip((visits.pays, visits.pays[::-1]), priors, strict=True)
        # The start that leaves the bound the least.
        loss, prior = min(((least_switching_loss(pays, switches), prior) for pays, prior in starts), key=sum)
        yield Comparison(
            comparator=f"best gate with {switches} switch{'es' if switches > 1 else ''}",
            regret=visits.paid - loss,
            bound=float(fixed_share_price(prior, visits.count, switches, gate.switch_rate)),
            theorem="fixed_share_regret",
        )


@comparisons.register
def _(gate: UniversalMixtureGate, visits: CellVisits) -> Iterator[Comparison]:
    price = mixture_price(visits.count, gate.nodes)
    yield from _against_each(visits, (price, price), "universal_mixture_regret")
    yield _against_best(visits, best_constant(visits.gains)[1], price, "universal_mixture_regret")


@comparisons.register
def _(gate: ExponentiatedGradientGate, visits: CellVisits) -> Iterator[Comparison]:
    prior, rate, theorem = gate.prior_in_weight, gate.learning_rate, "exponentiated_gradient_regret"
    prices = (hedge_price(start, rate, visits.squared_slopes) for start in _prior_prices(prior))
    yield from _against_each(visits, prices, theorem)
    log_odds, loss = best_constant(visits.gains)
    share, other = both_weights(np.asarray(log_odds))
    divergence = float(rel_entr(share, prior) + rel_entr(other, 1 - prior))
    yield _against_best(visits, loss, hedge_price(divergence, rate, visits.squared_slopes), theorem)


@comparisons.register
def _(gate: ProjectedGradientGate, visits: CellVisits) -> Iterator[Comparison]:
    prior, rate, theorem = gate.prior_in_weight, gate.learning_rate, "online_gradient_regret"
    prices = (descent_price((share - prior) ** 2, rate, visits.squared_slopes) for share in (1.0, 0.0))
    yield from _against_each(visits, prices, theorem)
    log_odds, loss = best_constant(visits.gains)
    share = float(both_weights(np.asarray(log_odds))[0])
    price = descent_price((share - prior) ** 2, rate, visits.squared_slopes)
    yield _against_best(visits, loss, price, theorem)


def _prior_prices(prior: float) -> tuple[float, float]:
    """Logarithms of one over the prior weights, in nats."""
    return -math.log(prior), -math.log1p(-prior)


def _against_each(visits: CellVisits, prices: Iterable[float | Array], theorem: str) -> Iterator[Comparison]:
    for comparator, pays, price in zip(ONE_PREDICTOR, visits.pays, prices, strict=True):
        # Visit by visit, not as a difference of two large sums.
        regret = float((visits.shortfalls - pays).sum())
        yield Comparison(comparator=comparator, regret=regret, bound=float(price), theorem=theorem)


def _against_best(visits: CellVisits, loss: float, price: float | Array, theorem: str) -> Comparison:
    return Comparison(comparator=BEST_CONSTANT, regret=visits.paid - loss, bound=float(price), theorem=theorem)
