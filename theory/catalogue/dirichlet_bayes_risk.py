r"""Least possible in-weight risk under a Dirichlet prior: the table attains it, and only one label's count matters."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.least_risk import dirichlet_risk
from theory.catalogue.letters import NUM_CLASSES, PSEUDO_COUNT, VISITS, C, b, n
from theory.catalogue.two_level_law import Array
from theory.numerics.beta_binomial import expected_log_loss, mean_entropy
from theory.theorems.bayes_risk import DirichletRisk, MeanEntropy
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import cited
from theory.theorems.checks.sums import each_term
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_MOST_VISITS: Final = 10
_k = sympy.Symbol("k", integer=True, nonnegative=True)


def beta_binomial(k: sympy.Expr, first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    r"""Probability of ``k`` of :math:`n` draws whose probability was drawn from Beta(first, second)."""
    ways = sympy.gamma(n + 1) / (sympy.gamma(k + 1) * sympy.gamma(n - k + 1))
    drawn = sympy.gamma(first + k) * sympy.gamma(second + n - k) / sympy.gamma(first + second + n)
    return ways * drawn * sympy.gamma(first + second) / (sympy.gamma(first) * sympy.gamma(second))


_LOSS: Final = sympy.log((n + C * b) / (_k + b))
_RISK: Final = DirichletRisk(n, C, b)
_TABLE: Final = sympy.Sum(
    C * (_k + b) / (n + C * b) * beta_binomial(_k, b, (C - 1) * b) * _LOSS,
    (_k, 0, n),
)
_ONE_COUNT: Final = sympy.Sum(beta_binomial(_k, b + 1, (C - 1) * b) * _LOSS, (_k, 0, n))
_GIBBS: Final = Step(
    sympy.Function("LearnerRisk")(n, C, b),
    ">=",
    _RISK,
    "Gibbs' inequality: no prediction has less mean log loss than the law of the label given the labels of the visits.",
    cited("cover2006elements"),
)
_CHAIN: Final = (
    Step(
        _RISK,
        "=",
        _TABLE,
        "Given the labels of the visits the next one has the probability that the table gives it, (N + b)/(n + Cb); "
        "all labels are alike, and the count of one of them is beta-binomial.",
        to_fifty_digits({n: (0, 8), C: (2, 9), b: (0, 5)}),
    ),
    Step(
        _TABLE,
        "=",
        _ONE_COUNT,
        "The count weighted by the label's own probability is beta-binomial with one draw of the label more.",
        each_term(simplifies),
    ),
)


def _least_risk(n: Array, C: Array, b: Array) -> Array:
    n, C, b = np.broadcast_arrays(n, C, b)
    result = np.empty(n.shape)
    for visits in np.unique(n):
        chosen = n == visits
        result[chosen] = dirichlet_risk(int(visits), C[chosen], b[chosen])
    return result


def one_count(n: Array, C: Array, b: Array) -> Array:
    r"""Mean of :math:`\log\frac{n+Cb}{N+b}` under the beta-binomial law, at any :math:`n`."""
    return expected_log_loss(n, C, b)


def _after_all_visits(C: Array, b: Array) -> Array:
    return mean_entropy(C, b)


THEOREMS: Final = (
    Theorem(
        name="dirichlet_bayes_risk",
        title="Least possible mean risk after n visits when the label law is drawn from a Dirichlet law",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(VISITS, NUM_CLASSES, PSEUDO_COUNT),
        premises=(
            "the label law of the query is drawn from Dirichlet(b, ..., b)",
            "given it the labels of the query are independent draws from it",
        ),
        left=_RISK,
        relation="=",
        right=_ONE_COUNT,
        derivation=Derivation(lemmas=(_GIBBS,), chain=_CHAIN),
        evaluate_left=_least_risk,
        evaluate_right=one_count,
        hunted_up_to={"n": _MOST_VISITS},
        value_meaning="least possible mean risk, attained by the table with that pseudo-count, nats",
        wrong=WrongVariant(
            mistake="the mean entropy of the label law, which only infinitely many visits attain",
            right=MeanEntropy(C, b),
            evaluate=_after_all_visits,
        ),
    ),
)
