r"""Exponentiated gradient: the gate adds :math:`-\lambda z_i` to its log-odds, at the slope :math:`z_i` of the loss."""

from __future__ import annotations

from typing import Any, Final

import mpmath
import numpy as np
import sympy
from scipy.special import expit, log_expit

from theory.catalogue.gate_losses import (
    HUNTED_VISITS,
    Array,
    each_visit,
    mixed_loss,
)
from theory.catalogue.gradient_slopes import (
    BEST_PAYS,
    BEST_SHARE,
    GAP,
    PAYS,
    PREMISES,
    PROBABILITIES,
    SEQUENCE,
    SMALL,
    TANGENT,
    WITHIN,
    G,
    OfGate,
    best_loss,
    best_so_far,
    best_weight,
    gate_weight,
    met_slope,
    rate,
    rate_up_to,
    slope,
    slope_at,
    slopes,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import S, gap, loss_of_gate
from theory.numerics.gate_prices import hedge_price
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity
from theory.theorems.checks.reductions import after, using
from theory.theorems.checks.sums import VISIT, by_concavity, each_term, naming, over_all, telescopes, times
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_x, _w = sympy.symbols("x w", positive=True)
_Z, _k, _l = sympy.symbols("Z k l", real=True)


def _sum_of_slopes(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    def move(weight: Any, slope: Any) -> Any:
        kept = weight * mpmath.exp(-rate * slope)
        return kept / (kept + 1 - weight)

    return slopes(move, i, n, S, gap)[0]


class SumOfSlopes(OfGate):
    """Sum of the slopes that the exponentiated gradient has met; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    letter = "Z"
    mp_value = staticmethod(_sum_of_slopes)


def _met(i: sympy.Expr) -> sympy.Expr:
    return SumOfSlopes(i, n, S, rate, gap)


_ODDS: Final = sympy.exp(-rate * _met(VISIT - 1))
_EG_WEIGHT: Final = _ODDS / (1 + _ODDS)
_MEETS: Final = _met(VISIT) - _met(VISIT - 1)
_SLOPE_MET: Final = Step(
    _met(VISIT),
    "=",
    _met(VISIT - 1) + slope(_EG_WEIGHT),
    "The slope of the loss in the weight, at the gate's weight.",
    to_fifty_digits(SMALL),
)
_TILTED: Final = -sympy.log(_EG_WEIGHT * sympy.exp(-rate * _MEETS) + 1 - _EG_WEIGHT) / rate
_EG_LOSS: Final = over_all(lambda _: loss_of_gate(_EG_WEIGHT), n)
_EG_LINEAR: Final = over_all(lambda _: PAYS + _MEETS * (_EG_WEIGHT - BEST_SHARE), n)
_EG_SECOND: Final = over_all(lambda _: PAYS - _MEETS * BEST_SHARE + _TILTED + rate * _MEETS**2 / 8, n)
_EG_BOUNDED: Final = over_all(lambda _: PAYS - _MEETS * BEST_SHARE + _TILTED + rate * G**2 / 8, n)


def _eg_potential(i: sympy.Expr) -> sympy.Expr:
    mixture = -sympy.log((1 + sympy.exp(-rate * _met(i))) / 2) / rate
    return best_so_far(i) - BEST_SHARE * _met(i) + mixture + rate * i * G**2 / 8


_EG_PRICE: Final = sympy.log(2) / rate + rate * n * G**2 / 8
_EG_BOUND: Final = best_so_far(n) + _EG_PRICE
_EG_CHAIN: Final = (
    Step(
        _EG_LOSS,
        "<=",
        _EG_LINEAR,
        "The loss is convex in the weight, hence above its tangent at the gate's weight.",
        each_term(
            using(
                BEST_PAYS,
                using(_SLOPE_MET, naming({gate_weight: _EG_WEIGHT, **PROBABILITIES}, TANGENT)),
            )
        ),
    ),
    Step(
        _EG_LINEAR,
        "<=",
        _EG_SECOND,
        "Hoeffding's lemma for the two weights, as for Hedge.",
        each_term(naming({_x: _ODDS, met_slope: _MEETS, best_weight: BEST_SHARE}, by_convexity(met_slope, 0))),
    ),
    Step(
        _EG_SECOND,
        "<=",
        _EG_BOUNDED,
        "The slope is at most G.",
        each_term(naming({met_slope: _MEETS, _x: _ODDS}, WITHIN)),
    ),
    Step(
        _EG_BOUNDED,
        "=",
        _eg_potential(n),
        "What remains of each term is the change of the logarithm of the mixture.",
        telescopes(
            _eg_potential(VISIT),
            naming(
                {met_slope: _met(VISIT), _Z: _met(VISIT - 1), _k: best_so_far(VISIT), _l: best_so_far(VISIT - 1)},
                times(rate, after(sympy.exp, simplifies)),
            ),
        ),
    ),
    Step(
        _eg_potential(n),
        "<=",
        _EG_BOUND,
        "A mean of exp(0) and exp(-rate Z), in the exponent, is at most their sum.",
        naming(
            {best_weight: BEST_SHARE, _Z: _met(n), _k: best_so_far(n)},
            times(rate, by_concavity(best_weight, (sympy.Integer(0), sympy.Integer(1)), {best_weight: 1 / (1 + _w)})),
        ),
    ),
)


def exponentiated_gradient_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the exponentiated-gradient gate, visit by visit."""
    total, odds = np.zeros(gap.shape), np.zeros(gap.shape)
    for _, exists, by_g in each_visit(n, S):
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        total = total + np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), *pays), 0.0)
        odds = odds - rate * slope_at(expit(odds), expit(-odds), by_g, gap)
    return np.asarray(total)


def exponentiated_price(n: Array, rate: Array, G: Array) -> Array:
    r""":math:`\frac{\log 2}{\lambda} + \frac{\lambda n G^2}{8}`: regret of the exponentiated gradient at most."""
    return hedge_price(np.log(2), rate, n * G * G)


THEOREMS: Final = (
    Theorem(
        name="exponentiated_gradient_regret",
        title="Exponentiated-gradient gate: cumulative loss against the best constant mixing weight",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        # At larger rates the gate may oscillate, and only the bound is of use.
        parameters=(*SEQUENCE, rate_up_to(8 / G), GAP),
        premises=PREMISES,
        left=_EG_LOSS,
        relation="<=",
        right=_EG_BOUND,
        derivation=Derivation(lemmas=(BEST_PAYS, _SLOPE_MET), chain=_EG_CHAIN),
        evaluate_left=exponentiated_gradient_loss,
        evaluate_right=lambda n, S, rate, G, gap: best_loss(n, S, gap) + exponentiated_price(n, rate, G),
        hunted_up_to={"n": HUNTED_VISITS},
        value=exponentiated_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of log(2)/rate",
            right=_EG_BOUND - sympy.log(2) / (2 * rate),
            evaluate=lambda n, S, rate, G, gap: (
                best_loss(n, S, gap) + exponentiated_price(n, rate, G) - np.log(2) / (2 * rate)
            ),
        ),
    ),
)
