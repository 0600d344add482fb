"""Checks for sums over visits: term by term, telescoping, a subexpression by name, a minimum by its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import sympy

from theory.theorems.checks.algebra import (
    are_counted,
    has_definition,
    is_as_assumed,
    is_nonnegative,
    keep_source,
    put,
    vanishes,
)
from theory.theorems.checks.inequalities import jumps
from theory.theorems.checks.reductions import captured, in_every_case, substituting
from theory.theorems.derivation import Check, Relation, Status, Step, Verdict, strongest, weakest

Where = Mapping[sympy.Symbol, sympy.Expr]


def each_term(check: Check) -> Check:
    """Both sides are sums over the same range, up to the same addend: the check holds for each term."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        own, other = _sum_and_rest(left), _sum_and_rest(right)
        if own is None or other is None or own[0].limits != other[0].limits or not vanishes(own[1] - other[1]):
            return Verdict(Status.FAILED, "two sums over the same range were expected")
        if not are_counted(own[0]):
            return Verdict(Status.FAILED, "the terms may be others than those that the index stands for")
        verdict = check(own[0].function, relation, other[0].function)
        return Verdict(verdict.status, f"for each term: {verdict.method}")

    return keep_source(check, reduced)


def telescopes(potential: sympy.Expr, check: Check) -> Check:
    """The left side is a sum of differences of a potential (an expression in its index), the right side what remains.

    ``check`` has to find each term equal to the difference.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        found = _sum_and_rest(left)
        if relation != "=" or found is None:
            return Verdict(Status.FAILED, "a sum that equals something was expected")
        if not are_counted(found[0]):
            return Verdict(Status.FAILED, "the terms may be others than those that the index stands for")
        (index, first, last), rest = found[0].limits[0], found[1]
        remains = potential.subs(index, last) - potential.subs(index, first - 1)
        if not vanishes(sympy.expand(right - rest - remains)):
            return Verdict(Status.FAILED, "the right side is not what remains")
        verdict = check(found[0].function, "=", potential - potential.subs(index, index - 1))
        return Verdict(verdict.status, f"telescopes: {verdict.method}")

    return keep_source(check, reduced)


def _sum_and_rest(side: sympy.Expr) -> tuple[sympy.Sum, sympy.Expr] | None:
    sums = [part for part in sympy.Add.make_args(side) if isinstance(part, sympy.Sum)]
    if len(sums) != 1 or len(sums[0].limits) != 1:
        return None
    return sums[0], side - sums[0]


def naming(names: Mapping[sympy.Symbol, sympy.Expr], check: Check) -> Check:
    """The check holds for every value of the symbols, which stand for the expressions (replaced in the order given).

    What is assumed of a symbol (a sign, or a whole number) SymPy knows of the expression.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        for symbol, expression in names.items():
            if not is_as_assumed(symbol, expression):
                return Verdict(Status.FAILED, f"{expression} may lie outside what is assumed of {symbol}")
        if captured(names.values(), (left, right)):
            return Verdict(Status.FAILED, "a name depends on what is summed over")
        sides = [left, right]
        for symbol, expression in names.items():
            sides = [side.subs(expression, symbol) for side in sides]
        back = sides
        for symbol, expression in reversed(list(names.items())):
            back = [side.subs(symbol, expression) for side in back]
        if back != [left, right] and not all(vanishes(a - b) for a, b in zip(back, (left, right), strict=True)):
            return Verdict(Status.FAILED, "the names do not stand for the expressions")
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"for every {', '.join(map(str, names))}: {verdict.method}")

    return keep_source(check, reduced)


def times(factor: sympy.Expr, check: Check) -> Check:
    """The check holds after both sides were multiplied by a positive factor."""
    if not factor.is_positive:
        raise ValueError("a positive factor was expected")

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        verdict = check(_multiplied(factor, left), relation, _multiplied(factor, right))
        return Verdict(verdict.status, f"times {factor}: {verdict.method}")

    return keep_source(check, reduced)


def _multiplied(factor: sympy.Expr, side: sympy.Expr) -> sympy.Expr:
    return sympy.expand_mul(factor * side, deep=False)


def minus_log(check: Check, where: Where | None = None) -> Check:
    """Both sides are minus a logarithm, which decreases: the check holds for the arguments, the other way round.

    ``where`` is a substitution that shows SymPy that the arguments are not negative.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation not in _OPPOSITE or not all((-side).func is sympy.log for side in (left, right)):
            return Verdict(Status.FAILED, "minus a logarithm was expected on both sides")
        arguments = [(-side).args[0] for side in (left, right)]
        if not all(_adds_up_nonnegative(argument, where) for argument in arguments):
            return Verdict(Status.FAILED, "the argument of a logarithm may be negative")
        verdict = check(arguments[0], _OPPOSITE[relation], arguments[1])
        return Verdict(verdict.status, f"the logarithm increases: {verdict.method}")

    return keep_source(check, reduced)


_OPPOSITE: Final[dict[Relation, Relation]] = {"<=": ">=", ">=": "<=", "=": "="}


def _adds_up_nonnegative(side: sympy.Expr, where: Where | None) -> bool:
    """Whether it is a sum of terms that are not negative, or not negative itself."""
    if isinstance(side, sympy.Sum):
        return are_counted(side) and is_nonnegative(put(side.function, where))
    return is_nonnegative(put(side, where))


def without_factor(factor: sympy.Expr, check: Check) -> Check:
    """Both sides have a nonnegative factor in common: the check holds without it."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side / factor for side in (left, right)]
        if not is_nonnegative(factor) or any(side.has(factor) for side in sides):
            return Verdict(Status.FAILED, "a nonnegative factor of both sides was expected")
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"without a common factor: {verdict.method}")

    return keep_source(check, reduced)


