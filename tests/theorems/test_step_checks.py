"""Every check accepts a true step, rejects a false one, and says of itself only what it did."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, exp, gamma, log, sqrt

from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import by_definition, by_summation, simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import (
    by_convexity,
    by_intervals,
    by_monotonicity,
    by_sampling,
    by_sign,
    by_slope,
    cited,
)
from theory.theorems.checks.reductions import after, termwise, using, weights_sum_to_one
from theory.theorems.derivation import Check, Derivation, Relation, Status, Step, compose
from theory.theorems.expectations import ExpectedLog, binomial_mean
from theory.theorems.labels import mean_over_labels

x = sympy.Symbol("x", nonnegative=True)
z = sympy.Symbol("z", positive=True)
n = sympy.Symbol("n", integer=True, nonnegative=True)
p = PROBABILITY
BELOW_ONE = {p: 1 / (1 + x)}
SQUARE = Step((1 + x) ** 2, "=", 1 + 2 * x + x**2, "Expand.", simplifies)
DOUBLED = 4**z * gamma(z) * gamma(z + Rational(1, 2)) / sqrt(sympy.pi)
SQUARES, PLAIN = mean_over_labels(lambda q: q**2), mean_over_labels(lambda q: q)
SLOPE = Step(1 / (1 + x), "<=", sympy.Integer(1), "The logarithm's slope.", by_sign())
NO_SLOPE = Step(1 / (1 + x), ">=", sympy.Integer(1), "Not so.", by_sign())
MEAN_LOSS = mean_over_labels(lambda q: -log(q))

# What holds: check, left, relation, right, status.
TRUE: dict[str, tuple[Check, sympy.Expr, Relation, sympy.Expr, Status]] = {
    "simplifies": (simplifies, log(z**2), "=", 2 * log(z), Status.PROVED),
    "simplifies a gamma ratio": (simplifies, gamma(z + 1) / gamma(z), "=", z, Status.PROVED),
    "by definition": (
        by_definition,
        ExpectedLog(n, p, z),
        "=",
        binomial_mean(lambda k: log(k + z), n, p),
        Status.PROVED,
    ),
    "by summation": (by_summation(p), binomial_mean(lambda k: x**k, n, p), "=", (1 - p + p * x) ** n, Status.PROVED),
    "to fifty digits": (to_fifty_digits(), gamma(2 * z), "=", DOUBLED / 2, Status.DIGITS),
    "by sign": (by_sign(), 2 * x, "<=", 1 + x**2 + 2 * x, Status.PROVED),
    "by sign, substituted": (by_sign(BELOW_ONE), p**2, "<=", p, Status.PROVED),
    "by monotonicity": (by_monotonicity(x, 0), log(1 + x), "<=", x, Status.PROVED),
    "by slope": (by_slope(x, 0, SLOPE), log(1 + x), "<=", x, Status.PROVED),
    "by convexity": (by_convexity(z, 1), log(z), "<=", z - 1, Status.PROVED),
    "by intervals": (by_intervals({x: (0, 1)}), exp(x), "<=", Rational(28, 10), Status.PROVED),
    "by sampling": (by_sampling(), log(1 + x), "<=", x, Status.SAMPLED),
    "cited": (cited("cover2006elements"), log(1 + x), "<=", x, Status.CITED),
    "termwise": (termwise(by_sign(BELOW_ONE)), SQUARES, "<=", PLAIN, Status.PROVED),
    "after exp": (after(exp, by_sign()), log(1 + x), "<=", log(2 + x), Status.PROVED),
    "using a lemma": (using(SQUARE, simplifies), log((1 + x) ** 2), "=", log(1 + 2 * x + x**2), Status.PROVED),
    "weights sum to one": (weights_sum_to_one, mean_over_labels(lambda _: log(1 + n)), "=", log(1 + n), Status.PROVED),
}  # fmt: skip
# What does not hold, or not by that check.
FALSE: dict[str, tuple[Check, sympy.Expr, Relation, sympy.Expr]] = {
    "simplifies": (simplifies, log(z**2), "=", 3 * log(z)),
    "simplifies an inequality": (simplifies, x, "<=", x),
    "by definition": (by_definition, ExpectedLog(n, p, z), "=", binomial_mean(lambda k: log(k + 1), n, p)),
    "by summation": (by_summation(p), binomial_mean(lambda k: x**k, n, p), "=", (1 + p * x) ** n),
    "by summation, out of reach": (by_summation(p), binomial_mean(lambda k: log(k + 1), n, p), "=", log(1 + n * p)),
    "to fifty digits": (to_fifty_digits(), gamma(2 * z), "=", DOUBLED),
    "to fifty digits, off in the fortieth": (to_fifty_digits(), z, "=", z * (1 + Rational(1, 10**40))),
    "by sign": (by_sign(), 1 + x**2, "<=", 2 * x),
    "by sign, of an equality": (by_sign(), x, "=", x),
    "by sign, true but not readable": (by_sign(), log(1 + x), "<=", x),
    "by monotonicity": (by_monotonicity(x, 0), x, "<=", log(1 + x)),
    "by monotonicity, wrong at the start": (by_monotonicity(x, 0), log(1 + x) + 1, "<=", x),
    "by slope, the slope of another": (by_slope(x, 0, SLOPE), log(1 + 2 * x), "<=", x),
    "by slope, with a false lemma": (by_slope(x, 0, NO_SLOPE), log(1 + x), ">=", x),
    "by slope, wrong at the start": (by_slope(x, 0, SLOPE), log(1 + x) + 1, "<=", x),
    "by slope, before the start": (by_slope(x, 1, SLOPE), log(1 + x), "<=", x),
    "by slope, an identity": (by_slope(x, 0, SLOPE), log(1 + x), "=", x),
    "by convexity": (by_convexity(z, 1), z - 1, "<=", log(z)),
    "by convexity, not at the minimum": (by_convexity(z, 2), log(z), "<=", z - 1),
    "by intervals": (by_intervals({x: (0, 1)}), exp(x), "<=", Rational(27, 10)),
    "by intervals, outside the box": (by_intervals({x: (0, 1)}), x, "<=", x + z),
    "by sampling": (by_sampling(), x, "<=", log(1 + x)),
    "cited": (cited("cover2006elements"), x, "<=", log(1 + x)),
    "termwise": (termwise(by_sign(BELOW_ONE)), PLAIN, "<=", SQUARES),
    "termwise, no sum": (termwise(by_sign()), x, "<=", x + 1),
    "after exp": (after(exp, by_sign()), log(2 + x), "<=", log(1 + x)),
    "using a lemma that does not occur": (using(SQUARE, simplifies), x, "=", x),
    "weights sum to one": (weights_sum_to_one, mean_over_labels(lambda _: log(1 + n)), "=", log(2 + n)),
    "weights sum to one, of no constant": (weights_sum_to_one, MEAN_LOSS, "=", log(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_a_true_step_passes(name: str) -> None:
    check, left, relation, right, status = TRUE[name]
    assert Step(left, relation, right, "", check).verdict().status is status


@pytest.mark.parametrize("name", FALSE)
def test_a_false_step_fails(name: str) -> None:
    check, left, relation, right = FALSE[name]
    assert not Step(left, relation, right, "", check).verdict().holds


def test_wrappers_refuse_what_they_cannot_use() -> None:
    with pytest.raises(ValueError, match="increasing"):
        after(lambda side: -side, simplifies)
    with pytest.raises(ValueError, match="identity"):
        using(Step(x, "<=", x + 1, "", by_sign()), simplifies)


def test_a_chain_links_or_says_where_it_breaks() -> None:
    up = Step(x, "<=", x + 1, "", by_sign())
    further = Step(x + 1, "<=", x + 2, "", by_sign())
    same = Step(x + 2, "=", 2 + x, "", simplifies)
    assert Derivation(chain=(up, further, same)).gap(x, "<=", x + 2) is None
    assert "breaks" in str(Derivation(chain=(up, up)).gap(x, "<=", x + 1))
    assert "ends" in str(Derivation(chain=(up,)).gap(x, "<=", x + 2))
    assert "compose" in str(Derivation(chain=(up, further)).gap(x, ">=", x + 2))
    assert "compose" in str(Derivation(chain=(up,)).gap(x, "=", x + 1))
    assert "no step" in str(Derivation().gap(x, "=", x))
    assert Derivation(chain=(same,)).gap(x + 2, "<=", x + 2) is None


def test_relations_compose() -> None:
    assert compose(["=", "="]) == "="
    assert compose(["=", "<=", "<="]) == "<="
    assert compose(["<=", ">="]) is None
    assert compose(["<=", "~"]) is None
