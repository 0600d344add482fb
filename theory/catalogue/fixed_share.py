r"""The fixed-share gate: against the best gate that switches :math:`S` times, and the best switching rate.

The gate (``herbster1998tracking``) is the Bayes gate over all sequences of predictors, of which one that switches
:math:`S` times in :math:`n` visits has the prior weight :math:`\tfrac12 s^S (1-s)^{n-1-S}`.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import mpmath
import numpy as np
import sympy
from scipy.special import log_expit

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
from theory.numerics.gate_prices import fixed_share_price
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import after, evaluated, substituting, using
from theory.theorems.checks.sums import VISIT, naming, over_all, telescopes
from theory.theorems.derivation import Derivation, Step
from theory.theorems.least import Least, attained_at, least_in_mpmath, least_in_numpy
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

rate = sympy.Symbol("rate", positive=True)
_x = sympy.Symbol("x", positive=True)
_m = sympy.Symbol("m", nonnegative=True)
_q, _w = sympy.symbols("q w", positive=True)
_g, _h = sympy.symbols("g h", real=True)
_a, _b = sympy.symbols("a b", positive=True)
_rest = sympy.Symbol("rest", nonnegative=True)

SWITCHING_RATE: Final = Parameter(
    symbol=rate,
    latex="s",
    meaning="probability of a switch before a visit",
    lowest=0,
    highest=1,
    above=True,
    below=True,
)


# The weights of the two predictors, and of all sequences of predictors but one.


def _weights(i: int, n: int, S: int, rate: Any, gap: Any) -> tuple[Any, Any]:
    of_g = of_h = mpmath.mpf(1) / 2
    for t in range(1, i + 1):
        g_pays = visits_paid_by_g(t, n, S) > visits_paid_by_g(t - 1, n, S)
        g, h = of_g * mpmath.exp(-gap if g_pays else 0), of_h * mpmath.exp(0 if g_pays else -gap)
        of_g, of_h = (1 - rate) * g + rate * h, rate * g + (1 - rate) * h
    return of_g, of_h


class _Weight(sympy.Function):  # type: ignore[misc]
    nargs = 5
    is_positive = True
    letter = ""

    @classmethod
    def eval(cls, i: sympy.Expr, *_: sympy.Expr) -> sympy.Expr | None:
        """The prior is even."""
        return sympy.Rational(1, 2) if i == 0 else None

    def _latex(self, printer: Any) -> str:
        return f"{self.letter}_{{{printer.doprint(self.args[0])}}}"


class WeightOfG(_Weight):
    """Weight of the sequences that are in-weight at visit i + 1, times what they give the labels before."""

    letter = "A"
    mp_value = staticmethod(lambda i, n, S, rate, gap: _weights(int(i), int(n), int(S), rate, gap)[0])


class WeightOfH(_Weight):
    """The same for the sequences that are in-context at visit i + 1."""

    letter = "B"
    mp_value = staticmethod(lambda i, n, S, rate, gap: _weights(int(i), int(n), int(S), rate, gap)[1])


class LossOfSwitching(sympy.Function):  # type: ignore[misc]
    """Cumulative loss of the best gate that switches S times, 0 on the evenly switching sequence; ``n, S, gap``."""

    nargs = 3
    is_real = True
    mp_value = staticmethod(lambda *_: mpmath.mpf(0))

    def _latex(self, _: Any) -> str:
        return r"L^{*}_{S}"


def _all_other_sequences(n: Any, S: Any, rate: Any, gap: Any) -> Any:
    """Enumerates the sequences of predictors."""
    visits, switches = int(n), int(S)
    g_pays = [visits_paid_by_g(t + 1, visits, switches) > visits_paid_by_g(t, visits, switches) for t in range(visits)]
    total = mpmath.mpf(0)
    for in_weight in itertools.product((True, False), repeat=visits):
        changes = sum(a != b for a, b in itertools.pairwise(in_weight))
        errors = sum(a == b for a, b in zip(in_weight, g_pays, strict=True))
        if errors > 0:
            total += rate**changes * (1 - rate) ** (visits - 1 - changes) * mpmath.exp(-gap * errors) / 2
    return total


class OtherSequences(sympy.Function):  # type: ignore[misc]
    """Weight of all sequences of predictors but the best with S switches; arguments ``n, S, rate, gap``."""

    nargs = 4
    is_nonnegative = True
    mp_value = staticmethod(_all_other_sequences)

    def _latex(self, _: Any) -> str:
        return r"\Omega_{\mathrm{others}}"


def _weight_of_g(i: sympy.Expr) -> sympy.Expr:
    return WeightOfG(i, n, S, rate, gap)


def _weight_of_h(i: sympy.Expr) -> sympy.Expr:
    return WeightOfH(i, n, S, rate, gap)


_KEPT_G: Final = _weight_of_g(VISIT - 1) * sympy.exp(-G_PAYS)
_KEPT_H: Final = _weight_of_h(VISIT - 1) * sympy.exp(-H_PAYS)
_WEIGHT: Final = _weight_of_g(VISIT - 1) / (_weight_of_g(VISIT - 1) + _weight_of_h(VISIT - 1))
_BEST: Final = rate**S * (1 - rate) ** (n - 1 - S) * sympy.exp(-LossOfSwitching(n, S, gap)) / 2

LOSS: Final = over_all(lambda _: loss_of_gate(_WEIGHT), n)
_TOTAL: Final = -sympy.log(_weight_of_g(n) + _weight_of_h(n))
_SPLIT: Final = -sympy.log(_BEST + OtherSequences(n, S, rate, gap))
_PRICE: Final = sympy.log(2) + S * sympy.log(1 / rate) + (n - 1 - S) * sympy.log(1 / (1 - rate))
_BOUND: Final = LossOfSwitching(n, S, gap) + _PRICE

_SMALL: Final = {n: (5, 8), S: (0, 4), VISIT: (1, 5), rate: (0, 1), gap: (0, 3)}
_SHARED_G: Final = Step(
    _weight_of_g(VISIT),
    "=",
    (1 - rate) * _KEPT_G + rate * _KEPT_H,
    "In-weight at the next visit: in-weight now and no switch, or in-context now and a switch.",
    to_fifty_digits(_SMALL),
)
_SHARED_H: Final = Step(
    _weight_of_h(VISIT),
    "=",
    rate * _KEPT_G + (1 - rate) * _KEPT_H,
    "The same for in-context.",
    to_fifty_digits(_SMALL),
)
_POTENTIAL: Final = -sympy.log(_weight_of_g(VISIT) + _weight_of_h(VISIT))
_NAMES: Final = {_a: _weight_of_g(VISIT - 1), _b: _weight_of_h(VISIT - 1), _g: G_PAYS, _h: H_PAYS}
_BELOW_ONE: Final = {rate: 1 / (1 + _x)}
_CHAIN: Final = (
    Step(
        LOSS,
        "=",
        _TOTAL,
        "Sharing moves weight and keeps its sum, so what the gate gives a label is a ratio of sums of weights.",
        telescopes(
            _POTENTIAL,
            using(_SHARED_G, using(_SHARED_H, naming(_NAMES, substituting(_BELOW_ONE, after(sympy.exp, simplifies))))),
        ),
    ),
    Step(
        _TOTAL,
        "=",
        _SPLIT,
        "The weights add up over all sequences of predictors; the best with S switches is one of them.",
        to_fifty_digits(_SMALL),
    ),
    Step(
        _SPLIT,
        "<=",
        -sympy.log(_BEST),
        "The others may be dropped.",
        substituting(
            _BELOW_ONE,
            naming(
                {_q: _BEST.subs(_BELOW_ONE), _rest: OtherSequences(n, S, rate, gap).subs(_BELOW_ONE)},
                after(sympy.exp, by_sign()),
            ),
        ),
    ),
    Step(-sympy.log(_BEST), "=", _BOUND, "The logarithm of the product.", substituting(_BELOW_ONE, simplifies)),
)

# The best rate.

_LEAST_PRICE: Final = sympy.log(2) + S * sympy.log((n - 1) / S) + (n - 1 - S) * sympy.log((n - 1) / (n - 1 - S))


def _entropy_by_search(n: mpmath.mpf, S: mpmath.mpf) -> mpmath.mpf:
    stay = n - 1 - S
    return mpmath.log(2) + least_in_mpmath(
        lambda s: -S * mpmath.log(s) - stay * mpmath.log1p(-s), lambda s: stay / (1 - s) - S / s, 1 - mpmath.eps
    )


class LeastSharePrice(Least):
    r""":math:`\min_s [\log 2 + S\log\frac1s + (n-1-S)\log\frac1{1-s}]`; arguments ``n, S``."""

    nargs = 2
    variable = rate
    letter = "s"
    mp_value = staticmethod(_entropy_by_search)

    def objective(self) -> sympy.Expr:
        """The bound on the regret."""
        visits, switches = self.args
        return _PRICE.subs({n: visits, S: switches}, simultaneous=True)


_BEST_RATE: Final = S / (n - 1)
_SOME_SWITCH: Final = {n: S + 1 + _m}
_FLAT: Final = Step(
    sympy.Subs(sympy.Derivative(_PRICE, rate), rate, _BEST_RATE),
    "=",
    sympy.Integer(0),
    "The derivative vanishes at the share of switches.",
    evaluated(simplifies),
)
_CONVEX: Final = Step(
    sympy.diff(_PRICE, rate, 2),
    ">=",
    sympy.Integer(0),
    "The second derivative is positive at every rate.",
    by_sign(_SOME_SWITCH | _BELOW_ONE),
)
_MINIMAL: Final = Step(
    LeastSharePrice(n, S),
    "=",
    _LEAST_PRICE,
    "A convex function is least where it is flat.",
    substituting({n: S + 1 + _m}, attained_at(_BEST_RATE.subs(_SOME_SWITCH), {S: 1 + _rest, **_BELOW_ONE})),
)


def fixed_share_loss(n: Array, S: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the fixed-share gate with an even prior, visit by visit."""
    switch, stay = np.log(rate), np.log1p(-rate)
    total, odds = np.zeros(()), np.zeros(())
    for _, exists, by_g in each_visit(n, S):
        pays_g, pays_h = np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap)
        total = total + np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), pays_g, pays_h), 0.0)
        learned = odds + pays_h - pays_g
        odds = np.logaddexp(stay + learned, switch) - np.logaddexp(switch + learned, stay)
    return np.asarray(total)