def in_logarithms(lemma: Step, where: Where | None = None) -> Check:
    """The lemma (checked here too) is what the logarithms of both positive sides say.

    ``where`` replaces symbols in both by expressions whose signs SymPy knows.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        low, high = (put(side, where) for side in ((left, right) if relation == "<=" else (right, left)))
        if not (_is_positive(low) and _is_positive(high)):
            return Verdict(Status.FAILED, "positive sides were expected")
        slack = sympy.expand_log(sympy.log(high / low))
        claimed = put(lemma.right - lemma.left, where)
        if relation not in ("<=", ">=") or lemma.relation != "<=" or not vanishes(slack - claimed):
            return Verdict(Status.FAILED, "the lemma says something else")
        return lemma.verdict()

    return check


def _is_positive(expression: sympy.Expr) -> bool:
    return bool(expression.is_positive) or bool(sympy.factor(expression).is_positive)


def logarithm_of(lemma: Step, where: Where | None = None) -> Check:
    """The sides are the logarithms of the lemma's positive sides, up to the same addend; the lemma is checked here too.

    ``where`` replaces symbols in both by expressions whose signs SymPy knows.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != lemma.relation:
            return Verdict(Status.FAILED, "the lemma says something else")
        low, high = (put(side.rewrite(sympy.gamma), where) for side in (lemma.left, lemma.right))
        if not (_is_positive(low) and _is_positive(high)):
            return Verdict(Status.FAILED, "positive sides were expected")
        if not vanishes(sympy.expand_log(sympy.log(high / low)) - sympy.expand_log(put(right - left, where))):
            return Verdict(Status.FAILED, "the lemma says something else")
        return lemma.verdict()

    return check


def written_out(check: Check) -> Check:
    """The check holds once every function that has a definition is replaced by it."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side.replace(has_definition, lambda f: f.definition()) for side in (left, right)]
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"by definition: {verdict.method}")

    return keep_source(check, reduced)


def read_backwards(check: Check) -> Check:
    """An identity, checked from right to left."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=":
            return Verdict(Status.FAILED, "an identity was expected")
        return check(right, "=", left)

    return keep_source(check, reduced)


def in_cases(cases: tuple[Where, ...], check: Check) -> Check:
    """The check holds in each case: the cases together are all that the symbols may be."""
    return keep_source(check, in_every_case(*(substituting(case, check) for case in cases)))


def some_argument(check: Check) -> Check:
    """The right side of ``<=`` is a maximum: the check holds for one of its arguments."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "<=":
            return Verdict(Status.FAILED, "an inequality <= was expected")
        arguments = right.args if isinstance(right, sympy.Max) else (right,)
        return strongest([check(left, relation, argument) for argument in arguments])

    return keep_source(check, reduced)


def in_minimum(check: Check) -> Check:
    """Both sides increase alike with a minimum, and the two minima differ in one argument: the check holds for that."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        minima = [list(side.atoms(sympy.Min)) for side in (left, right)]
        if any(len(found) != 1 for found in minima):
            return Verdict(Status.FAILED, "one minimum on each side was expected")
        ((first,), (second,)) = minima
        place = _like(first, second)
        opened = [left.xreplace({first: place}), right.xreplace({second: place})]
        own, other = set(first.args), set(second.args)
        if len(own - other) != 1 or len(other - own) != 1:
            return Verdict(Status.FAILED, "the sides differ in more than one argument of the minimum")
        if opened[0] != opened[1] or not _increases(opened[0], place) or captured((first, second), (left, right)):
            return Verdict(Status.FAILED, "the sides do not increase alike with the minimum")
        verdict = check((own - other).pop(), relation, (other - own).pop())
        return Verdict(verdict.status, f"in the minimum: {verdict.method}")

    return keep_source(check, reduced)


def _like(*parts: sympy.Expr) -> sympy.Dummy:
    """A symbol of which no more is assumed than SymPy knows of all the parts."""
    for sign in ("positive", "nonnegative"):
        if all(getattr(part, f"is_{sign}") for part in parts):
            return sympy.Dummy("value", **{sign: True})
    return sympy.Dummy("value", real=True)


