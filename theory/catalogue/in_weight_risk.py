r"""Exact risk of the in-weight table: for each label one integral instead of a sum over all counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import sympy

from theory.catalogue.count_lemmas import DEFICIT, FRULLANI, LAPLACE_TRANSFORM, WEIGHTS
from theory.catalogue.enumeration import MOST_VISITS, excess_by_enumeration, risk_by_enumeration
from theory.catalogue.letters import LABEL_LAW, LABELS_IID, NUM_CLASSES, PSEUDO_COUNT, VISITS, C, b, n
from theory.catalogue.two_level_law import Array, excess_risk, mismatch, over_labels_and_rest
from theory.numerics.excess import log_deficit
from theory.numerics.special import frullani_nodes
from theory.theorems.checks.identities import by_definition, simplifies, to_fifty_digits
from theory.theorems.checks.reductions import termwise, using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog, binomial_mean
from theory.theorems.integrals import LogDeficit
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

PARAMETERS: Final = (VISITS, NUM_CLASSES, PSEUDO_COUNT, *LABEL_LAW[1:])

EXCESS: Final = mean_over_labels(lambda p: sympy.log(p * (n + C * b)) - ExpectedLog(n, p, b))
RISK: Final = mean_over_labels(lambda p: sympy.log(n + C * b) - ExpectedLog(n, p, b))
# Kullback-Leibler divergence of the mean table from the label law.
MISMATCH: Final = mean_over_labels(lambda p: sympy.log(p * (n + C * b) / (n * p + b)))
_EXCESS_BY_INTEGRAL: Final = mean_over_labels(lambda p: sympy.log(p * (n + C * b) / (n * p + b)) + LogDeficit(n, p, b))
_RISK_BY_INTEGRAL: Final = mean_over_labels(lambda p: sympy.log((n + C * b) / (n * p + b)) + LogDeficit(n, p, b))
_LEMMAS: Final = (FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, DEFICIT)


def _around_mean(
    numerator: Callable[[sympy.Expr], sympy.Expr], start: sympy.Expr, integral: sympy.Expr
) -> tuple[Step, ...]:
    """From a logarithm minus the expected one to its value at the mean count and the integral that remains."""
    split = mean_over_labels(
        lambda p: sympy.log(numerator(p) / (n * p + b)) + (sympy.log(n * p + b) - ExpectedLog(n, p, b))
    )
    return (
        Step(start, "=", split, "The logarithm of the mean count is taken out and put back.", termwise(simplifies)),
        Step(
            split,
            "=",
            integral,
            "By how much noise in the counts lowers the expected logarithm is an integral.",
            termwise(using(DEFICIT, simplifies)),
        ),
    )


def risk(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Risk :math:`R_n` of the table as a sum of positive terms, at any number of visits."""

    def term(p: Array, rest: Array) -> Array:
        at_mean = np.log1p((n * rest + (C - 1) * b) / (n * p + b))
        return np.asarray(p * (at_mean + log_deficit(n, p, b, rest)))

    return over_labels_and_rest(term, label_noise, noisy_labels)


def _risk_with_one_label(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    return risk(n, np.ones_like(C), b, label_noise, noisy_labels)


def noiseless(n: Array, C: Array, b: Array) -> Array:
    r"""Risk without label noise: :math:`\log\frac{n+Cb}{n+b}`."""
    return np.log1p((C - 1) * b / (n + b))


def _noiseless_by_quadrature(n: Array, C: Array, b: Array) -> Array:
    """Frullani's integral of two exponentials, by the trapezoidal rule (``theory.numerics.special.frullani_nodes``)."""
    spread = np.asarray((C - 1) * b / (n + b))[..., None]
    nodes, step = frullani_nodes(float(np.max(1 + spread)), 1.0)
    return np.asarray(step * (np.exp(-nodes) * -np.expm1(-spread * nodes)).sum(axis=-1))


_ALL_VISITS: Final = sympy.log(n + C * b) - binomial_mean(lambda k: sympy.log(k + b), n, sympy.Integer(1))
_TO_NOISELESS: Final = (
    Step(
        sympy.log(n + C * b) - ExpectedLog(n, sympy.Integer(1), b),
        "=",
        _ALL_VISITS,
        "The expectation over the counts of the own label, which has probability 1.",
        by_definition,
    ),
    Step(
        _ALL_VISITS,
        "=",
        sympy.log(n + C * b) - sympy.log(n + b),
        "Every visit shows the own label: only the count n has a weight.",
        to_fifty_digits(),
    ),
    Step(
        sympy.log(n + C * b) - sympy.log(n + b),
        "=",
        sympy.log((n + C * b) / (n + b)),
        "A difference of logarithms.",
        simplifies,
    ),
)
_ENUMERATED: Final[dict[str, Any]] = {"hunted_up_to": {"n": MOST_VISITS}}

THEOREMS: Final = (
    Theorem(
        name="in_weight_risk",
        title="Dirichlet table: exact excess risk, from the mean table and from the noise in the counts",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID,),
        left=EXCESS,
        relation="=",
        right=_EXCESS_BY_INTEGRAL,
        derivation=Derivation(
            lemmas=_LEMMAS,
            chain=_around_mean(lambda p: p * (n + C * b), EXCESS, _EXCESS_BY_INTEGRAL),
        ),
        evaluate_left=excess_by_enumeration,
        evaluate_right=excess_risk,
        value_meaning="excess risk R_n - H, nats",
        wrong=WrongVariant(
            mistake="the mean counts in place of the counts: no noise in them",
            right=MISMATCH,
            evaluate=mismatch,
        ),
        **_ENUMERATED,
    ),
    Theorem(
        name="in_weight_risk_total",
        title="Dirichlet table: exact risk, the Bayes risk included",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID,),
        left=RISK,
        relation="=",
        right=_RISK_BY_INTEGRAL,
        derivation=Derivation(
            lemmas=_LEMMAS,
            chain=_around_mean(lambda _: n + C * b, RISK, _RISK_BY_INTEGRAL),
        ),
        evaluate_left=risk_by_enumeration,
        evaluate_right=risk,
        value_meaning="risk R_n, nats",
        wrong=WrongVariant(
            mistake="the pseudo-count of one label only in the table's total: n + b",
            right=mean_over_labels(lambda p: sympy.log((n + b) / (n * p + b)) + LogDeficit(n, p, b)),
            evaluate=_risk_with_one_label,
        ),
        **_ENUMERATED,
    ),
    Theorem(
        name="in_weight_risk_noiseless",
        title="Dirichlet table: exact risk without label noise",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(VISITS, NUM_CLASSES, PSEUDO_COUNT),
        premises=("every label of the query is its own label",),
        left=_TO_NOISELESS[0].left,
        relation="=",
        right=_TO_NOISELESS[-1].right,
        derivation=Derivation(chain=_TO_NOISELESS),
        evaluate_left=_noiseless_by_quadrature,
        evaluate_right=noiseless,
        value_meaning="risk R_n (without noise also the excess risk), nats",
        wrong=WrongVariant(
            mistake="the pseudo-count of the Laplace table, whatever b is",
            right=sympy.log((n + C) / (n + 1)),
            evaluate=lambda n, C: np.log1p((C - 1) / (n + 1)),
        ),
    ),
)
