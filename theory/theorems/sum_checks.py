"""Checks for sums over visits: term by term, telescoping, a subexpression by name, a minimum by its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import sympy

from theory.theorems.derivation import Check, Derivation, Relation, Status, Step, Verdict
from theory.theorems.step_checks import _has_definition, _is_nonnegative, _keep_source, _vanishes

_DUMMY: Final = sympy.Dummy("value", positive=True)


def each_term(check: Check) -> Check:
    """Both sides are sums over the same visits, up to the same addend: the check holds for each term."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        own, other = _sum_and_rest(left), _sum_and_rest(right)
        if own is None or other is None or own[0].limits != other[0].limits or not _vanishes(own[1] - other[1]):
            return Verdict(Status.FAILED, "two sums over the same visits were expected")
        verdict = check(own[0].function, relation, other[0].function)
        return Verdict(verdict.status, f"for each visit: {verdict.method}")

    return _keep_source(check, reduced)


def telescopes(potential: sympy.Expr, check: Check) -> Check:
    """The left side is a sum of differences of a potential (an expression in its index), the right side what remains.

    ``check`` has to find each term equal to the difference.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        found = _sum_and_rest(left)
        if relation != "=" or found is None:
            return Verdict(Status.FAILED, "a sum that equals something was expected")
        (index, first, last), rest = found[0].limits[0], found[1]
        remains = potential.subs(index, last) - potential.subs(index, first - 1)
        if not _vanishes(sympy.expand(right - rest - remains)):
            return Verdict(Status.FAILED, "the right side is not what remains")
        verdict = check(found[0].function, "=", potential - potential.subs(index, index - 1))
        return Verdict(verdict.status, f"telescopes: {verdict.method}")

    return _keep_source(check, reduced)


def _sum_and_rest(side: sympy.Expr) -> tuple[sympy.Sum, sympy.Expr] | None:
    sums = [part for part in sympy.Add.make_args(side) if isinstance(part, sympy.Sum)]
    if len(sums) != 1 or len(sums[0].limits) != 1:
        return None
    return sums[0], side - sums[0]


def naming(names: Mapping[sympy.Symbol, sympy.Expr], check: Check) -> Check:
    """The check holds for every value of the symbols, which stand for the expressions (replaced in the order given).

    A symbol that is positive, nonnegative or real stands for an expression that SymPy knows to be so.
    """

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        for symbol, expression in names.items():
            if not _is_as_assumed(symbol, expression):
                return Verdict(Status.FAILED, f"{expression} may lie outside what is assumed of {symbol}")
        sides = [left, right]
        for symbol, expression in names.items():
            sides = [side.subs(expression, symbol) for side in sides]
        back = sides
        for symbol, expression in reversed(list(names.items())):
            back = [side.subs(symbol, expression) for side in back]
        if back != [left, right] and not all(_vanishes(a - b) for a, b in zip(back, (left, right), strict=True)):
            return Verdict(Status.FAILED, "the names do not stand for the expressions")
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"for every {', '.join(map(str, names))}: {verdict.method}")

    return _keep_source(check, reduced)


def _is_as_assumed(symbol: sympy.Symbol, expression: sympy.Expr) -> bool:
    kinds = ("is_positive", "is_nonnegative", "is_real")
    forms = (expression, sympy.factor(sympy.together(expression)))
    return all(any(getattr(form, kind) is True for form in forms) for kind in kinds if getattr(symbol, kind))


def substituting(values: Mapping[sympy.Symbol, sympy.Expr], check: Check) -> Check:
    """The check holds once symbols are replaced by expressions that take all the values that the symbols may have."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        verdict = check(left.subs(values), relation, right.subs(values))
        shown = ", ".join(f"{symbol} = {value}" for symbol, value in values.items())
        return Verdict(verdict.status, f"with {shown}: {verdict.method}")

    return _keep_source(check, reduced)


def times(factor: sympy.Expr, check: Check) -> Check:
    """The check holds after both sides were multiplied by a positive factor."""
    if not factor.is_positive:
        raise ValueError("a positive factor was expected")

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        verdict = check(_multiplied(factor, left), relation, _multiplied(factor, right))
        return Verdict(verdict.status, f"times {factor}: {verdict.method}")

    return _keep_source(check, reduced)


def _multiplied(factor: sympy.Expr, side: sympy.Expr) -> sympy.Expr:
    return sympy.expand_mul(factor * side, deep=False)


