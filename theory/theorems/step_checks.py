"""Checks of single steps: plain functions of the two sides, and what each of them may call its finding.

Identities are proved by simplification or compared to 50 digits; inequalities are proved by signs, monotonicity,
convexity or interval arithmetic, and only sampled where none of these works; a classical theorem is cited, and its
instance is compared numerically.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import mpmath
import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

from theory.theorems.derivation import Check, Derivation, Relation, Status, Step, Verdict, weakest
from theory.theorems.expectations import DIGITS
from theory.theorems.labels import CLASSES, LABEL, LABEL_NOISE, LAW, two_level
from theory.theorems.precise import precise

Ranges = Mapping[sympy.Symbol, tuple[float, float]]

_POINTS: Final = 12
_SEED: Final = 20410
_BOXES: Final = 20_000


# Identities.


def simplifies(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """The difference of the two sides simplifies to zero."""
    if relation != "=":
        return Verdict(Status.FAILED, "an identity was expected")
    if _vanishes(left - right):
        return Verdict(Status.PROVED, "SymPy simplifies the difference to 0")
    return Verdict(Status.FAILED, "SymPy does not simplify the difference to 0")


def by_definition(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """The sides agree once every expectation is written out as its definition."""
    written_out = [side.replace(_has_definition, lambda f: f.definition()) for side in (left, right)]
    verdict = simplifies(written_out[0], relation, written_out[1])
    return Verdict(verdict.status, "by definition") if verdict.holds else verdict


def _has_definition(expression: sympy.Basic) -> bool:
    return hasattr(expression, "definition")


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
        if summed is not None and not summed.has(sympy.Sum) and _vanishes(summed - right):
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


def to_fifty_digits(ranges: Ranges | None = None, points: int = _POINTS) -> Check:
    """Both sides agree to 50 digits at random rational points (where simplification is known to fail)."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=":
            return Verdict(Status.FAILED, "an identity was expected")
        for point in rational_points(left, right, ranges, points):
            a, b = precise(left, point), precise(right, point)
            if abs(a - b) > mpmath.mpf(10) ** (2 - DIGITS) * max(abs(a), abs(b)):
                return Verdict(Status.FAILED, f"differs at {_shown(point)}")
        return Verdict(Status.DIGITS, f"{points} random rational points")

    return check


# Inequalities.


