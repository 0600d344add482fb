"""Checks of inequalities: signs, monotonicity, convexity, interval arithmetic; samples and citations say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import mpmath
import sympy

from theory.theorems.checks.algebra import (
    POINTS,
    Ranges,
    claimed_for,
    first_violation,
    is_as_assumed,
    is_nonnegative,
    put,
    rational_points,
    shown,
    slack_of,
    vanishes,
)
from theory.theorems.derivation import Check, Relation, Status, Step, Verdict

_BOXES: Final = 20_000


def by_sign(where: Mapping[sympy.Symbol, sympy.Expr] | None = None) -> Check:
    """The difference has a sign that SymPy reads off, after a substitution such as ``C = 2 + c``.

    The substitution says for which values the step is claimed, here and in the checks below.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = slack_of(left, relation, right)
        if slack is not None and is_nonnegative(put(slack, where)):
            return Verdict(Status.PROVED, "sign of the difference" + claimed_for(where))
        return Verdict(Status.FAILED, "no sign found")

    return check


def by_monotonicity(
    variable: sympy.Symbol, start: sympy.Expr | float, where: Mapping[sympy.Symbol, sympy.Expr] | None = None
) -> Check:
    """The slack is nonnegative at the start (or in the limit) and grows with the variable, which is at least start."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = slack_of(left, relation, right)
        if slack is None or jumps(slack):
            return Verdict(Status.FAILED, "an inequality without jumps was expected")
        if not is_nonnegative(put(variable - start, where)):
            return Verdict(Status.FAILED, f"{variable} may be less than {start}")
        at_start = put(sympy.limit(slack, variable, start, "+"), where)
        slope = put(sympy.diff(slack, variable), where)
        if is_nonnegative(at_start) and is_nonnegative(slope):
            return Verdict(
                Status.PROVED,
                f"nonnegative at {variable} = {start}, and its derivative is nonnegative" + claimed_for(where),
            )
        return Verdict(Status.FAILED, f"not monotone in {variable}")

    return check


def by_convexity(
    variable: sympy.Symbol, minimum: sympy.Expr | float, where: Mapping[sympy.Symbol, sympy.Expr] | None = None
) -> Check:
    """The slack is convex in the variable, flat at the stated minimum, and nonnegative there.

    The minimum is in the variable's range, or at its end.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = slack_of(left, relation, right)
        if slack is None or jumps(slack) or slack.has(sympy.Abs, sympy.Max, sympy.Min):
            return Verdict(Status.FAILED, "an inequality without jumps or kinks was expected")
        if not in_closure(put(sympy.sympify(minimum), where), variable, (where or {}).get(variable)):
            return Verdict(Status.FAILED, f"{minimum} may be outside the range of {variable}")
        at_minimum = slack.subs(variable, minimum)
        slope = sympy.diff(slack, variable).subs(variable, minimum)
        curvature = sympy.diff(slack, variable, 2)
        if vanishes(slope) and all(is_nonnegative(put(part, where)) for part in (at_minimum, curvature)):
            return Verdict(
                Status.PROVED, f"convex in {variable}, with its minimum at {variable} = {minimum}" + claimed_for(where)
            )
        return Verdict(Status.FAILED, f"not convex in {variable}")

    return check


