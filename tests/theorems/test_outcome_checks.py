"""Checks for every outcome of a count fail on false steps."""

from __future__ import annotations

import sympy

from theory.catalogue.high_probability import THEOREMS
from theory.catalogue.root_rate_steps import ON_EVERY_SEQUENCE, q
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.outcomes import combines, for_every_outcome, same_logarithms
from theory.theorems.checks.reductions import in_every_case
from theory.theorems.derivation import Step

x = sympy.Symbol("x", positive=True)
y = sympy.Symbol("y", positive=True)
z = sympy.Symbol("z", real=True)
TRUE = Step(x, "<=", x + y, "", by_sign())
FALSE = Step(x + y, "<=", x, "", by_sign())


def test_combinations() -> None:
    assert combines(((y, TRUE),), {})(x * y, "<=", x * y + y**2).holds
    assert not combines(((y, TRUE),), {})(x * y, "<=", x * y + y).holds
    assert not combines(((y, TRUE),), {})(x * y, ">=", x * y + y**2).holds
    assert not combines(((-y, TRUE),), {})(x * y, "<=", x * y - y**2).holds
    assert not combines(((y, FALSE),), {})(x * y, "<=", x * y - y**2).holds


def test_cases() -> None:
    larger = combines(((abs(z), TRUE),), {}, {z: y})
    smaller = combines(((abs(z), TRUE),), {}, {z: -y})
    assert in_every_case(larger, smaller)(x * abs(z), "<=", (x + y) * abs(z)).holds
    assert larger(x * z, "<=", (x + y) * z).holds
    assert not in_every_case(larger, smaller)(x * z, "<=", (x + y) * z).holds


def test_logarithms() -> None:
    assert same_logarithms(sympy.log(x + x * y), "=", sympy.log(x) + sympy.log(1 + y)).holds
    assert not same_logarithms(sympy.log(x + x * y), "=", sympy.log(x) + sympy.log(y)).holds
    assert not same_logarithms(sympy.log(x), "<=", sympy.log(x)).holds


def test_quantiles_follow_from_outcomes() -> None:
    step = THEOREMS[0].derivation.chain[0]
    assert step.verdict().holds
    assert not step.check(step.left, "<=", step.right - 1).holds
    assert not step.check(step.left, ">=", step.right).holds
    assert not step.check(step.left, "<=", step.right.subs(sympy.Symbol("delta", positive=True), x)).holds
    other = Step(ON_EVERY_SEQUENCE.left, "<=", ON_EVERY_SEQUENCE.right - 1, "", ON_EVERY_SEQUENCE.check)
    assert not for_every_outcome(q, other)(step.left, "<=", step.right - 1).holds
