"""False steps that a careless check would call proved, each beside a true one of its kind."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sympy

from theory.theorems.checks.algebra import PROBABILITY, is_as_assumed
from theory.theorems.checks.identities import by_summation, simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity, by_monotonicity, by_sign, cited
from theory.theorems.checks.integrals import by_linearity
from theory.theorems.checks.outcomes import same_logarithms
from theory.theorems.checks.reductions import (
    after,
    follows_from,
    in_every_case,
    instance_of,
    over_weight,
    substituting,
    termwise,
    using,
    weights_sum_to_one,
)
from theory.theorems.checks.sequences import COUNT, SEEN_BEFORE, below_chord, by_induction, by_induction_over_visits
from theory.theorems.checks.sums import (
    against_each,
    by_concavity,
    each_term,
    in_cases,
    in_logarithms,
    in_minimum,
    is_a_term,
    logarithm_of,
    minus_log,
    naming,
    some_argument,
    telescopes,
)
from theory.theorems.derivation import Check, Relation, Status, Step, Verdict, strongest, weakest
from theory.theorems.labels import CLASSES, LABEL, LAW
from theory.theorems.least import Least, attained_at

p, q, u = sympy.symbols("probability q u", positive=True)
x, w = sympy.symbols("x w", nonnegative=True)
r, s, t = sympy.symbols("r s t", real=True)
below = sympy.Symbol("below", negative=True)
whole = sympy.Symbol("whole", integer=True)
n, k, m = sympy.symbols("n k m", integer=True, nonnegative=True)
i = sympy.Symbol("i", integer=True, positive=True)
b = sympy.Symbol("b", positive=True)
z = sympy.Symbol("z", integer=True, positive=True)
zero, one = sympy.Integer(0), sympy.Integer(1)
log, exp, Sum = sympy.log, sympy.exp, sympy.Sum
BINOMIAL = sympy.binomial(n, k) * p**k * (1 - p) ** (n - k)
BELOW_ONE = {x: 1 / (1 + w)}
LABELS = (LABEL, 1, CLASSES)
POSITIVE = Step(zero, "<=", q, "", by_sign())
NOT_ONE = Step(exp(x), "=", one, "", simplifies)
EQUAL_IN_DIGITS = Step(log(2) + log(q), "=", log(2 * q), "", to_fifty_digits())
LOSS = Sum(-log((SEEN_BEFORE(k) + b) / (k + CLASSES * b)), (k, 0, n - 1))


def code_length(last: sympy.Expr, base: sympy.IndexedBase = COUNT) -> sympy.Expr:
    counts = Sum(sympy.loggamma(base[z] + b) - sympy.loggamma(b), (z, 1, last))
    return sympy.loggamma(n + CLASSES * b) - sympy.loggamma(CLASSES * b) - counts


class Pair(NamedTuple):
    """A check, a true step that it passes and a false one."""

    check: Check
    true: tuple[sympy.Expr, Relation, sympy.Expr]
    false: tuple[sympy.Expr, Relation, sympy.Expr]


PAIRS: dict[str, Pair] = {
    "by_summation, at one point": Pair(
        by_summation(p), (Sum(BINOMIAL, (k, 0, n)), "=", one), (Sum(p**k, (k, 0, n)), "=", n + 1)
    ),
    "by_summation, a series": Pair(
        by_summation(p), (Sum(k * BINOMIAL, (k, 0, n)), "=", n * p), (Sum(p**k, (k, 0, sympy.oo)), "=", 1 / (1 - p))
    ),
    "by_summation, no polynomial": Pair(
        by_summation(p), (Sum(BINOMIAL, (k, 0, n)), "=", one), (Sum(sympy.Abs(1 - p) ** k, (k, 0, n)), "=", n + 1)
    ),
    "instance_of": Pair(instance_of(POSITIVE, {q: one}), (zero, "<=", one), (zero, "<=", -one)),
    "some_argument, the other way": Pair(
        some_argument(by_sign()), (zero, "<=", sympy.Max(x, r)), (zero, ">=", sympy.Max(-1, r))
    ),
    "some_argument, an identity": Pair(
        some_argument(by_sign()), (x, "<=", sympy.Max(x + 1, r)), (s, "=", sympy.Max(r, s))
    ),
    "naming, a sign": Pair(naming({x: r**2}, by_sign()), (zero, "<=", r**2), (zero, "<=", r)),
    "naming, what is summed over": Pair(
        naming({q: i**2}, simplifies), (i**2 + i**2, "=", 2 * i**2), (Sum(i**2, (i, 1, n)), "=", n * i**2)
    ),
    "substituting, what is summed over": Pair(
        substituting({r: i}, by_sign()), (zero, "<=", r), (Sum(-r, (i, 1, n)), "=", -Sum(i, (i, 1, n)))
    ),
    "weights_sum_to_one, no weights": Pair(
        weights_sum_to_one, (Sum(2 * LAW[LABEL], LABELS), "=", 2 * one), (Sum(COUNT[LABEL], LABELS), "=", one)
    ),
    "weights_sum_to_one, not all": Pair(
        weights_sum_to_one, (Sum(LAW[LABEL], LABELS), "=", one), (Sum(LAW[LABEL], (LABEL, 2, CLASSES)), "=", one)
    ),
    "weights_sum_to_one, of other labels": Pair(
        weights_sum_to_one, (Sum(LAW[LABEL], LABELS), "=", one), (Sum(LAW[LABEL + 7], LABELS), "=", one)
    ),
    "termwise, another label": Pair(
        termwise(simplifies),
        (Sum(LAW[LABEL] * log(LAW[LABEL] ** 2), LABELS), "=", Sum(2 * LAW[LABEL] * log(LAW[LABEL]), LABELS)),
        (Sum(LAW[LABEL] * log(LAW[LABEL]), LABELS), "=", Sum(LAW[LABEL] * log(LAW[LABEL + 1]), LABELS)),
    ),
    "termwise, another thing": Pair(
        termwise(simplifies),
        (Sum(LAW[LABEL], LABELS), "=", Sum(LAW[LABEL], LABELS)),
        (Sum(LAW[LABEL], LABELS), "=", Sum(COUNT[LABEL], LABELS)),
    ),
    "termwise, the symbol that stands for it": Pair(
        termwise(simplifies),
        (Sum(LAW[LABEL] ** 2, LABELS), "=", Sum(LAW[LABEL] ** 2, LABELS)),
        (Sum(LAW[LABEL] ** 2, LABELS), "=", Sum(PROBABILITY * LAW[LABEL], LABELS)),
    ),
    "by_induction_over_visits, one label": Pair(
        by_induction_over_visits(n), (LOSS, "=", code_length(CLASSES)), (LOSS, "=", code_length(one))
    ),
    "by_induction_over_visits, other counts": Pair(
        by_induction_over_visits(n),
        (LOSS, "=", code_length(CLASSES)),
        (LOSS, "=", code_length(CLASSES, sympy.IndexedBase("M"))),
    ),
    "is_a_term": Pair(
        is_a_term(7 * one, {n: 7 + m}), (7 * one, "<=", Sum(i, (i, 1, n))), (7 * one, "<=", Sum(i, (i, 1, m)))
    ),
    "is_a_term, an index that is none": Pair(
        is_a_term(one, {n: 1 + m}), (zero, "<=", Sum(i - 1, (i, 1, n))), (zero, "<=", Sum(i - 1, (i, -3, n)))
    ),
    "in_minimum, a square": Pair(
        in_minimum(by_sign()),
        (sympy.Min(p, q) ** 2, "<=", sympy.Min(p + 1, q) ** 2),
        (sympy.Min(r, s) ** 2, "<=", sympy.Min(r + 1, s) ** 2),
    ),
    "in_minimum, two new arguments": Pair(
        in_minimum(by_sign()),
        (sympy.Min(p, q), "<=", sympy.Min(p + x, q)),
        (sympy.Min(p, q), "<=", sympy.Min(p + x, p + w, q, u)),
    ),
    "against_each, within a sum": Pair(
        against_each(by_sign(), by_sign()),
        (p, "<=", sympy.Min(p + x, p + w)),
        (one, "<=", Sum(sympy.Min(i, 3 - i), (i, 1, 2)) - 1),
    ),
    "by_monotonicity, from farther on": Pair(
        by_monotonicity(p, 1, {p: 1 + x}), (log(p), "<=", p - 1), (p - 1, "<=", log(p))
    ),
    "by_monotonicity, below the start": Pair(by_monotonicity(x, 0), (log(1 + x), "<=", x), (1 / (1 + x), "<=", 1 - x)),
    "by_monotonicity, a jump": Pair(
        by_monotonicity(x, 0), (zero, "<=", x), (one / 2, "<=", sympy.Piecewise((1, x < 1), (0, True)))
    ),
    "by_convexity, a minimum elsewhere": Pair(by_convexity(p, 1), (3 * p, "<=", p**3 + 2), (3 * p, "<=", p**3 + 1)),
    "by_concavity": Pair(by_concavity(x, (zero, one), BELOW_ONE), (x**2, "<=", x), (x, "<=", x**2)),
    "in_logarithms": Pair(
        in_logarithms(Step(zero, "<=", log(2), "", by_sign())), (q, "<=", 2 * q), (-one, "<=", -2 * one)
    ),
    "logarithm_of": Pair(
        logarithm_of(Step(q, "<=", q + p, "", by_sign())),
        (log(q), "<=", log(q + p)),
        (log(q + p), "<=", log(q)),
    ),
    "minus_log": Pair(minus_log(by_sign()), (-log(2 * q), "<=", -log(q)), (-log(-q), "<=", -log(-2 * q))),
    "same_logarithms": Pair(same_logarithms, (log(q**2), "=", 2 * log(q)), (log(r**2), "=", 2 * log(r))),
    "after, of complex sides": Pair(after(exp, simplifies), (2 * log(q), "=", log(q**2)), (2 * log(r), "=", log(r**2))),
    "each_term, an index that is none": Pair(
        each_term(by_sign()),
        (Sum(zero * i + 1, (i, 1, n)), "<=", Sum(i, (i, 1, n))),
        (Sum(one, (i, 0, n)), "<=", Sum(i, (i, 0, n))),
    ),
    "each_term, a sum the other way": Pair(
        each_term(by_sign()),
        (Sum(q, (i, 1, n)), "<=", Sum(2 * q, (i, 1, n))),
        (Sum(q, (i, 1, whole)), "<=", Sum(2 * q, (i, 1, whole))),
    ),
    "telescopes, an index that is none": Pair(
        telescopes(sympy.Abs(i), simplifies),
        (Sum(i - sympy.Abs(i - 1), (i, 1, n)), "=", n),
        (Sum(one, (i, -3, n)), "=", n - 4),
    ),
    "over_weight": Pair(
        over_weight(q, ({},), p, by_sign()),
        (Sum(q * p, (k, 0, n)), "<=", Sum(2 * q * p, (k, 0, n))),
        (Sum(2 * q * p, (k, 0, n)), "<=", Sum(q * p, (k, 0, n))),
    ),
    "in_cases": Pair(in_cases(({r: x}, {r: -x}), by_sign()), (zero, "<=", r**2), (zero, "<=", r)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_true_step_is_proved_and_the_false_one_fails(name: str) -> None:
    check, true, false = PAIRS[name]
    assert check(*true).status is Status.PROVED
    assert check(*false).status is Status.FAILED


@pytest.mark.parametrize(
    ("check", "left", "right"),
    [
        (instance_of(POSITIVE, {q: -one}), zero, -one),
        (naming({x: r}, by_sign()), zero, r),
        (naming({below: x}, by_sign()), x, zero),
        (over_weight(-one, ({},), q, by_sign()), Sum(q, (k, 0, n)), Sum(-q, (k, 0, n))),
        (by_monotonicity(p, 1), 1 / p, one),
        (by_convexity(p, -1), 3 * p, p**3),
        (by_concavity(x, (zero, one), {}), zero, x * (1 - x)),
        (is_a_term(7 * one, {}), 7 * one, Sum(i, (i, 1, n))),
        (below_chord(p, q, -p, Step(zero, "<=", q, "", by_sign())), p - 1, zero),
    ],
)
def test_assumptions_signs_and_ranges_are_looked_at(check: Check, left: sympy.Expr, right: sympy.Expr) -> None:
    assert check(left, "<=", right).status is Status.FAILED


def test_only_what_increases_everywhere_may_be_applied_to_both_sides() -> None:
    for function in (lambda e: 0 * e, lambda e: e**2, lambda e: sympy.Piecewise((e, e < 0), (e - 1, True))):
        with pytest.raises(ValueError, match="increasing"):
            after(function, by_sign())
    assert after(lambda e: 2 * e, by_sign())(x, "<=", x + 1).holds


def test_a_false_lemma_spoils_the_step() -> None:
    no_majorant = Step(exp(x), "<=", zero, "", by_sign())
    curved = exp(x) - 1 - (sympy.E - 1) * x
    assert using(NOT_ONE, simplifies)(exp(x), "=", one).status is Status.FAILED
    assert by_concavity(x, (zero, one), BELOW_ONE, (no_majorant,))(zero, "<=", curved).status is Status.FAILED
    represented = Step(log(q), "=", sympy.Integral(u**q, (u, 0, 1)), "", simplifies)
    sides = (log(2 * q), sympy.Integral(u ** (2 * q), (u, 0, 1)))
    assert by_linearity(represented)(sides[0], "=", sides[1]).status is Status.FAILED


def test_a_majorant_that_is_checked_may_be_used() -> None:
    # -x log x lies above its chord: the second derivative -1/x is at most -1 for x below 1.
    steep = Step(-1 / x, "<=", -one, "", by_sign(BELOW_ONE))
    assert by_concavity(x, (zero, one), BELOW_ONE, (steep,))(zero, "<=", -x * log(x)).status is Status.PROVED


def test_a_step_is_worth_no_more_than_its_lemma() -> None:
    assert using(EQUAL_IN_DIGITS, simplifies)(EQUAL_IN_DIGITS.left, "=", EQUAL_IN_DIGITS.right).status is Status.DIGITS
    assert follows_from(EQUAL_IN_DIGITS)(EQUAL_IN_DIGITS.left, "=", EQUAL_IN_DIGITS.right).status is Status.DIGITS
    assert in_every_case(by_sign(), cited("cover2006elements"))(x, "<=", x + 1).status is Status.CITED


def test_the_weakest_verdict_is_the_one_that_counts() -> None:
    verdicts = [Verdict(status, status.value) for status in Status]
    assert weakest(verdicts).status is Status.FAILED
    assert weakest(verdicts[:4]).status is Status.CITED
    assert strongest(verdicts).status is Status.PROVED
    assert weakest(verdicts).method == "failed"


def test_the_growth_of_an_induction_is_used_where_it_holds() -> None:
    growth = Step(zero, "<=", q, "", by_sign())
    sides = (zero * n, "<=", n - 1)
    assert not by_induction(n, 1, growth, {q: -one}, {})(*sides).holds
    assert by_induction(n, 1, growth, {q: one}, {})(*sides).holds


def test_what_is_assumed_of_a_symbol() -> None:
    assert is_as_assumed(x, r**2)
    assert is_as_assumed(n, i - 1)
    assert not is_as_assumed(n, x)
    assert not is_as_assumed(p, x)
    assert not is_as_assumed(below, x)


class _Cubic(Least):
    variable = p
    letter = "p"
    nargs = 1

    def objective(self) -> sympy.Expr:
        return p**3 - 3 * p + self.args[0]


def test_the_place_of_a_least_value_is_one_that_the_variable_may_take() -> None:
    assert attained_at(one)(_Cubic(q), "=", q - 2).status is Status.PROVED
    assert attained_at(-one)(_Cubic(q), "=", q + 2).status is Status.FAILED
