"""The checks behind the in-context theorems find what is false, and the helpers keep their digits."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

from theory.catalogue import find_claim
from theory.numerics.special import minus_product
from theory.theorems.checks.inequalities import by_monotonicity, by_sampling, by_sign
from theory.theorems.checks.reductions import over_weight, substituting
from theory.theorems.derivation import Status
from theory.theorems.precise import precise
from theory.theorems.theorem import Theorem

DISTANCE = sympy.Symbol("d", nonnegative=True)
X = sympy.Symbol("x", nonnegative=True)


def theorem(name: str) -> Theorem:
    found = find_claim(name)
    assert isinstance(found, Theorem)
    return found


def test_a_substitution_proves_what_holds_and_nothing_else() -> None:
    up_to_four = substituting({DISTANCE: 4 / (1 + X)}, by_sign())
    assert up_to_four(DISTANCE, "<=", sympy.Integer(4)).status is Status.PROVED
    assert up_to_four(DISTANCE, "<=", sympy.Integer(3)).status is Status.FAILED
    grows = substituting({DISTANCE: 4 / (1 + X)}, by_monotonicity(X, 0))
    assert grows(sympy.exp(DISTANCE), "<=", sympy.exp(4)).status is Status.PROVED
    assert grows(sympy.exp(DISTANCE), "<=", sympy.exp(3)).status is Status.FAILED


def test_two_sides_that_agree_are_no_violation() -> None:
    third = sympy.Rational(1, 3)
    assert by_sampling()(sympy.log(3) + X, "<=", -sympy.log(third) + X).status is Status.SAMPLED
    slightly_less = sympy.log(3) * (1 - sympy.Rational(1, 10**40))
    assert by_sampling()(sympy.log(3), "<=", slightly_less).status is Status.FAILED


@pytest.mark.parametrize(
    "name",
    [
        "in_context_risk",
        "bayes_in_context_floor",
        "bayes_in_context_rate",
        "bayes_in_context_risk",
        "attention_above_bayes",
        "learned_temperature",
    ],
)
def test_numeric_identities_fail_when_they_are_off_by_a_digit(name: str) -> None:
    numeric = [step for step in theorem(name).derivation.steps if step.verdict().status is Status.DIGITS]
    assert numeric
    for step in numeric:
        off = step.right * (1 + sympy.Rational(1, 10**30))
        assert step.check(step.left, step.relation, off).status is Status.FAILED


@pytest.mark.parametrize("name", ["bayes_in_context_rate", "bayes_in_context_ceiling"])
def test_steps_between_sums_fail_when_they_are_false(name: str) -> None:
    chain = theorem(name).derivation.chain
    compared = [step for step in chain if step.verdict().status in (Status.SAMPLED, Status.PROVED)]
    assert compared
    for step in compared:
        assert step.check(step.right, step.relation, step.left).status is Status.FAILED
    proved = [step for step in compared if step.verdict().status is Status.PROVED]
    assert len(proved) == 1
    factor = sympy.Rational(1001, 1000) if proved[0].relation == ">=" else sympy.Rational(1, 2)
    assert proved[0].check(proved[0].left, proved[0].relation, proved[0].right * factor).status is Status.FAILED


def test_terms_of_different_sums_are_not_compared() -> None:
    count = sympy.Symbol("i", integer=True, nonnegative=True)
    sums = [sympy.Sum(X, (count, 0, last)) for last in (3, 4)]
    check = over_weight(sympy.Integer(1), ({},), X, by_sign())
    assert check(sums[0], "<=", 2 * sums[0]).status is Status.PROVED
    assert check(2 * sums[0], "<=", sums[0]).status is Status.FAILED
    assert check(sums[0], "<=", sums[1]).status is Status.FAILED
    assert check(X, "<=", 2 * X).status is Status.FAILED
    assert check(sums[0] ** 2, "<=", 2 * sums[0] ** 2).status is Status.FAILED


@pytest.mark.parametrize(
    ("number", "share"), [(3, 1 / 3), (10**6, 1e-6), (999_983, (1 - 1e-12) / 999_983), (2, 1e-300)]
)
def test_what_a_product_leaves_of_one(number: int, share: float) -> None:
    exact = 1 - number * Fraction(share)
    assert float(minus_product(1, number, share)) == pytest.approx(float(exact), rel=1e-15)


def test_the_lambert_function_has_fifty_digits() -> None:
    value = precise(sympy.LambertW(X), {X: 7})
    with mpmath.workdps(60):
        assert abs(value * mpmath.exp(value) - 7) < mpmath.mpf(10) ** -50


def test_long_contexts_keep_their_digits() -> None:
    point = {"L": 200, "m": 60, "C": 30, "label_noise": 0.3, "noisy_labels": 29, "odds": 3.0, "floor": 1e-3}
    claim = theorem("in_context_risk")
    assert float(claim.evaluate(**point)) == pytest.approx(float(claim.sides_to_fifty_digits(point)[1]), rel=1e-13)
    assert np.isfinite(claim.evaluate(**(point | {"L": 1000, "m": 500})))


def test_the_bounds_on_the_bayes_rule_bracket_its_exact_risk_in_long_contexts() -> None:
    m, noise = np.arange(0, 1001, 50), 0.3
    entropy = -noise * np.log(noise) - (1 - noise) * np.log1p(-noise)
    excess = theorem("bayes_in_context_risk").evaluate(m=m, label_noise=noise) - entropy
    rounding = 1e-12
    for name in ("bayes_in_context_floor", "bayes_in_context_rate"):
        assert (excess >= theorem(name).evaluate(m=m, C=2, label_noise=noise) - rounding).all()
    assert (excess <= theorem("bayes_in_context_ceiling").evaluate(m=m, C=2, label_noise=noise) + rounding).all()