def price(n: Array, S: Array, rate: Array) -> Array:
    r""":math:`\log 2 + S\log\frac1s + (n-1-S)\log\frac1{1-s}`: regret of fixed share at most."""
    return fixed_share_price(np.log(2), n, S, rate)


def _least_price_found(n: Array, S: Array) -> Array:
    # The rarer of switching and staying, so that its probability is at most 1/2.
    rare = np.minimum(S, n - 1 - S)
    often = n - 1 - rare
    return np.asarray(
        np.log(2)
        + least_in_numpy(
            lambda s: -rare * np.log(s) - often * np.log1p(-s),
            lambda s: often / (1 - s) - rare / s,
            np.full(rare.shape, 0.75),
        )
    )


def least_price(n: Array, S: Array) -> Array:
    r""":math:`\log 2 + (n-1) h_2(S/(n-1))`: the regret bound at the best rate."""
    stay = n - 1 - S
    return np.asarray(np.log(2) + S * np.log1p(stay / S) + stay * np.log1p(S / stay))


THEOREMS: Final = (
    Theorem(
        name="fixed_share_regret",
        title="Fixed-share gate: cumulative loss against the best gate that switches S times",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, SWITCHES, SWITCHING_RATE, gap_up_to(100)),
        premises=(
            "the prior is even",
            "evaluated on the evenly switching sequence of losses, on which the best gate with S switches pays nothing",
            "the recursion of the weights and the sum over all sequences of predictors were compared for the evaluated"
            " sequences; the other steps hold for every one",
        ),
        left=LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_SHARED_G, _SHARED_H), chain=_CHAIN),
        evaluate_left=fixed_share_loss,
        evaluate_right=price,
        hunted_up_to={"n": HUNTED_VISITS},
        value_meaning=f"regret against the best gate with S switches at most, {NATS}",
        wrong=WrongVariant(
            mistake="staying costs nothing",
            right=LossOfSwitching(n, S, gap) + sympy.log(2) + S * sympy.log(1 / rate),
            evaluate=lambda n, S, rate: np.asarray(np.log(2) - S * np.log(rate) + 0 * n),
        ),
    ),
    Theorem(
        name="fixed_share_optimal_rate",
        title="Fixed-share gate: the rate with the least regret bound is S/(n - 1), and the bound is an entropy",
        family="gate",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(
            Parameter(symbol=n, latex="n", meaning="visits of the query", lowest=3, highest=1e12, corners=(1e6, 1e9)),
            Parameter(
                symbol=S, latex="S", meaning="times at which the better predictor changes", lowest=1, highest=n - 2
            ),
        ),
        premises=("the bound of fixed_share_regret, as a function of the rate",),
        left=LeastSharePrice(n, S),
        relation="=",
        right=_LEAST_PRICE,
        derivation=Derivation(lemmas=(_FLAT, _CONVEX), chain=(_MINIMAL,)),
        evaluate_left=_least_price_found,
        evaluate_right=least_price,
        beside={"best_rate": lambda n, S: np.asarray(S / (n - 1))},
        value_meaning=f"least regret bound over all rates, {NATS}",
        wrong=WrongVariant(
            mistake="the entropy of S switches in n visits, one place too many",
            right=sympy.log(2) + S * sympy.log(n / S) + (n - S) * sympy.log(n / (n - S)),
            evaluate=lambda n, S: least_price(n + 1, S),
        ),
    ),
)
