r"""Gates that follow the gradient of the loss in the mixing weight, against the best constant mixing weight.

The slope of the loss in the weight is :math:`z_i = -(g_i - h_i)/f_i` (probabilities of the label). Exponentiated
gradient adds :math:`-\lambda z_i` to the log-odds; projected gradient descent adds it to the weight, kept in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    HUNTED_VISITS,
    SWITCHES,
    Array,
    each_visit,
    gap_up_to,
    mixed_loss,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import G_PAYS, H_PAYS, S, gap, loss_of_gate, visits_paid_by_g
from theory.catalogue.universal_mixture import best_share, loss_of_best_share, precise_loss_of_best_share
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.reductions import after, evaluated, substituting, using
from theory.theorems.checks.sums import VISIT, by_concavity, each_term, in_cases, naming, over_all, telescopes, times
from theory.theorems.derivation import Derivation, Step
from theory.theorems.least import Least, attained_at, least_in_mpmath, least_in_numpy
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

rate = sympy.Symbol("rate", positive=True)
G = sympy.Symbol("G", positive=True)
_x, _w = sympy.symbols("x w", positive=True)
_s = sympy.Symbol("s", nonnegative=True)
_share, _next = sympy.symbols("p p_next", nonnegative=True)
_a = sympy.Symbol("a", nonnegative=True)
_g, _h = sympy.symbols("g h", positive=True)
_z, _Z, _k, _l = sympy.symbols("z Z k l", real=True)

LARGEST_SLOPE: Final = Parameter(
    symbol=G,
    latex="G",
    meaning="largest slope of the loss in the mixing weight, nats (see gradient_bound)",
    lowest=1e-6,
    highest=1e12,
    corners=(1.0, 10.0),
)


def _rate_up_to(highest: sympy.Expr) -> Parameter:
    return Parameter(
        symbol=rate,
        latex=r"\lambda",
        meaning="learning rate of the gate, per nat",
        lowest=0,
        highest=highest,
        above=True,
    )


# The gates on the evenly switching sequence, in mpmath.


def _slopes(move: Callable[[Any, Any], Any], i: Any, n: Any, S: Any, gap: Any) -> tuple[Any, Any]:
    """Sum of the first i slopes, and the weight after them, of a gate that makes a weight of them."""
    total, weight = mpmath.mpf(0), mpmath.mpf(1) / 2
    for t in range(int(i)):
        g_pays = visits_paid_by_g(t + 1, int(n), int(S)) > visits_paid_by_g(t, int(n), int(S))
        g, h = mpmath.exp(-gap if g_pays else 0), mpmath.exp(0 if g_pays else -gap)
        slope = -(g - h) / (weight * g + (1 - weight) * h)
        total += slope
        weight = move(weight, slope)
    return total, weight


def _sum_of_slopes(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    def move(weight: Any, slope: Any) -> Any:
        kept = weight * mpmath.exp(-rate * slope)
        return kept / (kept + 1 - weight)

    return _slopes(move, i, n, S, gap)[0]


def _projected_weight(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    return _slopes(lambda weight, slope: min(max(weight - rate * slope, 0), 1), i, n, S, gap)[1]


def _projected_slope(i: Any, n: Any, S: Any, rate: Any, gap: Any) -> Any:
    def move(weight: Any, slope: Any) -> Any:
        return min(max(weight - rate * slope, 0), 1)

    return _slopes(move, i, n, S, gap)[0] - _slopes(move, i - 1, n, S, gap)[0]


def _visits_paid_by_h(n: Any, S: Any) -> int:
    return int(n) - visits_paid_by_g(int(n), int(n), int(S))


def _loss_of_share(i: Any, n: Any, S: Any, gap: Any) -> Any:
    k = _visits_paid_by_h(n, S)
    if i == n:
        return precise_loss_of_best_share(n, k, gap)
    share, q = best_share(n, k, gap), mpmath.exp(-gap)
    paid = visits_paid_by_g(int(i), int(n), int(S))
    return -paid * mpmath.log(share * q + 1 - share) - (i - paid) * mpmath.log(share + (1 - share) * q)


class _OfGate(sympy.Function):  # type: ignore[misc]
    is_real = True
    letter = ""
    start: sympy.Expr = sympy.Integer(0)

    @classmethod
    def eval(cls, i: sympy.Expr, *_: sympy.Expr) -> sympy.Expr | None:
        """Where it starts."""
        return cls.start if i == 0 else None

    def _latex(self, printer: Any) -> str:
        return f"{self.letter}_{{{printer.doprint(self.args[0])}}}"


class SumOfSlopes(_OfGate):
    """Sum of the slopes that the exponentiated gradient has met; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    letter = "Z"
    mp_value = staticmethod(_sum_of_slopes)