def by_sign(where: Mapping[sympy.Symbol, sympy.Expr] | None = None) -> Check:
    """The difference has a sign that SymPy reads off, after a substitution such as ``C = 2 + c``.

    The substitution says for which values the step is claimed, here and in the checks below.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = _slack(left, relation, right)
        if slack is not None and _is_nonnegative(_put(slack, where)):
            return Verdict(Status.PROVED, "sign of the difference" + _claimed_for(where))
        return Verdict(Status.FAILED, "no sign found")

    return check


def by_monotonicity(
    variable: sympy.Symbol, start: sympy.Expr | float, where: Mapping[sympy.Symbol, sympy.Expr] | None = None
) -> Check:
    """The slack is nonnegative at the start (or in the limit) and grows with the variable, which is at least start."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = _slack(left, relation, right)
        if slack is None or _jumps(slack):
            return Verdict(Status.FAILED, "an inequality without jumps was expected")
        if not _is_nonnegative(_put(variable - start, where)):
            return Verdict(Status.FAILED, f"{variable} may be less than {start}")
        at_start = _put(sympy.limit(slack, variable, start, "+"), where)
        slope = _put(sympy.diff(slack, variable), where)
        if _is_nonnegative(at_start) and _is_nonnegative(slope):
            return Verdict(
                Status.PROVED,
                f"nonnegative at {variable} = {start}, and its derivative is nonnegative" + _claimed_for(where),
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
        slack = _slack(left, relation, right)
        if slack is None or _jumps(slack) or slack.has(sympy.Abs, sympy.Max, sympy.Min):
            return Verdict(Status.FAILED, "an inequality without jumps or kinks was expected")
        if not _in_closure(_put(sympy.sympify(minimum), where), variable, (where or {}).get(variable)):
            return Verdict(Status.FAILED, f"{minimum} may be outside the range of {variable}")
        at_minimum = slack.subs(variable, minimum)
        slope = sympy.diff(slack, variable).subs(variable, minimum)
        curvature = sympy.diff(slack, variable, 2)
        if _vanishes(slope) and all(_is_nonnegative(_put(part, where)) for part in (at_minimum, curvature)):
            return Verdict(
                Status.PROVED, f"convex in {variable}, with its minimum at {variable} = {minimum}" + _claimed_for(where)
            )
        return Verdict(Status.FAILED, f"not convex in {variable}")

    return check


def _in_closure(point: sympy.Expr, variable: sympy.Symbol, image: sympy.Expr | None) -> bool:
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


def _jumps(expression: sympy.Expr) -> bool:
    """Whether a derivative may miss something."""
    return bool(expression.has(sympy.Piecewise, sympy.floor, sympy.ceiling, sympy.sign, sympy.Heaviside, sympy.Mod))


def _put(expression: sympy.Expr, where: Mapping[sympy.Symbol, sympy.Expr] | None) -> sympy.Expr:
    return expression.subs(where, simultaneous=True) if where else expression


def _claimed_for(where: Mapping[sympy.Symbol, sympy.Expr] | None) -> str:
    return f", with {_shown(where)}" if where else ""


def by_intervals(box: Ranges) -> Check:
    """Interval arithmetic, with bisection of the box, finds the slack nonnegative everywhere in the box."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = _slack(left, relation, right)
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
        broken = _first_violation(left, relation, right, rational_points(left, right, ranges, points))
        if broken is not None:
            return Verdict(Status.FAILED, f"violated at {_shown(broken)}")
        return Verdict(Status.SAMPLED, f"{points} random rational points, 50 digits")

    return check


def cited(source: str, ranges: Ranges | None = None, points: int = _POINTS) -> Check:
    """A published theorem, named by its key in the bibliography; its instance is compared numerically.

    Where a side has no number (a probability over all sequences, say) the sampled points are left out and the verdict
    says so: then the theorem's falsifier and its simulation test are the numeric comparison.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if left.has(sympy.core.function.AppliedUndef) or right.has(sympy.core.function.AppliedUndef):
            return Verdict(Status.CITED, f"{source}; its instance is left to the falsifier")
        broken = _first_violation(left, relation, right, rational_points(left, right, ranges, points))
        if broken is not None:
            return Verdict(Status.FAILED, f"the cited statement is violated at {_shown(broken)}")
        return Verdict(Status.CITED, f"{source}; its instance compared at {points} points")

    check.source = source  # type: ignore[attr-defined]
    return check


# Ways to reduce a step to a simpler one.


def termwise(check: Check) -> Check:
    """Both sides are sums over labels with weights ``p[y]``: the check holds for each term, ``p[y]`` in (0, 1]."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if not (isinstance(left, sympy.Sum) and isinstance(right, sympy.Sum) and left.limits == right.limits):
            return Verdict(Status.FAILED, "two sums over the same labels were expected")
        if left.limits != (sympy.Tuple(LABEL, 1, CLASSES),):
            return Verdict(Status.FAILED, "sums over all the labels were expected")
        terms, place = [], sympy.Dummy(positive=True)
        for side in (left, right):
            term = side.function.subs(LAW[LABEL], place)
            if term.has(LABEL, PROBABILITY, sympy.Indexed):
                return Verdict(Status.FAILED, "a term depends on more than its label's probability")
            term = term.xreplace({place: PROBABILITY})
            terms.append(sympy.expand_mul(term / PROBABILITY) if not term.is_Mul else term / PROBABILITY)
        verdict = check(terms[0], relation, terms[1])
        return Verdict(verdict.status, f"for each label: {verdict.method}")

    return _keep_source(check, reduced)


def after(function: Callable[[sympy.Expr], sympy.Expr], check: Check) -> Check:
    """The check holds after a function that increases everywhere (``sympy.exp``, say) was applied to both sides.

    For an identity SymPy has to know the sides to be real; an inequality is claimed where they are.
    """
    x = sympy.Symbol("x", real=True)
    if _jumps(function(x)) or not sympy.diff(function(x), x).is_positive:
        raise ValueError("a strictly increasing function was expected")

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation == "=" and not (_is_real(left) and _is_real(right)):
            return Verdict(Status.FAILED, "real sides were expected")
        sides = [sympy.powsimp(sympy.simplify(function(side))) for side in (left, right)]
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"after {function.__name__}: {verdict.method}")

    return _keep_source(check, reduced)


def _is_real(expression: sympy.Expr) -> bool:
    """Whether SymPy knows it to be real, once the arguments of logarithms are fractions of products."""
    fractions = expression.replace(sympy.log, lambda z: sympy.log(_as_fraction(z)))
    return bool(fractions.is_extended_real)


def _as_fraction(argument: sympy.Expr) -> sympy.Expr:
    whole = sympy.together(sympy.powsimp(argument))
    return sympy.factor(sympy.expand(sympy.numer(whole))) / sympy.factor(sympy.denom(whole))


def using(lemma: Step, check: Check) -> Check:
    """The check holds once the lemma's left side is replaced by its right side; the lemma is checked here too."""
    if lemma.relation != "=":
        raise ValueError("an identity was expected")

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side.subs(lemma.left, lemma.right) for side in (left, right)]
        if sides == [left, right]:
            return Verdict(Status.FAILED, "the lemma does not occur")
        verdict = check(sides[0], relation, sides[1])
        return weakest([Verdict(verdict.status, f"with the lemma: {verdict.method}"), lemma.verdict()])

    return _keep_source(check, reduced)


