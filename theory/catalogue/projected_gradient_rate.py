r"""The rate at which the regret bound of projected gradient descent is least."""

from __future__ import annotations

from typing import Final

import mpmath
import numpy as np
import sympy

from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    Array,
)
from theory.catalogue.gradient_slopes import (
    LARGEST_SLOPE,
    G,
    rate,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.projected_gradient import PRICE
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import evaluated
from theory.theorems.derivation import Derivation, Step
from theory.theorems.least import Least, attained_at, least_in_mpmath, least_in_numpy
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_s = sympy.Symbol("s", nonnegative=True)


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
    sympy.Subs(sympy.Derivative(PRICE, rate), rate, _BEST_RATE),
    "=",
    sympy.Integer(0),
    "The derivative vanishes at the best rate.",
    evaluated(simplifies),
)
_CONVEX: Final = Step(
    sympy.diff(PRICE, rate, 2),
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


def _least_price_found(n: Array, G: Array) -> Array:
    steepness = n * G * G / 2
    return least_in_numpy(
        lambda x: 1 / (8 * x) + steepness * x, lambda x: steepness - 1 / (8 * x**2), np.full(steepness.shape, 1e40)
    )


THEOREMS: Final = (
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
