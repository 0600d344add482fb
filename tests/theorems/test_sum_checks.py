"""Each check of sums, names, cases and minima passes a true step and fails a false one."""

from __future__ import annotations

import pytest
import sympy

from theory.catalogue.composition import LossOfContext
from theory.catalogue.hedge import B, LeastHedgePrice
from theory.catalogue.letters import n
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import after, follows_from, substituting
from theory.theorems.checks.sums import (
    VISIT,
    against_each,
    by_concavity,
    each_term,
    in_cases,
    in_logarithms,
    in_minimum,
    is_a_term,
    is_an_argument,
    logarithm_of,
    minus_log,
    naming,
    over_all,
    read_backwards,
    some_argument,
    sums_to,
    telescopes,
    times,
    without_factor,
    written_out,
)
from theory.theorems.derivation import Check, Relation, Status, Step
from theory.theorems.least import attained_at

x, y = sympy.symbols("x y", positive=True)
s, t = sympy.symbols("s t", nonnegative=True)
r = sympy.Symbol("r", real=True)
N = sympy.Symbol("N", positive=True)
m = sympy.Symbol("m", integer=True, nonnegative=True)
one, zero = sympy.Integer(1), sympy.Integer(0)
k = sympy.Symbol("k", integer=True, nonnegative=True)
BELOW_ONE = {x: 1 / (1 + y)}
SHORTER = Step(sympy.log(x), "<=", sympy.log(x + y), "More.", after(sympy.exp, by_sign()))
FALSE = Step(sympy.log(x + y), "<=", sympy.log(x), "Less.", after(sympy.exp, by_sign()))
SERIES = sympy.Sum(1 / ((N + m) * (N + m + 1)), (m, 0, sympy.oo))
BEST_RATE = sympy.sqrt(8 * sympy.log(2) / n) / B