def by_slope(
    variable: sympy.Symbol,
    start: sympy.Expr | float,
    lemma: Step,
    where: Mapping[sympy.Symbol, sympy.Expr] | None = None,
) -> Check:
    """The slack is nonnegative at the start, and its derivative is the slack of the lemma, which is checked here too.

    The variable is at least start.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack, slope = slack_of(left, relation, right), slack_of(lemma.left, lemma.relation, lemma.right)
        if slack is None or slope is None or jumps(slack) or slack.has(sympy.Abs, sympy.Max, sympy.Min):
            return Verdict(Status.FAILED, "inequalities without jumps or kinks were expected")
        if not is_nonnegative(put(variable - start, where)):
            return Verdict(Status.FAILED, f"{variable} may be less than {start}")
        if not is_nonnegative(put(slack.subs(variable, start), where)):
            return Verdict(Status.FAILED, f"may be negative at {variable} = {start}")
        if not vanishes(sympy.diff(slack, variable) - slope):
            return Verdict(Status.FAILED, "the derivative is not the slack of the lemma")
        verdict = lemma.verdict()
        return Verdict(
            verdict.status, f"nonnegative at {variable} = {start}, and so is its derivative: {verdict.method}"
        )

    return check


def in_closure(point: sympy.Expr, variable: sympy.Symbol, image: sympy.Expr | None) -> bool:
    """Whether the point is a limit of what the variable may be: of its image, or of what is assumed of it."""
    if image is None:
        return is_as_assumed(variable, point) or bool(variable.is_positive and point.is_extended_nonnegative)
    for free in image.free_symbols - point.free_symbols:
        if any(sympy.limit(image, free, end) == point for end in (0, sympy.oo)):
            return True
        if any(
            is_as_assumed(free, found) or (free.is_nonnegative and found.is_extended_nonnegative)
            for found in sympy.solve(image - point, free)
        ):
            return True
    return False


def jumps(expression: sympy.Expr) -> bool:
    """Whether a derivative may miss something."""
    return bool(expression.has(sympy.Piecewise, sympy.floor, sympy.ceiling, sympy.sign, sympy.Heaviside, sympy.Mod))


def by_intervals(box: Ranges) -> Check:
    """Interval arithmetic, with bisection of the box, finds the slack nonnegative everywhere in the box."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = slack_of(left, relation, right)
        symbols = list(box)
        if slack is None or not slack.free_symbols <= set(symbols):
            return Verdict(Status.FAILED, "an inequality in the symbols of the box was expected")
        # Rational constants are printed with mpf: as intervals they enclose what rounding would lose.
        enclosing = {"log": mpmath.iv.log, "exp": mpmath.iv.exp, "sqrt": mpmath.iv.sqrt, "mpf": mpmath.iv.mpf}
        function = sympy.lambdify(symbols, slack, [enclosing, "mpmath"])
        pending = [[mpmath.iv.mpf(list(box[symbol])) for symbol in symbols]]
        for _ in range(_BOXES):
            if not pending:
                return Verdict(Status.PROVED, f"interval arithmetic on {_shown_box(box)}")
            cell = pending.pop()
            if mpmath.iv.mpf(function(*cell)).a >= 0:
                continue
            pending += _halves(cell)
        return Verdict(Status.FAILED, "interval arithmetic did not settle the box")

    return check


def by_sampling(ranges: Ranges | None = None, points: int = 400) -> Check:
    """The inequality holds at many random rational points, evaluated to 50 digits: evidence, not a proof."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        broken = first_violation(left, relation, right, rational_points(left, right, ranges, points))
        if broken is not None:
            return Verdict(Status.FAILED, f"violated at {shown(broken)}")
        return Verdict(Status.SAMPLED, f"{points} random rational points, 50 digits")

    return check


def cited(source: str, ranges: Ranges | None = None, points: int = POINTS) -> Check:
    """A published theorem, named by its key in the bibliography; its instance is compared numerically.

    Where a side has no number (a probability over all sequences, say) the sampled points are left out and the verdict
    says so: then the theorem's falsifier and its simulation test are the numeric comparison.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if left.has(sympy.core.function.AppliedUndef) or right.has(sympy.core.function.AppliedUndef):
            return Verdict(Status.CITED, f"{source}; its instance is left to the falsifier")
        broken = first_violation(left, relation, right, rational_points(left, right, ranges, points))
        if broken is not None:
            return Verdict(Status.FAILED, f"the cited statement is violated at {shown(broken)}")
        return Verdict(Status.CITED, f"{source}; its instance compared at {points} points")

    check.source = source  # type: ignore[attr-defined]
    return check


def _halves(cell: list[mpmath.mpf]) -> list[list[mpmath.mpf]]:
    widest = max(range(len(cell)), key=lambda i: cell[i].delta)
    middle = cell[widest].mid
    low, high = list(cell), list(cell)
    low[widest], high[widest] = mpmath.iv.mpf([cell[widest].a, middle]), mpmath.iv.mpf([middle, cell[widest].b])
    return [low, high]


def _shown_box(box: Ranges) -> str:
    return ", ".join(f"{low:g} <= {symbol} <= {high:g}" for symbol, (low, high) in box.items())
