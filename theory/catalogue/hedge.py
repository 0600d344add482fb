r"""The Hedge gate: log-odds :math:`\lambda(H_i - G_i)`; regret of its log loss, and the best rate."""

from __future__ import annotations

from typing import Final

import mpmath
import numpy as np
import sympy

from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    HUNTED_VISITS,
    SWITCHES,
    Array,
    additive_gate_loss,
    gap_up_to,
    losses_so_far,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import G_PAYS, H_PAYS, loss_of_g, loss_of_gate, loss_of_h
from theory.catalogue.mixture_loss import POWER_MEAN, SLOWER_AT_ONE_VISIT, gain, rise, weight
from theory.numerics.gate_prices import hedge_price
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.reductions import adding, after, evaluated, follows_from, substituting
from theory.theorems.checks.sums import VISIT, against_each, each_term, naming, over_all, telescopes, times
from theory.theorems.derivation import Derivation, Step
from theory.theorems.least import Least, attained_at, least_in_mpmath, least_in_numpy
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

rate = sympy.Symbol("rate", positive=True)
B = sympy.Symbol("B", positive=True)
_x = sympy.Symbol("x", positive=True)
_d, _s = sympy.Symbol("d", real=True), sympy.Symbol("s", nonnegative=True)
_u, _p = sympy.Symbol("u", real=True), sympy.Symbol("p", positive=True)
_g, _h = sympy.symbols("g h", real=True)
_G, _H = sympy.symbols("G H", nonnegative=True)

RATE: Final = Parameter(
    symbol=rate,
    latex=r"\lambda",
    meaning="learning rate of the gate, per nat",
    lowest=1e-6,
    highest=1e3,
    corners=(0.1, 1.0),
)
LARGEST_LOSS: Final = Parameter(
    symbol=B, latex="B", meaning="largest loss at a visit, nats", lowest=1e-6, highest=1e3, corners=(1.0, 10.0)
)

# The weight that the gate gives the in-weight predictor at visit i, from its odds there.
_ODDS: Final = sympy.exp(rate * (loss_of_h(VISIT - 1) - loss_of_g(VISIT - 1)))
_WEIGHT: Final = _ODDS / (1 + _ODDS)
_GAP: Final = H_PAYS - G_PAYS
_TILTED: Final = sympy.log(_WEIGHT * sympy.exp(rate * _GAP) + 1 - _WEIGHT) / rate
_POTENTIAL: Final = -sympy.log((sympy.exp(-rate * loss_of_g(VISIT)) + sympy.exp(-rate * loss_of_h(VISIT))) / 2) / rate
_AT_END: Final = _POTENTIAL.subs(VISIT, n)
_BEST: Final = sympy.Min(loss_of_g(n), loss_of_h(n))

LOSS: Final = over_all(lambda _: loss_of_gate(_WEIGHT), n)
_SHIFTED: Final = over_all(lambda _: H_PAYS - sympy.log(_WEIGHT * sympy.exp(_GAP) + 1 - _WEIGHT), n)
_AVERAGE: Final = over_all(lambda _: H_PAYS - _WEIGHT * _GAP, n)
_SECOND_ORDER: Final = over_all(lambda _: H_PAYS - _TILTED + rate * _GAP**2 / 8, n)
_BOUNDED: Final = over_all(lambda _: H_PAYS - _TILTED + rate * B**2 / 8, n)
_MIXABLE: Final = _AT_END + rate * n * B**2 / 8
_BOUND: Final = _BEST + sympy.log(2) / rate + rate * n * B**2 / 8

_PAID: Final = {_g: G_PAYS, _h: H_PAYS}
_GIVEN_ODDS: Final = {_x: _ODDS}
_NAMES: Final = {_G: loss_of_g(VISIT - 1), _H: loss_of_h(VISIT - 1), _g: loss_of_g(VISIT), _h: loss_of_h(VISIT)}


def _log_moment(order: int) -> sympy.Expr:
    return sympy.diff(sympy.log(_p * sympy.exp(_u) + 1 - _p), _u, order)


