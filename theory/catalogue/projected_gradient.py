r"""The projected gradient gate: it adds :math:`-\lambda z_i` to the weight, with the slope of the loss."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import sympy

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
from theory.numerics import gate_prices as prices
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import substituting, using
from theory.theorems.checks.sums import VISIT, each_term, in_cases, naming, over_all, telescopes
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_x, _w = sympy.symbols("x w", positive=True)
_s = sympy.Symbol("s", nonnegative=True)
_k = sympy.Symbol("k", real=True)


def _projected_weight(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    return slopes(lambda weight, slope: min(max(weight - rate * slope, 0), 1), i, n, S, gap)[1]


def _projected_slope(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    def move(weight: Any, slope: Any) -> Any:
        return min(max(weight - rate * slope, 0), 1)

    return slopes(move, i, n, S, gap)[0] - slopes(move, i - 1, n, S, gap)[0]


class ProjectedWeight(OfGate):
    """Weight of gradient descent after i visits; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    is_nonnegative = True
    letter = r"\alpha"
    start = sympy.Rational(1, 2)
    mp_value = staticmethod(_projected_weight)


class ProjectedSlope(OfGate):
    """Slope that gradient descent meets at visit i; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    letter = "z"
    mp_value = staticmethod(_projected_slope)


def _weight(i: sympy.Expr) -> sympy.Expr:
    return ProjectedWeight(i, n, S, rate, gap)


_GD_SLOPE: Final = ProjectedSlope(VISIT, n, S, rate, gap)
_GD_SLOPE_MET: Final = Step(
    _GD_SLOPE,
    "=",
    slope(_weight(VISIT - 1)),
    "The slope of the loss in the weight, at the gate's weight.",
    to_fifty_digits(SMALL),
)
_PROJECTED: Final = Step(
    _weight(VISIT),
    "=",
    sympy.Min(sympy.Max(_weight(VISIT - 1) - rate * _GD_SLOPE, 0), 1),
    "One step against the slope, then to the nearest weight in [0, 1].",
    to_fifty_digits(SMALL),
)
_GAIN: Final = ((_weight(VISIT - 1) - BEST_SHARE) ** 2 - (_weight(VISIT) - BEST_SHARE) ** 2) / (2 * rate)
_GD_LOSS: Final = over_all(lambda _: loss_of_gate(_weight(VISIT - 1)), n)
_GD_LINEAR: Final = over_all(lambda _: PAYS + _GD_SLOPE * (_weight(VISIT - 1) - BEST_SHARE), n)
_GD_SECOND: Final = over_all(lambda _: PAYS + _GAIN + rate * _GD_SLOPE**2 / 2, n)
_GD_BOUNDED: Final = over_all(lambda _: PAYS + _GAIN + rate * G**2 / 2, n)
_v = sympy.Symbol("v", real=True)
_BEST_BELOW_ONE: Final = {best_weight: 1 / (1 + _w)}
_PROJECTION: Final = Step(
    (sympy.Min(sympy.Max(_v, 0), 1) - best_weight) ** 2,
    "<=",
    (_v - best_weight) ** 2,
    "The projection comes nearer to every weight in [0, 1].",
    in_cases(
        ({_v: -_s, **_BEST_BELOW_ONE}, {_v: 1 + _s, **_BEST_BELOW_ONE}, {_v: 1 / (1 + _x), **_BEST_BELOW_ONE}),
        by_sign(),
    ),
)


def _gd_potential(i: sympy.Expr) -> sympy.Expr:
    return best_so_far(i) - (_weight(i) - BEST_SHARE) ** 2 / (2 * rate) + rate * i * G**2 / 2


_GD_END: Final = _gd_potential(n) - _gd_potential(sympy.Integer(0))
PRICE: Final = 1 / (8 * rate) + rate * n * G**2 / 2
_GD_BOUND: Final = best_so_far(n) + PRICE
_GD_CHAIN: Final = (
    Step(
        _GD_LOSS,
        "<=",
        _GD_LINEAR,
        "The loss is convex in the weight, hence above its tangent at the gate's weight.",
        each_term(
            using(
                BEST_PAYS,
                using(_GD_SLOPE_MET, naming({gate_weight: _weight(VISIT - 1), **PROBABILITIES}, TANGENT)),
            )
        ),
    ),
    Step(
        _GD_LINEAR,
        "<=",
        _GD_SECOND,
        "A step comes nearer to the best weight by what the tangent is above it, but for its square.",
        each_term(
            using(
                _PROJECTED,
                naming(
                    {met_slope: _GD_SLOPE, gate_weight: _weight(VISIT - 1), best_weight: BEST_SHARE},
                    in_cases(
                        (
                            {gate_weight: rate * met_slope - _s, best_weight: 1 / (1 + _w)},
                            {gate_weight: rate * met_slope + 1 + _s, best_weight: 1 / (1 + _w)},
                            {gate_weight: rate * met_slope + 1 / (1 + _x), best_weight: 1 / (1 + _w)},
                        ),
                        by_sign(),
                    ),
                ),
            )
        ),
    ),
    Step(
        _GD_SECOND,
        "<=",
        _GD_BOUNDED,
        "The slope is at most G.",
        each_term(naming({met_slope: _GD_SLOPE}, WITHIN)),
    ),
    Step(_GD_BOUNDED, "=", _GD_END, "The squared distances telescope.", telescopes(_gd_potential(VISIT), simplifies)),
    Step(
        _GD_END,
        "<=",
        _GD_BOUND,
        "The last square may be dropped; from 1/2 no weight is farther than 1/2.",
        naming(
            {_s: (_weight(n) - BEST_SHARE) ** 2, best_weight: BEST_SHARE, _k: best_so_far(n)},
            substituting({best_weight: 1 / (1 + _w)}, by_sign()),
        ),
    ),
)


def projected_gradient_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the gate that descends the gradient in the weight, visit by visit."""
    total, share = np.zeros(()), np.full(gap.shape, 0.5)
    for _, exists, by_g in each_visit(n, S):
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        logs = (_log(share), _log(1 - share))
        total = total + np.where(exists, mixed_loss(*logs, *pays), 0.0)
        share = np.clip(share - rate * slope_at(share, 1 - share, by_g, gap), 0.0, 1.0)
    return np.asarray(total)