def minus_log(check: Check) -> Check:
    """Both sides are minus a logarithm, which decreases: the check holds for the arguments, the other way round."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if not all((-side).func is sympy.log for side in (left, right)):
            return Verdict(Status.FAILED, "minus a logarithm was expected on both sides")
        opposite: dict[Relation, Relation] = {"<=": ">=", ">=": "<=", "=": "="}
        verdict = check((-left).args[0], opposite[relation], (-right).args[0])
        return Verdict(verdict.status, f"the logarithm increases: {verdict.method}")

    return _keep_source(check, reduced)


def without_factor(factor: sympy.Expr, check: Check) -> Check:
    """Both sides have a nonnegative factor in common: the check holds without it."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side / factor for side in (left, right)]
        if not _is_nonnegative(factor) or any(side.has(factor) for side in sides):
            return Verdict(Status.FAILED, "a nonnegative factor of both sides was expected")
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"without a common factor: {verdict.method}")

    return _keep_source(check, reduced)


def in_logarithms(lemma: Step, where: Mapping[sympy.Symbol, sympy.Expr] | None = None) -> Check:
    """The lemma (checked here too) is what the logarithms of both positive sides say.

    ``where`` replaces symbols in both by expressions whose logarithms SymPy can split.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        low, high = (left, right) if relation == "<=" else (right, left)
        slack = sympy.expand_log(sympy.log((high / low).subs(where or {})))
        claimed = (lemma.right - lemma.left).subs(where or {})
        if relation not in ("<=", ">=") or lemma.relation != "<=" or not _vanishes(slack - claimed):
            return Verdict(Status.FAILED, "the lemma says something else")
        return lemma.verdict()

    return check


def logarithm_of(lemma: Step, where: Mapping[sympy.Symbol, sympy.Expr] | None = None) -> Check:
    """The sides are the logarithms of the lemma's positive sides, up to the same addend; the lemma is checked here too.

    ``where`` replaces symbols in both by expressions whose logarithms SymPy can split.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != lemma.relation:
            return Verdict(Status.FAILED, "the lemma says something else")
        ratio = (lemma.right / lemma.left).rewrite(sympy.gamma).subs(where or {})
        if not _vanishes(sympy.expand_log(sympy.log(ratio)) - sympy.expand_log((right - left).subs(where or {}))):
            return Verdict(Status.FAILED, "the lemma says something else")
        return lemma.verdict()

    return check


def written_out(check: Check) -> Check:
    """The check holds once every function that has a definition is replaced by it."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side.replace(_has_definition, lambda f: f.definition()) for side in (left, right)]
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"by definition: {verdict.method}")

    return _keep_source(check, reduced)


def read_backwards(check: Check) -> Check:
    """An identity, checked from right to left."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=":
            return Verdict(Status.FAILED, "an identity was expected")
        return check(right, "=", left)

    return _keep_source(check, reduced)


def in_cases(cases: tuple[Mapping[sympy.Symbol, sympy.Expr], ...], check: Check) -> Check:
    """The check holds in each case: the cases together are all that the symbols may be."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        return _weakest([substituting(case, check)(left, relation, right) for case in cases])

    return _keep_source(check, reduced)


def some_argument(check: Check) -> Check:
    """The right side is a maximum: the check holds for one of its arguments."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        arguments = right.args if isinstance(right, sympy.Max) else (right,)
        verdicts = [check(left, relation, argument) for argument in arguments]
        return max(verdicts, key=lambda verdict: _RANK.index(verdict.status))

    return _keep_source(check, reduced)


def in_minimum(check: Check) -> Check:
    """Both sides increase alike with a minimum, and the two minima differ in one argument: the check holds for that."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        minima = [list(side.atoms(sympy.Min)) for side in (left, right)]
        if any(len(found) != 1 for found in minima):
            return Verdict(Status.FAILED, "one minimum on each side was expected")
        opened = [side.xreplace({found[0]: _DUMMY}) for side, found in zip((left, right), minima, strict=True)]
        own, other = (set(found[0].args) for found in minima)
        if opened[0] != opened[1] or not _is_nonnegative(sympy.diff(opened[0], _DUMMY)) or len(own - other) != 1:
            return Verdict(Status.FAILED, "the sides differ in more than one argument of the minimum")
        verdict = check((own - other).pop(), relation, (other - own).pop())
        return Verdict(verdict.status, f"in the minimum: {verdict.method}")

    return _keep_source(check, reduced)


def is_an_argument(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """A minimum is at most each of its arguments."""
    if relation == "<=" and isinstance(left, sympy.Min) and right in left.args:
        return Verdict(Status.PROVED, "a minimum and one of its arguments")
    return Verdict(Status.FAILED, "the right side is not an argument of a minimum on the left")


def is_a_term(at: sympy.Expr, where: Mapping[sympy.Symbol, sympy.Expr]) -> Check:
    """The right side is a sum of terms that are not negative (with ``where``), the left side its term at an index."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation == "<=" and isinstance(right, sympy.Sum):
            term, index = right.function, right.limits[0][0]
            if term.subs(index, at) == left and _is_nonnegative(term.subs(where)):
                return Verdict(Status.PROVED, "a term of a sum of terms that are not negative")
        return Verdict(Status.FAILED, "not a term of such a sum")

    return check