def instance_of(
    step: Step,
    values: Mapping[sympy.Symbol, sympy.Expr],
    where: Mapping[sympy.Symbol, sympy.Expr] | None = None,
) -> Check:
    """A step, checked here again, at particular values of its symbols, which are as it assumes.

    ``where`` is a substitution that says for which values of the other symbols the instance is claimed.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        instance = [side.subs(values, simultaneous=True) for side in (step.left, step.right)]
        if (instance[0], step.relation, instance[1]) != (left, relation, right):
            return Verdict(Status.FAILED, "not an instance of the step named")
        for symbol, value in values.items():
            if not is_as_assumed(symbol, _put(sympy.sympify(value), where)):
                return Verdict(Status.FAILED, f"{value} may lie outside what is assumed of {symbol}")
        verdict = step.verdict()
        return Verdict(verdict.status, f"at {_shown(values)}: {verdict.method}")

    return check


def follows_from(*steps: Step) -> Check:
    """A chain of steps, checked here, leads from one side to the other; the verdict is that of the weakest of them."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if Derivation(chain=steps).gap(left, relation, right) is not None:
            return Verdict(Status.FAILED, "the steps named do not lead there")
        return weakest([step.verdict() for step in steps])

    return check


def substituting(values: Mapping[sympy.Symbol, sympy.Expr], check: Check) -> Check:
    """The check holds once symbols are replaced by expressions that take all the values that the symbols may have.

    These values, if in a limit that keeps ``<=``, are what the step is claimed for: a distance in [0, 4], for
    instance, is ``4 / (1 + x)`` with nonnegative ``x``.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if _captured(values.values(), (left, right)):
            return Verdict(Status.FAILED, "a value depends on what is summed over")
        verdict = check(_put(left, values), relation, _put(right, values))
        # A symbol may stand for itself under other assumptions: nothing that a reader has to know.
        visible = {symbol: value for symbol, value in values.items() if str(symbol) != str(value)}
        method = f"with {_shown(visible)}: {verdict.method}" if visible else verdict.method
        return Verdict(verdict.status, method)

    return _keep_source(check, reduced)


def _captured(expressions: Iterable[sympy.Expr], sides: Sequence[sympy.Expr]) -> bool:
    """Whether an expression depends on a symbol that is bound in a side: then it means something else there."""
    bound = {symbol for side in sides for part in side.atoms(ExprWithLimits) for symbol in part.bound_symbols}
    return any(bound & sympy.sympify(expression).free_symbols for expression in expressions)


def in_every_case(*checks: Check) -> Check:
    """All the checks hold: the cases that they treat cover what is admissible."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        return weakest([check(left, relation, right) for check in checks])

    return reduced


def over_weight(
    weight: sympy.Expr, values: Sequence[Mapping[sympy.Symbol, sympy.Expr]], variable: sympy.Symbol, check: Check
) -> Check:
    """Both sides are nested sums over the same counts: the check holds for each pair of terms, over their weight.

    Parameters
    ----------
    weight : sympy.Expr
        Nonnegative, whatever the counts; both terms are divided by it.
    values : sequence of mappings of Symbol to Expr
        Substitutions, one after the other, that reach all admissible values, if in a limit; after the first of them
        SymPy knows the sign of the weight.
    variable : sympy.Symbol
        On which the terms then depend, and nothing else.
    check : callable
        Compares the terms.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        (limits, left_term), (others, right_term) = _summand(left), _summand(right)
        if limits != others or not limits:
            return Verdict(Status.FAILED, "two sums over the same counts were expected")
        if not _factors_are_nonnegative(_put(weight, values[0])):
            return Verdict(Status.FAILED, "a nonnegative weight was expected")
        sides = []
        for term in (left_term, right_term):
            ratio = term / weight
            for substitution in values:
                ratio = sympy.simplify(ratio.subs(substitution))
            if not ratio.free_symbols <= {variable}:
                return Verdict(Status.FAILED, f"the terms depend on more than {variable}")
            sides.append(ratio)
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"for each term: {verdict.method}")

    return _keep_source(check, reduced)


def _factors_are_nonnegative(product: sympy.Expr) -> bool:
    """Whether no factor is negative; a power of what is not negative is none, nor is a binomial coefficient."""
    return all(
        _is_nonnegative(factor.base if isinstance(factor, sympy.Pow) and factor.exp.is_real else factor)
        or _is_nonnegative(factor)
        or (isinstance(factor, sympy.binomial) and all(argument.is_integer for argument in factor.args))
        for factor in sympy.Mul.make_args(product)
    )


def _summand(expression: sympy.Expr) -> tuple[list[Any], sympy.Expr]:
    """Limits of nested sums, and the term with all the factors before the sums."""
    limits, factor = [], sympy.Integer(1)
    sums = _sums_among_factors(expression)
    while len(sums) == 1:
        factor *= expression / sums[0]
        limits.append(sums[0].limits)
        expression = sums[0].function
        sums = _sums_among_factors(expression)
    # What still has a sum in it is no term: a power of a sum, or several of them.
    return ([] if expression.has(sympy.Sum) else limits), factor * expression


def _sums_among_factors(expression: sympy.Expr) -> list[sympy.Sum]:
    return [part for part in sympy.Mul.make_args(expression) if isinstance(part, sympy.Sum)]


def evaluated(check: Check) -> Check:
    """The check holds once what a side leaves to be done (a derivative, a value at a point) is done."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        return check(left.doit(), relation, right.doit())

    return _keep_source(check, reduced)