_VARIANCE: Final = Step(
    _log_moment(2),
    "<=",
    sympy.Rational(1, 4),
    "The log-moment's second derivative is the variance of a variable in {0, 1}, at most 1/4.",
    substituting({_p: _x / (1 + _x)}, by_sign()),
)
_SLOW: Final = Parameter(
    symbol=rate, latex=r"\lambda", meaning="learning rate of the gate", lowest=1e-6, highest=1.0, corners=(0.1,)
)
HOEFFDING: Final = Step(
    sympy.log(_p * sympy.exp(_u) + 1 - _p),
    "<=",
    _p * _u + _u**2 / 8,
    "Hoeffding's lemma for two: value and slope agree at u = 0, and the second derivative is at most 1/4.",
    by_convexity(_u, 0, {_p: _x / (1 + _x)}),
)
_DROP: Final = times(rate, after(sympy.exp, by_sign()))
_CHAIN: Final = (
    Step(
        LOSS,
        "=",
        _SHIFTED,
        "The in-context loss comes out of the logarithm.",
        each_term(naming(_GIVEN_ODDS | _PAID, after(sympy.exp, simplifies))),
    ),
    Step(
        _SHIFTED,
        "<=",
        _AVERAGE,
        "The logarithm is concave.",
        each_term(naming(_GIVEN_ODDS | _PAID, substituting({_g: _h - _d}, by_convexity(_d, 0)))),
    ),
    Step(
        _AVERAGE,
        "<=",
        _SECOND_ORDER,
        "Hoeffding's lemma with u = rate (h - g), divided by the rate.",
        each_term(naming(_GIVEN_ODDS | _PAID, substituting({_g: _h - _d}, by_convexity(_d, 0)))),
    ),
    Step(
        _SECOND_ORDER,
        "<=",
        _BOUNDED,
        "Losses in [0, B] differ by at most B.",
        each_term(naming(_PAID, substituting({_h: _g + _d, B: sympy.Abs(_d) + _s}, by_sign()))),
    ),
    Step(
        _BOUNDED,
        "=",
        _MIXABLE,
        "What remains of each term is the change of the logarithm of the mixture of exp(-rate loss).",
        telescopes(_POTENTIAL + rate * VISIT * B**2 / 8, naming(_NAMES, times(rate, after(sympy.exp, simplifies)))),
    ),
    Step(
        _MIXABLE,
        "<=",
        _BOUND,
        "Either term of the mixture may be dropped.",
        naming({_G: loss_of_g(n), _H: loss_of_h(n)}, against_each(_DROP, _DROP)),
    ),
)

# Rates up to 1: log loss is mixable, and nothing is paid for the size of the losses.

_POWER_MEANS: Final = over_all(lambda _: H_PAYS - _TILTED, n)
_SLOW_BOUND: Final = _BEST + sympy.log(2) / rate
_SLOW_CHAIN: Final = (
    _CHAIN[0],
    Step(
        _SHIFTED,
        "<=",
        _POWER_MEANS,
        "Power means grow with their exponent: that of the rate, at most 1, lies below the mean (Jensen).",
        each_term(
            naming(
                {weight: _WEIGHT} | _PAID,
                substituting(
                    {_g: _h - gain, rate: 1 - rise / (1 + rise)}, adding(_h, follows_from(SLOWER_AT_ONE_VISIT))
                ),
            )
        ),
    ),
    Step(
        _POWER_MEANS,
        "=",
        _AT_END,
        "Each term is the change of the logarithm of the mixture of exp(-rate loss).",
        telescopes(_POTENTIAL, naming(_NAMES, times(rate, after(sympy.exp, simplifies)))),
    ),
    Step(
        _AT_END,
        "<=",
        _SLOW_BOUND,
        "Either term of the mixture may be dropped.",
        naming({_G: loss_of_g(n), _H: loss_of_h(n)}, against_each(_DROP, _DROP)),
    ),
)

# The best rate.

_PRICE: Final = sympy.log(2) / rate + rate * n * B**2 / 8
_BEST_RATE: Final = sympy.sqrt(8 * sympy.log(2) / n) / B
_BEST_PRICE: Final = B * sympy.sqrt(n * sympy.log(2) / 2)


def _least_price(n: mpmath.mpf, B: mpmath.mpf) -> mpmath.mpf:
    steepness, start = n * B**2 / 8, mpmath.log(2)
    return least_in_mpmath(
        lambda x: start / x + steepness * x, lambda x: steepness - start / x**2, mpmath.mpf(10) ** 40
    )


class LeastHedgePrice(Least):
    r""":math:`\min_\lambda [\log 2/\lambda + \lambda n B^2/8]`; arguments ``n, B``."""

    nargs = 2
    variable = rate
    letter = r"\lambda"
    mp_value = staticmethod(_least_price)

    def objective(self) -> sympy.Expr:
        """The bound on the regret."""
        visits, largest = self.args
        return sympy.log(2) / rate + rate * visits * largest**2 / 8


