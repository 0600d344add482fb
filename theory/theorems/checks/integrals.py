"""Checks of steps that go under an integral: by a derivative, and by linearity of sums and integrals."""

from __future__ import annotations

import sympy

from theory.theorems.checks.algebra import is_as_assumed
from theory.theorems.checks.identities import simplifies
from theory.theorems.derivation import Check, Relation, Status, Step, Verdict, weakest


def by_derivative(variable: sympy.Symbol, start: sympy.Expr) -> Check:
    """The sides agree where the variable is at the start, and their derivatives agree (under the integral sign)."""

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        slopes = [sympy.diff(side, variable).doit() for side in (left, right)]
        starts = [sympy.simplify(side.subs(variable, start)) for side in (left, right)]
        verdicts = [simplifies(a, relation, b) for a, b in (slopes, starts)]
        if all(verdict.holds for verdict in verdicts):
            return Verdict(Status.PROVED, f"equal at {variable} = {start}, with equal derivatives")
        return Verdict(Status.FAILED, f"the values at {variable} = {start} or the derivatives differ")

    return check


def by_integration(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """SymPy integrates what is an integral, and the difference simplifies to zero."""
    verdict = simplifies(left.doit(), relation, right.doit())
    return Verdict(verdict.status, "SymPy integrates it") if verdict.holds else verdict


def by_linearity(represented: Step, *sums: Step) -> Check:
    """A finite sum of represented terms is the integral of the sum, and the sums under the integral are known.

    Parameters
    ----------
    represented : Step
        Lemma in one symbol ``x``: a function of ``x`` is an integral.
    *sums : Step
        Lemmas: values of sums that occur under the integral.

    Notes
    -----
    Expectations are written out as their definitions; then the lemma replaces its function (outside integrals), sums
    move under the integral, constants leave the sums, the sums are replaced, and the integrands must agree.
    """
    if represented.relation != "=" or any(lemma.relation != "=" for lemma in sums):
        raise ValueError("identities were expected")

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        integrals = _as_integral(_represented(written_out(left - right), represented))
        if relation != "=" or integrals is None:
            return Verdict(Status.FAILED, "an identity between integrals over the same range was expected")
        if simplifies(_with_sums(integrals[0], sums), "=", sympy.Integer(0)).holds:
            agree = Verdict(Status.PROVED, "linearity, and the lemmas: the integrands agree")
            found = weakest([agree, *(lemma.verdict() for lemma in (represented, *sums))])
            return Verdict(found.status, agree.method) if found.holds else found
        return Verdict(Status.FAILED, "the integrands differ")

    return check


def written_out(expression: sympy.Expr) -> sympy.Expr:
    """Every expectation replaced by its definition, inside of definitions too."""
    while True:
        expanded = expression.replace(lambda f: hasattr(f, "definition"), lambda f: f.definition())
        if expanded == expression:
            return expression
        expression = expanded


def _represented(expression: sympy.Expr, lemma: Step) -> sympy.Expr:
    """The expression with the lemma's function of anything replaced by its integral, outside integrals."""
    (x,) = lemma.left.free_symbols
    if not expression.args or isinstance(expression, sympy.Integral):
        return expression
    if isinstance(expression, sympy.Sum):
        return sympy.Sum(_represented(expression.function, lemma), *expression.limits)
    place = lemma.left.args.index(x)
    argument = expression.args[place] if len(expression.args) > place else sympy.Integer(0)
    if argument and expression == lemma.left.subs(x, argument) and is_as_assumed(x, argument):
        return lemma.right.subs(x, argument)
    return expression.func(*(_represented(part, lemma) for part in expression.args))


def _as_integral(expression: sympy.Expr) -> tuple[sympy.Expr, sympy.Tuple] | None:
    """Integrand and range of a linear combination of integrals over one range; ``None`` if it is no such thing."""
    if isinstance(expression, sympy.Integral):
        return expression.function, expression.limits[0]
    if isinstance(expression, sympy.Add):
        parts = [_as_integral(part) for part in expression.args]
        if None in parts or len({part[1] for part in parts if part}) > 1:
            return None
        return sympy.Add(*(part[0] for part in parts if part)), next(part[1] for part in parts if part)
    if isinstance(expression, sympy.Sum):
        inner = _as_integral(expression.function)
        return None if inner is None else (sympy.Sum(inner[0], *expression.limits), inner[1])
    return _scaled_integral(expression) if isinstance(expression, sympy.Mul) else None


def _scaled_integral(product: sympy.Mul) -> tuple[sympy.Expr, sympy.Tuple] | None:
    integrals = [factor for factor in product.args if factor.has(sympy.Integral)]
    inner = _as_integral(integrals[0]) if len(integrals) == 1 else _as_integral(sympy.expand_mul(product))
    if inner is None:
        return None
    scale = product / integrals[0]
    return None if scale.has(inner[1][0]) else (scale * inner[0], inner[1])


def _with_sums(integrand: sympy.Expr, lemmas: tuple[Step, ...]) -> sympy.Expr:
    """The integrand with constants out of its sums, and the sums replaced by their values."""
    known = {}
    for lemma in lemmas:
        ((constant, kernel),) = _terms(lemma.left)
        known[sympy.Sum(kernel, *lemma.left.limits)] = lemma.right / constant

    def valued(total: sympy.Sum) -> sympy.Expr:
        sums = ((constant, sympy.Sum(kernel, *total.limits)) for constant, kernel in _terms(total))
        return sympy.Add(*(constant * known.get(inner, inner) for constant, inner in sums))

    return integrand.replace(lambda e: isinstance(e, sympy.Sum), valued)


def _terms(total: sympy.Sum) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Terms of a sum as (factor without the index, factor with it)."""
    terms = sympy.Add.make_args(sympy.expand(total.function))
    return [term.as_independent(total.limits[0][0], as_Add=False) for term in terms]
