"""Checks of steps about sequences of labels and about series; what they may call proved is said in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import sympy

from theory.theorems.checks.algebra import Ranges, is_as_assumed, put, rational_points
from theory.theorems.derivation import Check, Relation, Status, Step, Verdict
from theory.theorems.labels import CLASSES
from theory.theorems.precise import precise

# How often each label was seen.
COUNT: Final = sympy.IndexedBase("N", integer=True, nonnegative=True)
# How often the label of visit i + 1 was seen in the i visits before it, on an arbitrary sequence.
SEEN_BEFORE: Final = sympy.Function("seen", nonnegative=True)


def sum_over_counts(function: Callable[[sympy.Expr], sympy.Expr], classes: sympy.Expr) -> sympy.Sum:
    r""":math:`\sum_{y=1}^{C} F(N_y)`."""
    label = sympy.Symbol("z", integer=True, positive=True)
    return sympy.Sum(function(COUNT[label]), (label, 1, classes))


def by_induction_over_visits(visits: sympy.Symbol) -> Check:
    """A sum over the visits of any sequence is a function of its counts, by induction over the visits.

    The left side is a sum over ``i`` from 0 to ``visits - 1`` of a term in ``i`` and ``seen(i)``; the right side
    depends on ``visits`` and on sums over labels of functions of the counts. Proved by: the right side is 0 without
    visits, and one more visit, of a label seen ``k`` times before, adds the left side's term.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=" or not isinstance(left, sympy.Sum) or _range(left) != (0, visits - 1):
            return Verdict(Status.FAILED, "a sum over the visits was expected")
        k = sympy.Dummy(integer=True, nonnegative=True)
        position = left.limits[0][0]
        term = left.function.subs(SEEN_BEFORE(position), k).subs(position, visits)
        empty = right.replace(_is_indexed, lambda _: sympy.Integer(0)).subs(visits, 0).doit()
        sums = right.atoms(sympy.Sum)
        without_sums = right.subs(dict.fromkeys(sums, 0))
        added = without_sums.subs(visits, visits + 1) - without_sums
        for total in sums:
            label = total.limits[0][0]
            if _range(total) != (1, CLASSES):
                return Verdict(Status.FAILED, "sums over all the labels were expected")
            per_label = total.function.subs(COUNT[label], k)
            placeholder = sympy.Dummy()
            weight = sympy.diff(right.subs(total, placeholder), placeholder)
            if per_label.has(visits, label, sympy.Indexed) or weight.free_symbols:
                return Verdict(Status.FAILED, "the sums over labels must depend on the counts only")
            added += weight * (per_label.subs(k, k + 1) - per_label)
        if sympy.simplify(empty) == 0 and _gamma_ratio_is_one(added - term):
            return Verdict(Status.PROVED, "induction over the visits: 0 at the start, and one more visit adds its term")
        return Verdict(Status.FAILED, "one more visit does not add its term")

    return check


def _range(total: sympy.Sum) -> tuple[sympy.Expr, ...] | None:
    return total.limits[0][1:] if len(total.limits) == 1 else None


def _is_indexed(expression: sympy.Basic) -> bool:
    return isinstance(expression, sympy.Indexed)


def _gamma_ratio_is_one(logarithm: sympy.Expr) -> bool:
    ratio = sympy.exp(logarithm.replace(sympy.loggamma, lambda z: sympy.log(sympy.gamma(z))))
    return bool(sympy.gammasimp(sympy.powsimp(sympy.expand(ratio, power_exp=True))) == 1)


