"""What the checks of steps share: signs, zeros, substitutions, random rational points."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

import mpmath
import sympy

from theory.theorems.derivation import Check, Relation
from theory.theorems.expectations import DIGITS
from theory.theorems.labels import LABEL_NOISE, two_level
from theory.theorems.precise import precise

Ranges = Mapping[sympy.Symbol, tuple[float, float]]


POINTS: Final = 12


_SEED: Final = 20410


def has_definition(expression: sympy.Basic) -> bool:
    """Whether a part of an expression is a function with a definition of its own."""
    return hasattr(expression, "definition")


def put(expression: sympy.Expr, where: Mapping[sympy.Symbol, sympy.Expr] | None) -> sympy.Expr:
    """The expression with symbols replaced, all at once."""
    return expression.subs(where, simultaneous=True) if where else expression


def claimed_for(where: Mapping[sympy.Symbol, sympy.Expr] | None) -> str:
    """The substitution for which alone something was shown, for a verdict."""
    return f", with {shown(where)}" if where else ""


PROBABILITY: Final = sympy.Symbol("p", positive=True)


def keep_source(check: Check, reduced: Check) -> Check:
    """A check that reduces to a citation is one."""
    if hasattr(check, "source"):
        reduced.source = check.source  # type: ignore[attr-defined]
    return reduced


def rational_points(
    left: sympy.Expr, right: sympy.Expr, ranges: Ranges | None, points: int
) -> list[dict[sympy.Symbol, sympy.Rational | int]]:
    """Seeded random rational (for integer symbols: whole) values of the free symbols of both sides."""
    draw = random.Random(_SEED)  # noqa: S311 (points of a check, not a secret)
    symbols = sorted(two_level(left).free_symbols | two_level(right).free_symbols, key=str)
    return [{s: _rational(s, (ranges or {}).get(s), draw) for s in symbols} for _ in range(points)]


def _rational(symbol: sympy.Symbol, span: tuple[float, float] | None, draw: random.Random) -> sympy.Rational | int:
    low, high = span if span is not None else (1, 9) if symbol.is_integer else _default_span(symbol)
    if symbol.is_integer:
        return draw.randint(int(low), int(high))
    denominator = draw.randint(101, 997)
    share = sympy.Rational(draw.randint(1, denominator - 1), denominator)
    return sympy.nsimplify(low) * (1 - share) + sympy.nsimplify(high) * share


def _default_span(symbol: sympy.Symbol) -> tuple[float, float]:
    if symbol in (PROBABILITY, LABEL_NOISE):
        return 0, 1
    return (0, 3) if symbol.is_nonnegative else (-3, 3)


def is_as_assumed(symbol: sympy.Symbol, expression: sympy.Expr) -> bool:
    """Whether SymPy knows of the expression all that is assumed of the symbol."""
    forms = (expression, sympy.factor(sympy.together(expression)), sympy.expand(expression))
    return all(any(getattr(form, kind) for form in forms) for kind in _KINDS if getattr(symbol, kind))


_KINDS: Final = tuple(
    f"is_{kind}"
    for kind in ("integer", "rational", "real", "nonzero", "positive", "nonnegative", "negative", "nonpositive", "even")
)


def slack_of(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> sympy.Expr | None:
    """By how much the larger side of an inequality exceeds the smaller; ``None`` for another relation."""
    return {"<=": right - left, ">=": left - right}.get(relation)


def vanishes(expression: sympy.Expr) -> bool:
    """Whether SymPy reduces an expression to 0."""
    if expression == 0:
        return True
    attempts: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = (
        sympy.expand,
        lambda e: sympy.expand(sympy.expand_log(e)),
        sympy.combsimp,
        sympy.gammasimp,
        sympy.simplify,
        lambda e: sympy.simplify(sympy.expand_log(sympy.expand_func(e))),
    )
    return any(attempt(expression) == 0 for attempt in attempts)


def is_nonnegative(expression: sympy.Expr) -> bool:
    """Whether SymPy sees, in some form of it, that an expression is not negative."""
    attempts: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = (
        lambda e: e,
        sympy.expand,
        sympy.factor,
        lambda e: sympy.factor(sympy.together(e)),
        lambda e: sympy.expand(sympy.numer(sympy.together(e))) / sympy.denom(sympy.together(e)),
        sympy.simplify,
        lambda e: sympy.factor(sympy.simplify(e)),
    )
    # SymPy takes for granted that an index is as assumed, and that its range is not backwards.
    return all(map(are_counted, expression.atoms(sympy.Sum))) and any(
        attempt(expression).is_nonnegative for attempt in attempts
    )


def are_counted(total: sympy.Sum) -> bool:
    """Whether the indices of a sum take no value that is not assumed of them, and no range is backwards."""
    return all(
        bool((last - first + 1).is_extended_nonnegative) and is_as_assumed(index, first)
        for index, first, last in total.limits
    )


def first_violation(
    left: sympy.Expr, relation: Relation, right: sympy.Expr, points: list[dict[sympy.Symbol, sympy.Rational | int]]
) -> dict[sympy.Symbol, sympy.Rational | int] | None:
    """First point at which the sides, to 50 digits, break the relation."""
    for point in points:
        a, b = precise(left, point), precise(right, point)
        rounding = mpmath.mpf(10) ** (2 - DIGITS) * max(abs(a), abs(b))
        if {"<=": a - b > rounding, ">=": b - a > rounding, "=": abs(a - b) > rounding}.get(relation, True):
            return point
    return None


def shown(point: Mapping[sympy.Symbol, object]) -> str:
    """Values of symbols as text."""
    return ", ".join(f"{symbol} = {value}" for symbol, value in point.items())
