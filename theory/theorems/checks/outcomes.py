"""Checks of inequalities that hold for every outcome of a random count, and of what follows for its quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from theory.theorems.derivation import Check, Relation, Status, Step, Verdict, weakest
from theory.theorems.two_labels import Quantile

Where = Mapping[sympy.Symbol, sympy.Expr]


def combines(terms: Sequence[tuple[sympy.Expr, Step]], positive: Where, case: Where | None = None) -> Check:
    """The slack is a sum of the slacks of earlier inequalities ``<=``, with nonnegative weights.

    Parameters
    ----------
    terms : sequence of (sympy.Expr, Step)
        Weights, and the inequalities, which are checked here.
    positive : mapping of sympy.Symbol to sympy.Expr
        A substitution that covers the range of the symbols and shows SymPy the signs of the weights.
    case : mapping, optional
        A substitution that covers a case, for which alone the step is claimed.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "<=" or any(step.relation != "<=" for _, step in terms):
            return Verdict(Status.FAILED, "inequalities <= were expected")
        rest = right - left - sum(weight * (step.right - step.left) for weight, step in terms)
        signs = [sympy.factor(weight.subs(case or {}).subs(positive)).is_nonnegative for weight, _ in terms]
        if sympy.simplify(sympy.expand(rest.subs(case or {}))) != 0 or not all(signs):
            return Verdict(Status.FAILED, "not the nonnegative combination named")
        found = weakest([step.verdict() for _, step in terms])
        return Verdict(found.status, f"combines {len(terms)} inequalities: {found.method}")

    return check


def same_logarithms(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
    """Both sides agree after their logarithms are split into factors, where all symbols are positive.

    Where a symbol may be 0 as well, only the limit there is claimed.
    """
    symbols = (left - right).free_symbols
    if not all(symbol.is_nonnegative for symbol in symbols):
        return Verdict(Status.FAILED, "symbols that are not negative were expected")
    difference = (left - right).subs({s: sympy.Dummy(s.name, positive=True) for s in symbols})
    factors = difference.replace(sympy.log, lambda z: sympy.log(sympy.factor(sympy.together(z))))
    if relation == "=" and sympy.simplify(sympy.expand(sympy.expand_log(factors))) == 0:
        return Verdict(Status.PROVED, "logarithms of the same factors")
    return Verdict(Status.FAILED, "the logarithms differ")


def for_every_outcome(share: sympy.Symbol, outcome: Step) -> Check:
    """A quantile is at most an increasing function of another one, since this holds for every outcome of the count.

    Parameters
    ----------
    share : sympy.Symbol
        Share of the noisy label, what an outcome is known by.
    outcome : Step
        The inequality ``<=`` between the outcomes, for shares strictly between 0 and 1 (at the ends by continuity).
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        others = list(right.atoms(Quantile))
        if relation != "<=" or outcome.relation != "<=" or not isinstance(left, Quantile) or len(others) != 1:
            return Verdict(Status.FAILED, "a quantile and a function of another one were expected")
        (other,) = others
        value = sympy.Dummy(real=True)
        rises = sympy.diff(right.subs(other, value), value)
        same_law = (left.visits, left.label_noise, left.level) == (other.visits, other.label_noise, other.level)
        ends = (left.outcome(share), right.subs(other, other.outcome(share))) == (outcome.left, outcome.right)
        if not (same_law and ends and rises.is_nonnegative):
            return Verdict(Status.FAILED, "the outcomes named are not those of the quantiles")
        found = outcome.verdict()
        return Verdict(found.status, f"for every outcome: {found.method}")

    return check