def by_series(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """SymPy sums the series on one side to the other side, or knows both as the same Hurwitz zeta function."""
    series, value = (left, right) if isinstance(left, sympy.Sum) else (right, left)
    if relation == "=" and isinstance(series, sympy.Sum):
        ((index, first, last),) = series.limits
        shift = sympy.Wild("shift", exclude=[index])
        found = series.function.match((index + shift) ** -2)
        if (first, last) == (0, sympy.oo) and found:
            if sympy.simplify(sympy.zeta(2, found[shift]) - value.rewrite(sympy.zeta)) == 0:
                return Verdict(Status.PROVED, "the definition of the Hurwitz zeta function")
        elif sympy.simplify(series.doit() - value) == 0:
            return Verdict(Status.PROVED, "SymPy sums the series")
    return Verdict(Status.FAILED, "SymPy does not sum the series to the other side")


def below_chord(
    variable: sympy.Symbol,
    x: sympy.Symbol,
    argument: sympy.Expr,
    curvature: Step,
    where: Mapping[sympy.Symbol, sympy.Expr] | None = None,
) -> Check:
    """Times the variable, the left side is convex in it and the right side is its chord from 0 to 1.

    Parameters
    ----------
    variable : sympy.Symbol
        Positive; the step is claimed for values up to 1.
    x, argument : sympy.Symbol, sympy.Expr
        What stands for ``x`` in the curvature's inequality.
    curvature : Step
        An inequality ``<=`` whose slack is the second derivative, up to a nonnegative factor; it is checked here.
    where : mapping of sympy.Symbol to sympy.Expr, optional
        A substitution with which SymPy knows the argument's sign.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "<=" or curvature.relation != "<=" or not is_as_assumed(x, put(argument, where)):
            return Verdict(Status.FAILED, f"inequalities <= and an argument like {x} were expected")
        curve, chord = sympy.expand(left * variable), sympy.expand(right * variable)
        straight = sympy.simplify(sympy.diff(chord, variable, 2)) == 0
        at_zero = sympy.limit(sympy.expand(curve - chord), variable, 0, "+")
        meets = at_zero == 0 and sympy.simplify((curve - chord).subs(variable, 1)) == 0
        slack = (curvature.right - curvature.left).subs(x, argument)
        factor = sympy.simplify(sympy.diff(curve, variable, 2) / slack)
        lemma = curvature.verdict()
        if straight and meets and factor.is_nonnegative and lemma.holds:
            return Verdict(lemma.status, f"a convex curve below its chord; curvature: {lemma.method}")
        return Verdict(Status.FAILED, "not a convex curve and its chord")

    return check


def by_induction(
    variable: sympy.Symbol,
    start: int,
    growth: Step,
    where: Mapping[sympy.Symbol, sympy.Expr],
    others: Mapping[sympy.Symbol, sympy.Expr],
) -> Check:
    """For whole numbers from ``start``: equality there, and one more adds less to the left side than to the right.

    Parameters
    ----------
    variable, start : sympy.Symbol, int
        Where the induction runs.
    growth : Step
        What the sides grow by at most and at least, an inequality ``<=`` that is checked here.
    where : mapping of sympy.Symbol to sympy.Expr
        What stands for the symbols of ``growth``.
    others : mapping of sympy.Symbol to sympy.Expr
        A substitution for the other symbols: the values for which the step is claimed.
    """
    claimed = {variable: start + sympy.Dummy(integer=True, nonnegative=True), **others}

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "<=" or growth.relation != "<=":
            return Verdict(Status.FAILED, "inequalities <= were expected")
        if not all(is_as_assumed(symbol, put(value, claimed)) for symbol, value in where.items()):
            return Verdict(Status.FAILED, "a value may lie outside what the growth assumes")
        slack = right - left
        grown = slack.subs(variable, variable + 1).replace(sympy.gamma, lambda z: _one_less(z, variable)) - slack
        rest = (grown - (growth.right - growth.left).subs(where)).subs(variable, sympy.Dummy("m", positive=True))
        lemma = growth.verdict()
        if lemma.holds and _gamma_ratio_is_one(slack.subs(variable, start)) and _log_vanishes(rest):
            return Verdict(lemma.status, f"induction from {variable} = {start}; growth: {lemma.method}")
        return Verdict(Status.FAILED, "the induction fails")

    return check


def _one_less(argument: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    """The functional equation: Gamma(z) = (z - 1) Gamma(z - 1)."""
    return (argument - 1) * sympy.gamma(argument - 1) if argument.has(variable) else sympy.gamma(argument)


def _log_vanishes(expression: sympy.Expr) -> bool:
    return bool(sympy.simplify(sympy.expand_log(sympy.expand_log(expression, force=True), force=True)) == 0)


def in_the_limit(variable: sympy.Symbol) -> Check:
    """SymPy finds that the difference of the sides vanishes as the variable grows."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation == "~" and sympy.limit(left - right, variable, sympy.oo) == 0:
            return Verdict(Status.PROVED, f"SymPy's limit of the difference, {variable} to infinity, is 0")
        return Verdict(Status.FAILED, "SymPy does not find the difference to vanish")

    return check


def within(remainder: sympy.Expr, ranges: Ranges, points: int = 6) -> Check:
    """At random rational points the sides differ by the remainder at most: evidence, not a proof."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "~":
            return Verdict(Status.FAILED, "an asymptotic relation was expected")
        for point in rational_points(remainder, right, ranges, points):
            if abs(precise(left, point) - precise(right, point)) > precise(remainder, point):
                return Verdict(Status.FAILED, f"farther apart than the remainder at {point}")
        return Verdict(Status.SAMPLED, f"within the remainder at {points} random rational points")

    return check


def by_telescoping(variable: sympy.Symbol, growth: Step) -> Check:
    """Per label: a sum from 0 to ``variable - 1`` equals what is 0 without terms and grows by its terms.

    Parameters
    ----------
    variable : sympy.Symbol
        Number of terms.
    growth : Step
        An identity for the right side's expectation at one more visit; it is checked here.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=" or growth.relation != "=" or not isinstance(left, sympy.Sum):
            return Verdict(Status.FAILED, "a sum and an identity were expected")
        ((position, first, last),) = left.limits
        written_out = right.subs(variable, 0).replace(
            lambda f: hasattr(f, "definition"), lambda f: f.definition().doit()
        )
        grown = right.subs(variable, variable + 1).subs(growth.left, growth.right) - right
        rest = sympy.expand(grown - left.function.subs(position, variable))
        lemma = growth.verdict()
        if (first, last) == (0, variable - 1) and sympy.simplify(written_out) == 0 and _gamma_ratio_is_one(rest):
            return Verdict(lemma.status, f"induction over the visits; growth: {lemma.method}")
        return Verdict(Status.FAILED, "one more visit does not add its term")

    return check
