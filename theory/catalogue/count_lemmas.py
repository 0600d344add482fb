r"""Lemmas on binomial counts that the derivations share: Frullani's integral and the generating function."""

from __future__ import annotations

from typing import Final

import sympy

from theory.catalogue.letters import b, n
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import by_summation
from theory.theorems.checks.integrals import by_derivative, by_integration, by_linearity
from theory.theorems.checks.reductions import instance_of
from theory.theorems.derivation import Step
from theory.theorems.expectations import ExpectedLog, binomial_mean
from theory.theorems.integrals import LogDeficit, MeanInverse, S, T, generating, over_time

_x = sympy.Symbol("x", positive=True)

FRULLANI: Final = Step(
    sympy.log(_x),
    "=",
    over_time((sympy.exp(-T) - sympy.exp(-_x * T)) / T),
    "Frullani's integral: both sides are 0 at x = 1, and both have the derivative 1/x.",
    by_derivative(_x, sympy.Integer(1)),
)
INVERSE: Final = Step(
    1 / _x,
    "=",
    sympy.Integral(S ** (_x - 1), (S, 0, 1)),
    "The integral of a power.",
    by_integration,
)
GENERATING: Final = Step(
    binomial_mean(lambda k: S**k, n, PROBABILITY),
    "=",
    generating(n, PROBABILITY, S),
    "The generating function of the count, by the binomial theorem.",
    by_summation(PROBABILITY),
)
LAPLACE_TRANSFORM: Final = Step(
    GENERATING.left.subs(S, sympy.exp(-T)),
    "=",
    GENERATING.right.subs(S, sympy.exp(-T)),
    "The generating function at s = exp(-t).",
    instance_of(GENERATING, {S: sympy.exp(-T)}),
)
WEIGHTS: Final = Step(
    binomial_mean(lambda _: sympy.Integer(1), n, PROBABILITY),
    "=",
    sympy.Integer(1),
    "The weights of the counts sum to 1.",
    by_summation(PROBABILITY),
)
MEAN: Final = Step(
    binomial_mean(lambda k: k, n, PROBABILITY),
    "=",
    n * PROBABILITY,
    "The mean count.",
    by_summation(PROBABILITY),
)
DEFICIT: Final = Step(
    sympy.log(n * PROBABILITY + b) - ExpectedLog(n, PROBABILITY, b),
    "=",
    LogDeficit(n, PROBABILITY, b),
    "Frullani's integral for each logarithm; the sum over the counts under the integral is the generating function.",
    by_linearity(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS),
)
MEAN_INVERSE: Final = Step(
    binomial_mean(lambda k: 1 / (k + b), n, PROBABILITY),
    "=",
    MeanInverse(n, PROBABILITY, b),
    "Each inverse is the integral of a power; the sum over the counts under the integral is the generating function.",
    by_linearity(INVERSE, GENERATING),
)