def _increases(expression: sympy.Expr, place: sympy.Symbol) -> bool:
    return not jumps(expression) and is_nonnegative(sympy.diff(expression, place))


def is_an_argument(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """A minimum is at most each of its arguments."""
    if relation == "<=" and isinstance(left, sympy.Min) and right in left.args:
        return Verdict(Status.PROVED, "a minimum and one of its arguments")
    return Verdict(Status.FAILED, "the right side is not an argument of a minimum on the left")


def is_a_term(at: sympy.Expr, where: Where) -> Check:
    """The right side is a sum of terms that are not negative (with ``where``), the left side its term at an index.

    With ``where`` SymPy also knows that the index lies between the limits.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation == "<=" and isinstance(right, sympy.Sum) and len(right.limits) == 1:
            term, (index, first, last) = right.function, right.limits[0]
            within = at.is_integer and all(is_nonnegative(put(gap, where)) for gap in (at - first, last - at))
            if within and term.subs(index, at) == left and _adds_up_nonnegative(right, where):
                return Verdict(Status.PROVED, "a term of a sum of terms that are not negative")
        return Verdict(Status.FAILED, "not a term of such a sum")

    return check


def sums_to(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """SymPy sums the series on the left, in terms of the Hurwitz zeta function where it has to."""
    if relation == "=" and isinstance(left, sympy.Sum):
        total = sympy.expand_func(sympy.simplify(left.doit()))
        if not total.has(sympy.Sum) and vanishes(total - right.rewrite(sympy.zeta)):
            return Verdict(Status.PROVED, "SymPy sums the series")
    return Verdict(Status.FAILED, "SymPy does not sum it to the right side")


def against_each(*checks: Check) -> Check:
    """The right side has a minimum in it (the left side a maximum): a check for each of its arguments."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        kind, side = (sympy.Min, right) if right.has(sympy.Min) else (sympy.Max, left)
        extremes = list(side.atoms(kind))
        if relation != "<=" or len(extremes) != 1 or len(extremes[0].args) != len(checks):
            return Verdict(Status.FAILED, "one minimum on the right, or maximum on the left, was expected")
        if captured(extremes, (side,)):
            return Verdict(Status.FAILED, "which argument is the least may depend on what is summed over")
        choices = [side.xreplace({extremes[0]: argument}) for argument in sorted(extremes[0].args, key=str)]
        pairs = [(left, choice) if side is right else (choice, right) for choice in choices]
        return weakest([check(a, relation, b) for check, (a, b) in zip(checks, pairs, strict=True)])

    return reduced


def by_concavity(
    variable: sympy.Symbol,
    ends: tuple[sympy.Expr, sympy.Expr],
    where: Where,
    majorants: tuple[Step, ...] = (),
) -> Check:
    """The slack is concave in the variable and nonnegative at both ends (in the limit), hence between them.

    With ``where`` SymPy knows that the variable lies between the ends. ``majorants`` are lemmas ``a <= b``, checked
    here: the second derivative may be enlarged by putting ``b`` for ``a``.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = {"<=": right - left, ">=": left - right}.get(relation)
        if slack is None or jumps(slack) or slack.has(sympy.Abs, sympy.Max, sympy.Min):
            return Verdict(Status.FAILED, "an inequality without jumps or kinks was expected")
        if not all(is_nonnegative(put(gap, where)) for gap in (variable - ends[0], ends[1] - variable)):
            return Verdict(Status.FAILED, f"{variable} may lie outside {ends[0]} and {ends[1]}")
        curvature = sympy.diff(slack, variable, 2)
        for lemma in majorants:
            place = _like(put(lemma.left, where), put(lemma.right, where))
            opened = curvature.subs(lemma.left, place)
            if lemma.relation != "<=" or not _increases(put(opened, where), place):
                return Verdict(Status.FAILED, f"the curvature does not grow with {lemma.left}")
            curvature = opened.subs(place, lemma.right)
        at_ends = [sympy.limit(slack, variable, end, side) for end, side in zip(ends, "+-", strict=True)]
        if is_nonnegative(put(-curvature, where)) and all(map(_starts_nonnegative, at_ends)):
            concave = Verdict(Status.PROVED, f"concave in {variable}, and nonnegative at {ends[0]} and {ends[1]}")
            return weakest([concave, *(lemma.verdict() for lemma in majorants)])
        return Verdict(Status.FAILED, f"not concave in {variable}")

    return check


def _starts_nonnegative(value: sympy.Expr) -> bool:
    return vanishes(value) or is_nonnegative(value) or is_nonnegative(sympy.expand(sympy.exp(value)) - 1)


def over_all(function: Callable[[sympy.Symbol], sympy.Expr], last: sympy.Expr) -> sympy.Sum:
    r""":math:`\sum_{i=1}^{n} F(i)`: a sum over the visits."""
    return sympy.Sum(function(VISIT), (VISIT, 1, last))


VISIT: Final = sympy.Symbol("i", integer=True, positive=True)
