"""Checks of steps about sequences and series fail on false steps."""

from __future__ import annotations

import sympy

from theory.catalogue import cumulative_loss, expected_cumulative_loss, pointwise
from theory.catalogue.letters import C, b, n
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import follows_from, instance_of
from theory.theorems.checks.sequences import (
    below_chord,
    by_induction,
    by_induction_over_visits,
    by_series,
    by_telescoping,
    in_the_limit,
    within,
)
from theory.theorems.checks.sums import each_term
from theory.theorems.derivation import Check, Relation, Step

x = sympy.Symbol("x", positive=True)
k = sympy.Symbol("k", integer=True, nonnegative=True)
TRUE = Step(x, "<=", x + 1, "", by_sign())
FALSE = Step(x + 1, "<=", x, "", by_sign())


def fails(check: Check, left: sympy.Expr, relation: Relation, right: sympy.Expr) -> bool:
    return not check(left, relation, right).holds


def test_induction_over_visits() -> None:
    theorem = cumulative_loss.THEOREMS[0]
    check = by_induction_over_visits(n)
    assert check(theorem.left, "=", theorem.right).holds
    assert fails(check, theorem.left, "=", theorem.right + sympy.log(2))
    assert fails(check, theorem.left, "=", theorem.right + n)
    assert fails(check, theorem.left, "=", theorem.right.subs(b, 2 * b))
    assert fails(check, theorem.left, "=", 2 * theorem.right)
    assert fails(check, theorem.left, "<=", theorem.right)


def test_telescoping() -> None:
    theorem = expected_cumulative_loss.THEOREMS[0]
    (growth,) = theorem.derivation.lemmas
    left = theorem.left.function.args[1].subs(theorem.left.function.args[0], PROBABILITY)
    right = sympy.loggamma(n + C * b) - sympy.loggamma(C * b)
    wrong_growth = Step(growth.left, "=", growth.right + 1, "", growth.check)
    plain = sympy.Sum(sympy.log(k + C * b), (k, 0, n - 1))
    assert by_telescoping(n, growth)(plain, "=", right).holds
    assert fails(by_telescoping(n, growth), plain, "=", right + 1)
    assert fails(by_telescoping(n, growth), plain, "=", right + n)
    assert fails(by_telescoping(n, growth), left, "=", right)
    assert fails(by_telescoping(n, wrong_growth), plain, "=", right)


def test_chord() -> None:
    line, curve = sympy.Integer(0), PROBABILITY - 1
    flat = Step(sympy.Integer(0), "<=", sympy.Integer(2) + 0 * x, "", by_sign())
    assert below_chord(PROBABILITY, x, n * PROBABILITY, flat, {n: 1 + k})(curve, "<=", line).holds
    assert fails(below_chord(PROBABILITY, x, n * PROBABILITY, flat, {n: 1 + k}), -curve, "<=", line)
    assert fails(below_chord(PROBABILITY, x, n * PROBABILITY, flat, {n: 1 + k}), curve, "<=", line + 1)
    assert fails(below_chord(PROBABILITY, x, n * PROBABILITY, flat, {n: 1 + k}), curve, ">=", line)
    assert fails(below_chord(PROBABILITY, x, n * PROBABILITY, FALSE, {n: 1 + k}), curve, "<=", line)


def test_series() -> None:
    telescope = sympy.Sum(1 / ((x + k) * (x + k + 1)), (k, 0, sympy.oo))
    hurwitz = sympy.Sum(1 / (k + x) ** 2, (k, 0, sympy.oo))
    assert by_series(telescope, "=", 1 / x).holds
    assert fails(by_series, telescope, "=", 2 / x)
    assert by_series(sympy.polygamma(1, x), "=", hurwitz).holds
    assert fails(by_series, sympy.polygamma(1, x + 1), "=", hurwitz)
    assert fails(by_series, sympy.polygamma(1, x), "<=", hurwitz)


def test_terms_one_by_one() -> None:
    smaller, larger = (sympy.Sum(1 / (k + x + shift) ** 2, (k, 0, sympy.oo)) for shift in (1, 0))
    assert each_term(by_sign())(smaller, "<=", larger).holds
    assert fails(each_term(by_sign()), larger, "<=", smaller)
    assert fails(each_term(by_sign()), smaller, "<=", sympy.Sum(1 / (k + x) ** 2, (k, 1, sympy.oo)))


def test_steps_that_lead_on() -> None:
    assert follows_from(TRUE)(x, "<=", x + 1).holds
    assert fails(follows_from(TRUE), x, "<=", x + 2)
    assert fails(follows_from(TRUE), x, "=", x + 1)
    assert fails(follows_from(TRUE, TRUE), x, "<=", x + 1)
    assert fails(follows_from(FALSE), x + 1, "<=", x)


def test_instances() -> None:
    assert instance_of(TRUE, {x: sympy.Integer(2)})(sympy.Integer(2), "<=", sympy.Integer(3)).holds
    assert fails(instance_of(TRUE, {x: sympy.Integer(2)}), sympy.Integer(2), "<=", sympy.Integer(4))
    assert fails(instance_of(FALSE, {x: sympy.Integer(2)}), sympy.Integer(3), "<=", sympy.Integer(2))


def test_induction() -> None:
    step = pointwise.THEOREMS[1].derivation.chain[-1]
    assert step.verdict().holds
    assert fails(step.check, step.left, "<=", step.right + 1)
    assert fails(step.check, step.left, "<=", step.right + n - 1)
    assert fails(by_induction(n, 1, FALSE, {}, {}), step.left, "<=", step.right)


def test_limits() -> None:
    assert in_the_limit(n)((n + 1) / (n + 2), "~", sympy.Integer(1)).holds
    assert fails(in_the_limit(n), n + 1, "~", n)
    assert fails(in_the_limit(n), n / (n + 1), "=", sympy.Integer(1))
    assert within(1 / n, {n: (2, 9)})(1 / (n + 1), "~", sympy.Integer(0)).holds
    assert fails(within(1 / n, {n: (2, 9)}), 2 / n, "~", sympy.Integer(0))