PAIRS: dict[str, tuple[Check, tuple[sympy.Expr, Relation, sympy.Expr], tuple[sympy.Expr, Relation, sympy.Expr]]] = {
    "each_term": (
        each_term(by_sign()),
        (over_all(lambda i: x * i, n), "<=", over_all(lambda i: (x + y) * i, n)),
        (over_all(lambda i: x * i, n), "<=", over_all(lambda i: (x - y) * i, n)),
    ),
    "each_term, other limits": (
        each_term(by_sign()),
        (1 + over_all(lambda i: x * i, n), "<=", 1 + over_all(lambda i: x * i, n)),
        (over_all(lambda i: x * i, n), "<=", over_all(lambda i: x * i, n - 1)),
    ),
    "each_term, other addend": (
        each_term(by_sign()),
        (y + over_all(lambda i: x * i, n), "<=", y + over_all(lambda i: x * i, n)),
        (y + over_all(lambda i: x * i, n), "<=", over_all(lambda i: x * i, n)),
    ),
    "telescopes": (
        telescopes(VISIT**2, simplifies),
        (over_all(lambda i: 2 * i - 1, n), "=", n**2),
        (over_all(lambda i: 2 * i + 1, n), "=", n**2),
    ),
    "telescopes, wrong remainder": (
        telescopes(VISIT**2, simplifies),
        (x + over_all(lambda i: 2 * i - 1, n), "=", x + n**2),
        (over_all(lambda i: 2 * i - 1, n), "=", n**2 - 1),
    ),
    "naming": (
        naming({x: sympy.exp(r)}, by_sign()),
        (sympy.exp(r), "<=", 2 * sympy.exp(r)),
        (2 * sympy.exp(r), "<=", sympy.exp(r)),
    ),
    "naming, an assumption that does not hold": (
        naming({s: r**2}, by_sign()),
        (zero, "<=", r**2),
        (zero, "<=", r),
    ),
    "substituting": (substituting({r: x + 1}, by_sign()), (one, "<=", r), (r, "<=", one)),
    "times": (times(x, by_sign()), (1 / x, "<=", (1 + y) / x), ((1 + y) / x, "<=", 1 / x)),
    "minus_log": (
        minus_log(by_sign()),
        (-sympy.log(x + y), "<=", -sympy.log(x)),
        (-sympy.log(x), "<=", -sympy.log(x + y)),
    ),
    "without_factor": (without_factor(s, by_sign()), (s * x, "<=", s * (x + y)), (s * (x + y), "<=", s * x)),
    "without_factor, of either sign": (
        without_factor(s, by_sign()),
        (s, "<=", 2 * s),
        (r * x, "<=", r * (x + y)),
    ),
    "in_logarithms": (
        in_logarithms(SHORTER),
        (x, "<=", x + y),
        (x, "<=", x + 2 * y),
    ),
    "logarithm_of": (
        logarithm_of(Step(x, "<=", x + y, "More.", by_sign())),
        (1 + sympy.log(x), "<=", 1 + sympy.log(x + y)),
        (1 + sympy.log(x), "<=", sympy.log(x + y)),
    ),
    "written_out": (
        written_out(simplifies),
        (LossOfContext(n, n, x), "=", -n * sympy.log(x)),
        (LossOfContext(n, n, x), "=", n * sympy.log(x)),
    ),
    "read_backwards": (
        read_backwards(sums_to),
        (1 / N, "=", SERIES),
        (2 / N, "=", SERIES),
    ),
    "sums_to": (
        sums_to,
        (sympy.Sum(1 / (N + m) ** 2, (m, 0, sympy.oo)), "=", sympy.polygamma(1, N)),
        (sympy.Sum(1 / (N + m) ** 2, (m, 0, sympy.oo)), "=", sympy.polygamma(1, N + 1)),
    ),
    "in_cases": (
        in_cases(({r: s}, {r: -s}), by_sign()),
        (zero, "<=", r**2),
        (zero, "<=", r),
    ),
    "some_argument": (
        some_argument(by_sign()),
        (x, "<=", sympy.Max(x + s, r)),
        (x + 1, "<=", sympy.Max(x, r)),
    ),
    "in_minimum": (
        in_minimum(by_sign()),
        (x * sympy.Min(r, y), "<=", x * sympy.Min(r, y + s)),
        (x * sympy.Min(r, y + x), "<=", x * sympy.Min(r, y)),
    ),
    "in_minimum, of what decreases with it": (
        in_minimum(by_sign()),
        (sympy.Min(r, y), "<=", sympy.Min(r, y + s)),
        (-sympy.Min(r, y), "<=", -sympy.Min(r, y + s)),
    ),
    "is_an_argument": (
        is_an_argument,
        (sympy.Min(r, y), "<=", r),
        (sympy.Max(r, y), "<=", r),
    ),
    "is_a_term": (
        is_a_term(m, {n: m + k}),
        (x**m, "<=", sympy.Sum(x**m, (m, 0, n))),
        (r**m, "<=", sympy.Sum(r**m, (m, 0, n))),
    ),
    "follows_from": (
        follows_from(Step(x, "<=", x + y, "More.", by_sign()), Step(x + y, "<=", x + y + s, "More.", by_sign())),
        (x, "<=", x + y + s),
        (x, "<=", x + s),
    ),
    "against_each": (
        against_each(by_sign(), by_sign()),
        (x, "<=", sympy.Min(x + s, x + t)),
        (x, "<=", sympy.Min(x + s, r)),
    ),
    "by_concavity": (
        by_concavity(x, (zero, one), BELOW_ONE),
        (x**2, "<=", x),
        (x, "<=", x**2),
    ),
    "attained_at": (
        attained_at(BEST_RATE, {n: 1 + m}),
        (LeastHedgePrice(n, B), "=", B * sympy.sqrt(n * sympy.log(2) / 2)),
        (LeastHedgePrice(n, B), "=", B * sympy.sqrt(n * sympy.log(2))),
    ),
    "attained_at, elsewhere": (
        attained_at(BEST_RATE, {n: 1 + m}),
        (LeastHedgePrice(n, B), "=", B * sympy.sqrt(n * sympy.log(2) / 2)),
        (LeastHedgePrice(2 * n, B), "=", B * sympy.sqrt(n * sympy.log(2))),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_true_step_passes_and_a_false_one_fails(name: str) -> None:
    check, true, false = PAIRS[name]
    assert check(*true).status is Status.PROVED
    assert check(*false).status is Status.FAILED


def test_lemmas_are_checked_where_they_are_used() -> None:
    assert in_logarithms(FALSE)(x + y, "<=", x).status is Status.FAILED
    assert logarithm_of(Step(x + y, "<=", x, "Less.", by_sign()))(sympy.log(x + y), "<=", sympy.log(x)).status is (
        Status.FAILED
    )
    assert follows_from(FALSE)(FALSE.left, "<=", FALSE.right).status is Status.FAILED


def test_a_name_must_have_what_is_assumed_of_it() -> None:
    assert naming({x: r}, by_sign())(-r, "<=", r).status is Status.FAILED


def test_a_factor_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        times(r, by_sign())