def by_steps(*steps: Step) -> Check:
    """A chain of steps, checked here, leads from one side to the other."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if Derivation(chain=steps).gap(left, relation, right) is not None:
            return Verdict(Status.FAILED, "the steps lead elsewhere")
        return _weakest([step.verdict() for step in steps])

    return check


def sums_to(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """SymPy sums the series on the left, in terms of the Hurwitz zeta function where it has to."""
    if relation == "=" and isinstance(left, sympy.Sum):
        total = sympy.expand_func(sympy.simplify(left.doit()))
        if not total.has(sympy.Sum) and _vanishes(total - right.rewrite(sympy.zeta)):
            return Verdict(Status.PROVED, "SymPy sums the series")
    return Verdict(Status.FAILED, "SymPy does not sum it to the right side")


def against_each(*checks: Check) -> Check:
    """The right side increases with a minimum (the left side with a maximum): a check for each of its arguments."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        kind, side = (sympy.Min, right) if right.has(sympy.Min) else (sympy.Max, left)
        extremes = list(side.atoms(kind))
        if relation != "<=" or len(extremes) != 1 or len(extremes[0].args) != len(checks):
            return Verdict(Status.FAILED, "one minimum on the right, or maximum on the left, was expected")
        if not _is_nonnegative(sympy.diff(side.xreplace({extremes[0]: _DUMMY}), _DUMMY)):
            return Verdict(Status.FAILED, "the side does not increase with it")
        choices = [side.xreplace({extremes[0]: argument}) for argument in sorted(extremes[0].args, key=str)]
        pairs = [(left, choice) if side is right else (choice, right) for choice in choices]
        verdicts = [check(a, relation, b) for check, (a, b) in zip(checks, pairs, strict=True)]
        return _weakest(verdicts)

    return reduced


def by_concavity(
    variable: sympy.Symbol, ends: tuple[sympy.Expr, sympy.Expr], majorants: tuple[Step, ...] = ()
) -> Check:
    """The slack is concave in the variable and nonnegative at both ends (in the limit), hence between them.

    ``majorants`` are lemmas ``a <= b``: the second derivative may be enlarged by putting ``b`` for ``a``.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slack = {"<=": right - left, ">=": left - right}.get(relation)
        if slack is None or any(lemma.relation != "<=" for lemma in majorants):
            return Verdict(Status.FAILED, "inequalities were expected")
        curvature = sympy.diff(slack, variable, 2)
        for lemma in majorants:
            opened = curvature.subs(lemma.left, _DUMMY)
            if not _is_nonnegative(sympy.diff(opened, _DUMMY)):
                return Verdict(Status.FAILED, f"the curvature does not grow with {lemma.left}")
            curvature = opened.subs(_DUMMY, lemma.right)
        at_ends = [sympy.limit(slack, variable, end, side) for end, side in zip(ends, "+-", strict=True)]
        if _is_nonnegative(-curvature) and all(map(_starts_nonnegative, at_ends)):
            return Verdict(Status.PROVED, f"concave in {variable}, and nonnegative at {ends[0]} and {ends[1]}")
        return Verdict(Status.FAILED, f"not concave in {variable}")

    return check


def _starts_nonnegative(value: sympy.Expr) -> bool:
    return _vanishes(value) or _is_nonnegative(value) or _is_nonnegative(sympy.expand(sympy.exp(value)) - 1)


_RANK: Final = (Status.FAILED, Status.CITED, Status.SAMPLED, Status.DIGITS, Status.PROVED)


def _weakest(verdicts: list[Verdict]) -> Verdict:
    status = min((verdict.status for verdict in verdicts), key=_RANK.index)
    return Verdict(status, "; ".join(dict.fromkeys(verdict.method for verdict in verdicts)))


def over_all(function: Callable[[sympy.Symbol], sympy.Expr], last: sympy.Expr) -> sympy.Sum:
    r""":math:`\sum_{i=1}^{n} F(i)`: a sum over the visits."""
    return sympy.Sum(function(VISIT), (VISIT, 1, last))


VISIT: Final = sympy.Symbol("i", integer=True, positive=True)
