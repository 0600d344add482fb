"""Ways to reduce a step to a simpler one: term by term, after a function, with a lemma, in other symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

from theory.theorems.checks.algebra import PROBABILITY, is_as_assumed, is_nonnegative, keep_source, put, shown, vanishes
from theory.theorems.checks.inequalities import jumps
from theory.theorems.derivation import Check, Derivation, Relation, Status, Step, Verdict, weakest
from theory.theorems.labels import CLASSES, LABEL, LAW


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

    return keep_source(check, reduced)


def after(function: Callable[[sympy.Expr], sympy.Expr], check: Check) -> Check:
    """The check holds after a function that increases everywhere (``sympy.exp``, say) was applied to both sides.

    For an identity SymPy has to know the sides to be real; an inequality is claimed where they are.
    """
    x = sympy.Symbol("x", real=True)
    if jumps(function(x)) or not sympy.diff(function(x), x).is_positive:
        raise ValueError("a strictly increasing function was expected")

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation == "=" and not (_is_real(left) and _is_real(right)):
            return Verdict(Status.FAILED, "real sides were expected")
        sides = [sympy.powsimp(sympy.simplify(function(side))) for side in (left, right)]
        verdict = check(sides[0], relation, sides[1])
        return Verdict(verdict.status, f"after {function.__name__}: {verdict.method}")

    return keep_source(check, reduced)


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

    return keep_source(check, reduced)


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
            if not is_as_assumed(symbol, put(sympy.sympify(value), where)):
                return Verdict(Status.FAILED, f"{value} may lie outside what is assumed of {symbol}")
        verdict = step.verdict()
        return Verdict(verdict.status, f"at {shown(values)}: {verdict.method}")

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
        if captured(values.values(), (left, right)):
            return Verdict(Status.FAILED, "a value depends on what is summed over")
        verdict = check(put(left, values), relation, put(right, values))
        # A symbol may stand for itself under other assumptions: nothing that a reader has to know.
        visible = {symbol: value for symbol, value in values.items() if str(symbol) != str(value)}
        method = f"with {shown(visible)}: {verdict.method}" if visible else verdict.method
        return Verdict(verdict.status, method)

    return keep_source(check, reduced)


def captured(expressions: Iterable[sympy.Expr], sides: Sequence[sympy.Expr]) -> bool:
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
        if not _factors_are_nonnegative(put(weight, values[0])):
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

    return keep_source(check, reduced)


def _factors_are_nonnegative(product: sympy.Expr) -> bool:
    """Whether no factor is negative; a power of what is not negative is none, nor is a binomial coefficient."""
    return all(
        is_nonnegative(factor.base if isinstance(factor, sympy.Pow) and factor.exp.is_real else factor)
        or is_nonnegative(factor)
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

    return keep_source(check, reduced)


def adding(term: sympy.Expr, check: Check) -> Check:
    """The check holds without a term that is added on both sides."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [side - term for side in (left, right)]
        if any(side.has(term) for side in sides if isinstance(term, sympy.Sum)):
            return Verdict(Status.FAILED, "the term is not added on both sides")
        return check(sides[0], relation, sides[1])

    return keep_source(check, reduced)


def as_one_sum(check: Check) -> Check:
    """The check holds once sums over the same range, added on a side, are one sum."""

    def reduced(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        sides = [_one_sum(side) for side in (left, right)]
        return check(sides[0], relation, sides[1])

    return keep_source(check, reduced)


def _one_sum(side: sympy.Expr) -> sympy.Expr:
    terms = sympy.Add.make_args(side)
    if not all(isinstance(term, sympy.Sum) and term.limits == terms[0].limits for term in terms):
        return side
    return sympy.Sum(sympy.Add(*(term.function for term in terms)), *terms[0].limits)


def weights_sum_to_one(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """A sum over all labels of ``p[y]`` times a constant is the constant."""
    if relation == "=" and isinstance(left, sympy.Sum) and left.limits == (sympy.Tuple(LABEL, 1, CLASSES),):
        constant, weight = left.function.as_independent(LABEL, as_Add=False)
        if weight == LAW[LABEL] and (constant == right or vanishes(constant - right)):
            return Verdict(Status.PROVED, "the probabilities of the labels sum to 1")
    return Verdict(Status.FAILED, "a mean of a constant over the labels was expected")