_FLAT: Final = Step(
    sympy.Subs(sympy.Derivative(_PRICE, rate), rate, _BEST_RATE),
    "=",
    sympy.Integer(0),
    "The derivative vanishes at the best rate.",
    evaluated(simplifies),
)
_CONVEX: Final = Step(
    sympy.diff(_PRICE, rate, 2), ">=", sympy.Integer(0), "The second derivative is positive at every rate.", by_sign()
)
_MINIMAL: Final = Step(
    LeastHedgePrice(n, B),
    "=",
    _BEST_PRICE,
    "A convex function is least where it is flat; the two terms are equal there.",
    attained_at(_BEST_RATE, {n: 1 + _s}),
)


def hedge_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the Hedge gate with an even prior, visit by visit."""
    return additive_gate_loss(lambda lead: rate * lead, n, S, gap)


def price(n: Array, rate: Array, B: Array) -> Array:
    r""":math:`\frac{\log 2}{\lambda} + \frac{\lambda n B^2}{8}`: regret of Hedge at most."""
    return hedge_price(np.log(2), rate, n * B * B)


def _bound(n: Array, S: Array, rate: Array, B: Array, gap: Array) -> Array:
    return np.asarray(np.minimum(*losses_so_far(n, S, gap)) + price(n, rate, B))


def _half_the_start(n: Array, S: Array, rate: Array, B: Array, gap: Array) -> Array:
    return np.asarray(_bound(n, S, rate, B, gap) - np.log(2) / (2 * rate))


def _least_price_found(n: Array, B: Array) -> Array:
    steepness = n * B * B / 8
    return least_in_numpy(
        lambda x: np.log(2) / x + steepness * x, lambda x: steepness - np.log(2) / x**2, np.full(steepness.shape, 1e40)
    )


THEOREMS: Final = (
    Theorem(
        name="hedge_regret",
        title="Hedge gate: cumulative loss against the better predictor, on every sequence of losses up to B",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, SWITCHES, RATE, LARGEST_LOSS, gap_up_to(B)),
        premises=(
            "both losses lie in [0, B] at every visit; the prior is even",
            "derived for every such sequence; evaluated on the evenly switching one",
            "of use for rates above 1 and other losses: see hedge_slow_regret for the log loss",
        ),
        left=LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_VARIANCE, HOEFFDING), chain=_CHAIN),
        evaluate_left=hedge_loss,
        evaluate_right=_bound,
        hunted_up_to={"n": HUNTED_VISITS},
        value=price,
        value_meaning=f"regret of the gate against the better predictor at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of log(2)/rate", right=_BOUND - sympy.log(2) / (2 * rate), evaluate=_half_the_start
        ),
    ),
    Theorem(
        name="hedge_slow_regret",
        title="Hedge gate with a rate of at most 1: cumulative log loss against the better predictor, at any loss",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, SWITCHES, _SLOW, gap_up_to(100)),
        premises=("the prior is even", "derived for every sequence of losses; evaluated on the evenly switching one"),
        left=LOSS,
        relation="<=",
        right=_SLOW_BOUND,
        derivation=Derivation(lemmas=(POWER_MEAN, SLOWER_AT_ONE_VISIT), chain=_SLOW_CHAIN),
        evaluate_left=hedge_loss,
        evaluate_right=lambda n, S, rate, gap: np.asarray(
            np.minimum(*losses_so_far(n, S, gap)) + hedge_price(np.log(2), rate)
        ),
        hunted_up_to={"n": HUNTED_VISITS},
        value=lambda rate: hedge_price(np.log(2), rate),
        value_meaning=f"regret of the gate against the better predictor at most, {NATS}",
        wrong=WrongVariant(
            mistake="log(2) alone, as for the Bayes gate, whose rate is 1",
            right=_BEST + sympy.log(2),
            evaluate=lambda n, S, gap: np.asarray(np.minimum(*losses_so_far(n, S, gap)) + np.log(2)),
        ),
    ),
    Theorem(
        name="hedge_optimal_rate",
        title="Hedge gate: the rate with the least regret bound is sqrt(8 log(2)/n)/B",
        family="gate",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, LARGEST_LOSS),
        premises=("the bound of hedge_regret, as a function of the rate",),
        left=LeastHedgePrice(n, B),
        relation="=",
        right=_BEST_PRICE,
        derivation=Derivation(lemmas=(_FLAT, _CONVEX), chain=(_MINIMAL,)),
        evaluate_left=_least_price_found,
        evaluate_right=lambda n, B: np.asarray(B * np.sqrt(n * np.log(2) / 2)),
        beside={"best_rate": lambda n, B: np.asarray(np.sqrt(8 * np.log(2) / n) / B)},
        value_meaning=f"least regret bound over all rates, {NATS}",
        wrong=WrongVariant(
            mistake="one of the two equal terms only",
            right=_BEST_PRICE / 2,
            evaluate=lambda n, B: np.asarray(B * np.sqrt(n * np.log(2) / 8)),
        ),
    ),
)