def _log(share: Array) -> Array:
    return np.asarray(np.where(share > 0, np.log(np.where(share > 0, share, 1.0)), -np.inf))


def descent_price(n: Array, rate: Array, G: Array) -> Array:
    r""":math:`\frac{1}{8\lambda} + \frac{\lambda n G^2}{2}`: regret of gradient descent at most."""
    return prices.descent_price(0.25, rate, n * G * G)


THEOREMS: Final = (
    Theorem(
        name="online_gradient_regret",
        title="Gradient-descent gate: cumulative loss against the best constant mixing weight",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(*SEQUENCE, rate_up_to(1 / G), GAP),
        premises=PREMISES,
        left=_GD_LOSS,
        relation="<=",
        right=_GD_BOUND,
        derivation=Derivation(lemmas=(BEST_PAYS, _PROJECTED, _PROJECTION, _GD_SLOPE_MET), chain=_GD_CHAIN),
        evaluate_left=projected_gradient_loss,
        evaluate_right=lambda n, S, rate, G, gap: best_loss(n, S, gap) + descent_price(n, rate, G),
        # Beyond, a step may be so large that rounding decides where the gate goes.
        hunted_up_to={"n": HUNTED_VISITS, "G": 2.0},
        value=descent_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of 1/(8 rate)",
            right=_GD_BOUND - 1 / (16 * rate),
            evaluate=lambda n, S, rate, G, gap: best_loss(n, S, gap) + descent_price(n, rate, G) - 1 / (16 * rate),
        ),
    ),
)
