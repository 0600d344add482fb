"""Checks of identities: by simplification, by definition, by summation, or to 50 digits where these fail."""

from __future__ import annotations

import mpmath
import sympy

from theory.theorems.checks.algebra import (
    POINTS,
    Ranges,
    has_definition,
    is_as_assumed,
    rational_points,
    shown,
    vanishes,
)
from theory.theorems.derivation import Check, Relation, Status, Verdict
from theory.theorems.expectations import DIGITS
from theory.theorems.precise import precise


def simplifies(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """The difference of the two sides simplifies to zero."""
    if relation != "=":
        return Verdict(Status.FAILED, "an identity was expected")
    if vanishes(left - right):
        return Verdict(Status.PROVED, "SymPy simplifies the difference to 0")
    return Verdict(Status.FAILED, "SymPy does not simplify the difference to 0")


def by_definition(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """The sides agree once every expectation is written out as its definition."""
    written_out = [side.replace(has_definition, lambda f: f.definition()) for side in (left, right)]
    verdict = simplifies(written_out[0], relation, written_out[1])
    return Verdict(verdict.status, "by definition") if verdict.holds else verdict


def by_summation(polynomial_in: sympy.Symbol) -> Check:
    """SymPy sums the left side on an interval of the symbol, and both sides are polynomials in it.

    SymPy proves a finite sum only where the infinite one would converge. Two polynomials that agree on an interval
    agree everywhere; the right side may be a polynomial over another one that is not 0.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=" or not isinstance(left, sympy.Sum) or len(left.limits) != 1:
            return Verdict(Status.FAILED, "a sum that equals something was expected")
        index, first, last = left.limits[0]
        numerator, denominator = sympy.fraction(sympy.together(right))
        polynomials = (left.function, numerator, denominator)
        finite = last.is_integer and last.is_finite and is_as_assumed(index, first)
        if not (finite and denominator.is_nonzero) or not all(
            _is_polynomial(part, polynomial_in, (index, first, last)) for part in polynomials
        ):
            return Verdict(Status.FAILED, f"polynomials in {polynomial_in} were expected")
        summed = _generic_branch(left.doit(), polynomial_in)
        if summed is not None and not summed.has(sympy.Sum) and vanishes(summed - right):
            return Verdict(Status.PROVED, f"SymPy sums it on an interval of {polynomial_in}; polynomials there")
        return Verdict(Status.FAILED, "SymPy does not sum it to the right side")

    return check


def _is_polynomial(expression: sympy.Expr, symbol: sympy.Symbol, limits: tuple[sympy.Expr, ...]) -> bool:
    """Whether it is a polynomial in the symbol for all whole numbers within the limits of a sum."""
    if not expression.has(symbol) or expression == symbol:
        return True
    if isinstance(expression, sympy.Add | sympy.Mul):
        return all(_is_polynomial(part, symbol, limits) for part in expression.args)
    if not isinstance(expression, sympy.Pow) or expression.exp.has(symbol):
        return False
    index, first, last = limits
    power = expression.exp
    # Linear in the index, hence at least 0 within the limits if it is at both ends.
    counts = power.is_integer and not sympy.diff(power, index).has(index)
    ends = all(power.subs(index, end).is_nonnegative for end in (first, last))
    return bool(counts and ends) and _is_polynomial(expression.base, symbol, limits)


def _generic_branch(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr | None:
    """The expression where pieces were chosen that hold on an interval of the symbol; ``None`` if there are none."""
    for whole in sorted(expression.atoms(sympy.Piecewise), key=sympy.count_ops, reverse=True):
        if expression.has(whole):
            piece = next((value for value, holds in whole.args if not isinstance(holds, sympy.Eq)), None)
            holds = next((holds for _, holds in whole.args if not isinstance(holds, sympy.Eq)), sympy.false)
            if piece is None or not _on_an_interval(holds, symbol):
                return None
            expression = expression.subs(whole, piece)
    return None if expression.has(sympy.Piecewise) else expression


def _on_an_interval(condition: sympy.Basic, symbol: sympy.Symbol) -> bool:
    """Whether strict inequalities hold at 0 or at 1, and so in a neighbourhood."""
    if condition is sympy.true:
        return True
    if condition.has(sympy.Eq):
        return False
    strict = {
        part: sympy.StrictLessThan(part.lts, part.gts)
        for part in condition.atoms(sympy.LessThan, sympy.GreaterThan)
        if part.has(symbol)
    }
    strictly = condition.xreplace(strict)
    poles = {
        end for end in (0, 1) for part in strictly.atoms(sympy.Rel) for side in part.args if _pole(side, symbol, end)
    }
    return any(sympy.simplify(strictly.subs(symbol, end)) == sympy.true for end in {0, 1} - poles)


def _pole(expression: sympy.Expr, symbol: sympy.Symbol, point: int) -> bool:
    return bool(expression.subs(symbol, point).has(sympy.zoo, sympy.nan, sympy.oo))


def to_fifty_digits(ranges: Ranges | None = None, points: int = POINTS) -> Check:
    """Both sides agree to 50 digits at random rational points (where simplification is known to fail)."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=":
            return Verdict(Status.FAILED, "an identity was expected")
        for point in rational_points(left, right, ranges, points):
            a, b = precise(left, point), precise(right, point)
            if abs(a - b) > mpmath.mpf(10) ** (2 - DIGITS) * max(abs(a), abs(b)):
                return Verdict(Status.FAILED, f"differs at {shown(point)}")
        return Verdict(Status.DIGITS, f"{points} random rational points")

    return check