class ProjectedWeight(_OfGate):
    """Weight of gradient descent after i visits; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    is_nonnegative = True
    letter = r"\alpha"
    start = sympy.Rational(1, 2)
    mp_value = staticmethod(_projected_weight)


class ProjectedSlope(_OfGate):
    """Slope that gradient descent meets at visit i; arguments ``i, n, S, rate, gap``."""

    nargs = 5
    letter = "z"
    mp_value = staticmethod(_projected_slope)


class LossOfShare(_OfGate):
    """Loss over i visits of the mixing weight that is best for all n; arguments ``i, n, S, gap``."""

    nargs = 4
    letter = r"L^{*}"
    mp_value = staticmethod(_loss_of_share)


class BestShareOfSequence(sympy.Function):  # type: ignore[misc]
    """The mixing weight that is best for all n visits; arguments ``n, S, gap``."""

    nargs = 3
    is_nonnegative = True
    mp_value = staticmethod(lambda n, S, gap: best_share(n, _visits_paid_by_h(n, S), gap))

    def _latex(self, _: Any) -> str:
        return r"\alpha^{*}"


def _slope(weight: sympy.Expr) -> sympy.Expr:
    g, h = sympy.exp(-G_PAYS), sympy.exp(-H_PAYS)
    return -(g - h) / (weight * g + (1 - weight) * h)


def _best_so_far(i: sympy.Expr) -> sympy.Expr:
    return LossOfShare(i, n, S, gap)


_BEST_SHARE: Final = BestShareOfSequence(n, S, gap)
_PAYS: Final = _best_so_far(VISIT) - _best_so_far(VISIT - 1)
_SMALL: Final = {n: (5, 9), S: (0, 4), VISIT: (1, 5), rate: (0, 1), gap: (0, 2)}
_BEST_PAYS: Final = Step(
    _best_so_far(VISIT),
    "=",
    _best_so_far(VISIT - 1) + loss_of_gate(_BEST_SHARE),
    "What the best constant weight pays at visit i.",
    to_fifty_digits(_SMALL),
)
_PROBABILITIES: Final = {_g: sympy.exp(-G_PAYS), _h: sympy.exp(-H_PAYS), _a: _BEST_SHARE}
_TANGENT: Final = by_convexity(_a, _share, {_a: 1 / (1 + _w), _share: 1 / (1 + _x)})
_WITHIN: Final = substituting({G: sympy.Abs(_z) + _s}, by_sign())

# Exponentiated gradient.


def _met(i: sympy.Expr) -> sympy.Expr:
    return SumOfSlopes(i, n, S, rate, gap)


_ODDS: Final = sympy.exp(-rate * _met(VISIT - 1))
_EG_WEIGHT: Final = _ODDS / (1 + _ODDS)
_MEETS: Final = _met(VISIT) - _met(VISIT - 1)
_SLOPE_MET: Final = Step(
    _met(VISIT),
    "=",
    _met(VISIT - 1) + _slope(_EG_WEIGHT),
    "The slope of the loss in the weight, at the gate's weight.",
    to_fifty_digits(_SMALL),
)
_TILTED: Final = -sympy.log(_EG_WEIGHT * sympy.exp(-rate * _MEETS) + 1 - _EG_WEIGHT) / rate
_EG_LOSS: Final = over_all(lambda _: loss_of_gate(_EG_WEIGHT), n)
_EG_LINEAR: Final = over_all(lambda _: _PAYS + _MEETS * (_EG_WEIGHT - _BEST_SHARE), n)
_EG_SECOND: Final = over_all(lambda _: _PAYS - _MEETS * _BEST_SHARE + _TILTED + rate * _MEETS**2 / 8, n)
_EG_BOUNDED: Final = over_all(lambda _: _PAYS - _MEETS * _BEST_SHARE + _TILTED + rate * G**2 / 8, n)


def _eg_potential(i: sympy.Expr) -> sympy.Expr:
    mixture = -sympy.log((1 + sympy.exp(-rate * _met(i))) / 2) / rate
    return _best_so_far(i) - _BEST_SHARE * _met(i) + mixture + rate * i * G**2 / 8


_EG_PRICE: Final = sympy.log(2) / rate + rate * n * G**2 / 8
_EG_BOUND: Final = _best_so_far(n) + _EG_PRICE
_EG_CHAIN: Final = (
    Step(
        _EG_LOSS,
        "<=",
        _EG_LINEAR,
        "The loss is convex in the weight, hence above its tangent at the gate's weight.",
        each_term(
            using(
                _BEST_PAYS,
                using(_SLOPE_MET, naming({_share: _EG_WEIGHT, **_PROBABILITIES}, _TANGENT)),
            )
        ),
    ),
    Step(
        _EG_LINEAR,
        "<=",
        _EG_SECOND,
        "Hoeffding's lemma for the two weights, as for Hedge.",
        each_term(naming({_x: _ODDS, _z: _MEETS, _a: _BEST_SHARE}, by_convexity(_z, 0))),
    ),
    Step(
        _EG_SECOND,
        "<=",
        _EG_BOUNDED,
        "The slope is at most G.",
        each_term(naming({_z: _MEETS, _x: _ODDS}, _WITHIN)),
    ),
    Step(
        _EG_BOUNDED,
        "=",
        _eg_potential(n),
        "What remains of each term is the change of the logarithm of the mixture.",
        telescopes(
            _eg_potential(VISIT),
            naming(
                {_z: _met(VISIT), _Z: _met(VISIT - 1), _k: _best_so_far(VISIT), _l: _best_so_far(VISIT - 1)},
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
            {_a: _BEST_SHARE, _Z: _met(n), _k: _best_so_far(n)},
            times(rate, by_concavity(_a, (sympy.Integer(0), sympy.Integer(1)), {_a: 1 / (1 + _w)})),
        ),
    ),
)

# Projected gradient descent.


def _weight(i: sympy.Expr) -> sympy.Expr:
    return ProjectedWeight(i, n, S, rate, gap)


_GD_SLOPE: Final = ProjectedSlope(VISIT, n, S, rate, gap)
_GD_SLOPE_MET: Final = Step(
    _GD_SLOPE,
    "=",
    _slope(_weight(VISIT - 1)),
    "The slope of the loss in the weight, at the gate's weight.",
    to_fifty_digits(_SMALL),
)
_PROJECTED: Final = Step(
    _weight(VISIT),
    "=",
    sympy.Min(sympy.Max(_weight(VISIT - 1) - rate * _GD_SLOPE, 0), 1),
    "One step against the slope, then to the nearest weight in [0, 1].",
    to_fifty_digits(_SMALL),
)
_GAIN: Final = ((_weight(VISIT - 1) - _BEST_SHARE) ** 2 - (_weight(VISIT) - _BEST_SHARE) ** 2) / (2 * rate)
_GD_LOSS: Final = over_all(lambda _: loss_of_gate(_weight(VISIT - 1)), n)
_GD_LINEAR: Final = over_all(lambda _: _PAYS + _GD_SLOPE * (_weight(VISIT - 1) - _BEST_SHARE), n)
_GD_SECOND: Final = over_all(lambda _: _PAYS + _GAIN + rate * _GD_SLOPE**2 / 2, n)
_GD_BOUNDED: Final = over_all(lambda _: _PAYS + _GAIN + rate * G**2 / 2, n)
_v = sympy.Symbol("v", real=True)
_PROJECTION: Final = Step(
    (sympy.Min(sympy.Max(_v, 0), 1) - _a) ** 2,
    "<=",
    (_v - _a) ** 2,
    "The projection comes nearer to every weight in [0, 1].",
    in_cases(
        ({_v: -_s, _a: 1 / (1 + _w)}, {_v: 1 + _s, _a: 1 / (1 + _w)}, {_v: 1 / (1 + _x), _a: 1 / (1 + _w)}), by_sign()
    ),
)


def _gd_potential(i: sympy.Expr) -> sympy.Expr:
    return _best_so_far(i) - (_weight(i) - _BEST_SHARE) ** 2 / (2 * rate) + rate * i * G**2 / 2


_GD_END: Final = _gd_potential(n) - _gd_potential(sympy.Integer(0))
_GD_PRICE: Final = 1 / (8 * rate) + rate * n * G**2 / 2
_GD_BOUND: Final = _best_so_far(n) + _GD_PRICE
_GD_CHAIN: Final = (
    Step(
        _GD_LOSS,
        "<=",
        _GD_LINEAR,
        "The loss is convex in the weight, hence above its tangent at the gate's weight.",
        each_term(
            using(
                _BEST_PAYS,
                using(_GD_SLOPE_MET, naming({_share: _weight(VISIT - 1), **_PROBABILITIES}, _TANGENT)),
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
                    {_z: _GD_SLOPE, _share: _weight(VISIT - 1), _a: _BEST_SHARE},
                    in_cases(
                        (
                            {_share: rate * _z - _s, _a: 1 / (1 + _w)},
                            {_share: rate * _z + 1 + _s, _a: 1 / (1 + _w)},
                            {_share: rate * _z + 1 / (1 + _x), _a: 1 / (1 + _w)},
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
        each_term(naming({_z: _GD_SLOPE}, _WITHIN)),
    ),
    Step(_GD_BOUNDED, "=", _GD_END, "The squared distances telescope.", telescopes(_gd_potential(VISIT), simplifies)),
    Step(
        _GD_END,
        "<=",
        _GD_BOUND,
        "The last square may be dropped; from 1/2 no weight is farther than 1/2.",
        naming(
            {_s: (_weight(n) - _BEST_SHARE) ** 2, _a: _BEST_SHARE, _k: _best_so_far(n)},
            substituting({_a: 1 / (1 + _w)}, by_sign()),
        ),
    ),
)

# The best rate of gradient descent.


def _least_price(n: mpmath.mpf, G: mpmath.mpf) -> mpmath.mpf:
    steepness, start = n * G**2 / 2, mpmath.mpf(1) / 8
    return least_in_mpmath(
        lambda x: start / x + steepness * x, lambda x: steepness - start / x**2, mpmath.mpf(10) ** 40
    )


class LeastDescentPrice(Least):
    r""":math:`\min_\lambda [\frac1{8\lambda} + \frac{\lambda n G^2}{2}]`; arguments ``n, G``."""

    nargs = 2
    variable = rate
    letter = r"\lambda"
    mp_value = staticmethod(_least_price)

    def objective(self) -> sympy.Expr:
        """The bound on the regret."""
        visits, largest = self.args
        return 1 / (8 * rate) + rate * visits * largest**2 / 2


_BEST_RATE: Final = 1 / (2 * G * sympy.sqrt(n))
_BEST_PRICE: Final = G * sympy.sqrt(n) / 2
_FLAT: Final = Step(
    sympy.Subs(sympy.Derivative(_GD_PRICE, rate), rate, _BEST_RATE),
    "=",
    sympy.Integer(0),
    "The derivative vanishes at the best rate.",
    evaluated(simplifies),
)
_CONVEX: Final = Step(
    sympy.diff(_GD_PRICE, rate, 2),
    ">=",
    sympy.Integer(0),
    "The second derivative is positive at every rate.",
    by_sign(),
)
_MINIMAL: Final = Step(
    LeastDescentPrice(n, G),
    "=",
    _BEST_PRICE,
    "A convex function is least where it is flat; the two terms are equal there.",
    attained_at(_BEST_RATE, {n: 1 + _s}),
)


# Evaluators.


def exponentiated_gradient_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the exponentiated-gradient gate, visit by visit."""
    total, odds = np.zeros(gap.shape), np.zeros(gap.shape)
    for _, exists, by_g in each_visit(n, S):
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        total = total + np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), *pays), 0.0)
        odds = odds - rate * _slope_at(expit(odds), expit(-odds), by_g, gap)
    return np.asarray(total)