def adding(term: sympy.Expr, check: Check) -> Check:
    """The check holds without a term that is added on both sides."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side - term for side in (left, right)]
        if any(side.has(term) for side in sides if isinstance(term, sympy.Sum)):
            return Verdict(Status.FAILED, "the term is not added on both sides")
        return check(sides[0], relation, sides[1])

    return _keep_source(check, reduced)


def as_one_sum(check: Check) -> Check:
    """The check holds once sums over the same range, added on a side, are one sum."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [_one_sum(side) for side in (left, right)]
        return check(sides[0], relation, sides[1])

    return _keep_source(check, reduced)


def _one_sum(side: sympy.Expr) -> sympy.Expr:
    terms = sympy.Add.make_args(side)
    if not all(isinstance(term, sympy.Sum) and term.limits == terms[0].limits for term in terms):
        return side
    return sympy.Sum(sympy.Add(*(term.function for term in terms)), *terms[0].limits)


def weights_sum_to_one(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """A sum over all labels of ``p[y]`` times a constant is the constant."""
    if relation == "=" and isinstance(left, sympy.Sum) and left.limits == (sympy.Tuple(LABEL, 1, CLASSES),):
        constant, weight = left.function.as_independent(LABEL, as_Add=False)
        if weight == LAW[LABEL] and (constant == right or _vanishes(constant - right)):
            return Verdict(Status.PROVED, "the probabilities of the labels sum to 1")
    return Verdict(Status.FAILED, "a mean of a constant over the labels was expected")


PROBABILITY: Final = sympy.Symbol("p", positive=True)


def _keep_source(check: Check, reduced: Check) -> Check:
    if hasattr(check, "source"):
        reduced.source = check.source  # type: ignore[attr-defined]
    return reduced


# What the checks share.


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


def _slack(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> sympy.Expr | None:
    return {"<=": right - left, ">=": left - right}.get(relation)


def _vanishes(expression: sympy.Expr) -> bool:
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


def _is_nonnegative(expression: sympy.Expr) -> bool:
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
    return all(map(_are_counted, expression.atoms(sympy.Sum))) and any(
        attempt(expression).is_nonnegative for attempt in attempts
    )


def _are_counted(total: sympy.Sum) -> bool:
    """Whether the indices of a sum take no value that is not assumed of them, and no range is backwards."""
    return all(
        bool((last - first + 1).is_extended_nonnegative) and is_as_assumed(index, first)
        for index, first, last in total.limits
    )


def _first_violation(
    left: sympy.Expr, relation: Relation, right: sympy.Expr, points: list[dict[sympy.Symbol, sympy.Rational | int]]
) -> dict[sympy.Symbol, sympy.Rational | int] | None:
    for point in points:
        a, b = precise(left, point), precise(right, point)
        rounding = mpmath.mpf(10) ** (2 - DIGITS) * max(abs(a), abs(b))
        if {"<=": a - b > rounding, ">=": b - a > rounding, "=": abs(a - b) > rounding}.get(relation, True):
            return point
    return None


def _halves(cell: list[mpmath.mpf]) -> list[list[mpmath.mpf]]:
    widest = max(range(len(cell)), key=lambda i: cell[i].delta)
    middle = cell[widest].mid
    low, high = list(cell), list(cell)
    low[widest], high[widest] = mpmath.iv.mpf([cell[widest].a, middle]), mpmath.iv.mpf([middle, cell[widest].b])
    return [low, high]


def _shown(point: Mapping[sympy.Symbol, object]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in point.items())


def _shown_box(box: Ranges) -> str:
    return ", ".join(f"{low:g} <= {symbol} <= {high:g}" for symbol, (low, high) in box.items())