def projected_gradient_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the gate that descends the gradient in the weight, visit by visit."""
    total, share = np.zeros(()), np.full(gap.shape, 0.5)
    for _, exists, by_g in each_visit(n, S):
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        logs = (_log(share), _log(1 - share))
        total = total + np.where(exists, mixed_loss(*logs, *pays), 0.0)
        share = np.clip(share - rate * _slope_at(share, 1 - share, by_g, gap), 0.0, 1.0)
    return np.asarray(total)


def _slope_at(share: Array, other: Array, g_pays: NDArray[np.bool_], gap: Array) -> Array:
    """Slope of the loss in the share of g."""
    paying, free = np.where(g_pays, share, other), np.where(g_pays, other, share)
    size = -np.expm1(-gap) / (free + paying * np.exp(-gap))
    return np.asarray(np.where(g_pays, size, -size))


def _log(share: Array) -> Array:
    return np.asarray(np.where(share > 0, np.log(np.where(share > 0, share, 1.0)), -np.inf))


def exponentiated_price(n: Array, rate: Array, G: Array) -> Array:
    r""":math:`\frac{\log 2}{\lambda} + \frac{\lambda n G^2}{8}`: regret of the exponentiated gradient at most."""
    return np.asarray(np.log(2) / rate + rate * n * G * G / 8)


def descent_price(n: Array, rate: Array, G: Array) -> Array:
    r""":math:`\frac{1}{8\lambda} + \frac{\lambda n G^2}{2}`: regret of gradient descent at most."""
    return np.asarray(1 / (8 * rate) + rate * n * G * G / 2)


def _best(n: Array, S: Array, gap: Array) -> Array:
    paid = np.zeros(np.broadcast(n, S).shape)
    for _, exists, by_g in each_visit(n, S):
        paid = paid + (exists & ~by_g)
    return loss_of_best_share(n, paid, gap)


def _least_price_found(n: Array, G: Array) -> Array:
    steepness = n * G * G / 2
    return least_in_numpy(
        lambda x: 1 / (8 * x) + steepness * x, lambda x: steepness - 1 / (8 * x**2), np.full(steepness.shape, 1e40)
    )


_PREMISES: Final = (
    "the slope of the loss in the mixing weight is at most G at every visit (see gradient_bound); the prior is even",
    "evaluated on the evenly switching sequence of losses; the recursions of the gate and of the loss to compare with"
    " were compared for the evaluated sequences, the other steps hold for every one",
)
_SEQUENCE: Final = (AT_LEAST_ONE_VISIT, SWITCHES, LARGEST_SLOPE)
_GAP: Final = gap_up_to(sympy.log(1 + G))

THEOREMS: Final = (
    Theorem(
        name="exponentiated_gradient_regret",
        title="Exponentiated-gradient gate: cumulative loss against the best constant mixing weight",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        # At larger rates the gate may oscillate, and only the bound is of use.
        parameters=(*_SEQUENCE, _rate_up_to(8 / G), _GAP),
        premises=_PREMISES,
        left=_EG_LOSS,
        relation="<=",
        right=_EG_BOUND,
        derivation=Derivation(lemmas=(_BEST_PAYS, _SLOPE_MET), chain=_EG_CHAIN),
        evaluate_left=exponentiated_gradient_loss,
        evaluate_right=lambda n, S, rate, G, gap: _best(n, S, gap) + exponentiated_price(n, rate, G),
        hunted_up_to={"n": HUNTED_VISITS},
        value=exponentiated_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of log(2)/rate",
            right=_EG_BOUND - sympy.log(2) / (2 * rate),
            evaluate=lambda n, S, rate, G, gap: (
                _best(n, S, gap) + exponentiated_price(n, rate, G) - np.log(2) / (2 * rate)
            ),
        ),
    ),
    Theorem(
        name="online_gradient_regret",
        title="Gradient-descent gate: cumulative loss against the best constant mixing weight",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(*_SEQUENCE, _rate_up_to(1 / G), _GAP),
        premises=_PREMISES,
        left=_GD_LOSS,
        relation="<=",
        right=_GD_BOUND,
        derivation=Derivation(lemmas=(_BEST_PAYS, _PROJECTED, _PROJECTION, _GD_SLOPE_MET), chain=_GD_CHAIN),
        evaluate_left=projected_gradient_loss,
        evaluate_right=lambda n, S, rate, G, gap: _best(n, S, gap) + descent_price(n, rate, G),
        # Beyond, a step may be so large that rounding decides where the gate goes.
        hunted_up_to={"n": HUNTED_VISITS, "G": 2.0},
        value=descent_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of 1/(8 rate)",
            right=_GD_BOUND - 1 / (16 * rate),
            evaluate=lambda n, S, rate, G, gap: _best(n, S, gap) + descent_price(n, rate, G) - 1 / (16 * rate),
        ),
    ),
    Theorem(
        name="online_gradient_optimal_rate",
        title="Gradient-descent gate: the rate with the least regret bound is 1/(2 G sqrt(n))",
        family="gate",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, LARGEST_SLOPE),
        premises=("the bound of online_gradient_regret, as a function of the rate",),
        left=LeastDescentPrice(n, G),
        relation="=",
        right=_BEST_PRICE,
        derivation=Derivation(lemmas=(_FLAT, _CONVEX), chain=(_MINIMAL,)),
        evaluate_left=_least_price_found,
        evaluate_right=lambda n, G: np.asarray(G * np.sqrt(n) / 2),
        beside={"best_rate": lambda n, G: np.asarray(1 / (2 * G * np.sqrt(n)))},
        value_meaning=f"least regret bound over all rates, {NATS}",
        wrong=WrongVariant(
            mistake="a start anywhere in [0, 1], not at 1/2",
            right=G * sympy.sqrt(n),
            evaluate=lambda n, G: np.asarray(G * np.sqrt(n)),
        ),
    ),
)
