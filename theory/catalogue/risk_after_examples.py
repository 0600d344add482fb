r"""Exact risk of the in-weight table after :math:`N` examples of a stream, of which a random number visit the query."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.count_lemmas import FRULLANI, GENERATING, LAPLACE_TRANSFORM, WEIGHTS
from theory.catalogue.enumeration import risk_by_enumeration
from theory.catalogue.letters import LABEL_LAW, LABELS_IID, NUM_CLASSES, PSEUDO_COUNT, C, b, n
from theory.catalogue.stream import EXAMPLES, QUERY_PROBABILITY, VISITS_IID, N, over_visits, p_x
from theory.catalogue.two_level_law import Array, over_labels_and_rest
from theory.catalogue.visit_integrals import integrated, sum_over_visits
from theory.numerics.excess import log_generating
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import by_summation, simplifies
from theory.theorems.checks.integrals import by_linearity
from theory.theorems.checks.reductions import instance_of, termwise, using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog
from theory.theorems.integrals import ExpectedLogRatio, S, T
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_MOST_EXAMPLES: Final = 24
PARAMETERS: Final = (EXAMPLES, QUERY_PROBABILITY, NUM_CLASSES, PSEUDO_COUNT, *LABEL_LAW[1:])


_AMONG_VISITS: Final = GENERATING.right.subs({n: 1, S: sympy.exp(-T)})
_VISITS: Final = Step(
    over_visits(lambda n: S**n),
    "=",
    (1 - p_x + p_x * S) ** N,
    "The generating function of the visits, by the binomial theorem.",
    by_summation(p_x),
)
_VISITS_AND_LABELS: Final = tuple(
    Step(
        _VISITS.left.subs(S, inner),
        "=",
        _VISITS.right.subs(S, inner),
        f"The generating function of the visits at {shown}.",
        instance_of(_VISITS, {S: inner}, {PROBABILITY: 1 / (1 + S)}),
    )
    for inner, shown in (
        (_AMONG_VISITS, "1 - p + p exp(-t), that of a label"),
        (sympy.exp(-T), "exp(-t)"),
        (sympy.Integer(1), "1: the weights sum to 1"),
    )
)
_LOG_RATIO: Final = Step(
    over_visits(lambda n: sympy.log(n + C * b) - ExpectedLog(n, PROBABILITY, b)),
    "=",
    ExpectedLogRatio(N, p_x, PROBABILITY, b, C * b),
    "Frullani's integral for each logarithm; the sums over counts and visits under it are generating functions.",
    by_linearity(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, *_VISITS_AND_LABELS),
)
VISIT_LEMMAS: Final = (_VISITS, *_VISITS_AND_LABELS)
RISK_AFTER: Final = mean_over_labels(lambda p: over_visits(lambda n: sympy.log(n + C * b) - ExpectedLog(n, p, b)))
_BY_INTEGRAL: Final = mean_over_labels(lambda p: ExpectedLogRatio(N, p_x, p, b, C * b))


def risk_after(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Mean risk after :math:`N` examples, by an integrand that is a product of positive factors."""
    return over_labels_and_rest(
        lambda p, rest: p * integrated(_log_ratio, N, p_x, C, b, p, rest), label_noise, noisy_labels
    )


def _log_ratio(t: Array, N: Array, p_x: Array, C: Array, b: Array, p: Array, rest: Array) -> Array:
    missed = 1 - p_x
    label = np.exp(N * log_generating(t, p_x * p, missed + p_x * rest) - b * t)
    # How much faster the visits' transform falls than the label's: with all of p_x, not with the share p of it.
    unlabelled = -p_x * rest * np.expm1(-t) / np.maximum(missed + p_x * np.exp(-t), 1e-300)
    return np.asarray(label * -np.expm1(-(C - 1) * b * t - N * np.log1p(unlabelled)))


def _risk_by_enumeration(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    """The same as a sum over all numbers of visits, and for each over all counts of each label."""
    return sum_over_visits(lambda n: risk_by_enumeration(n, C, b, label_noise, noisy_labels), N, p_x)


def _risk_at_means(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    visits = N * p_x
    return over_labels_and_rest(
        lambda p, rest: p * np.log1p((visits * rest + (C - 1) * b) / (visits * p + b)), label_noise, noisy_labels
    )


THEOREMS: Final = (
    Theorem(
        name="risk_after_examples",
        title="Dirichlet table: exact mean risk after N examples, visits counted by chance",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID, VISITS_IID),
        left=RISK_AFTER,
        relation="=",
        right=_BY_INTEGRAL,
        derivation=Derivation(
            lemmas=(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, *VISIT_LEMMAS, _LOG_RATIO),
            chain=(
                Step(
                    RISK_AFTER,
                    "=",
                    _BY_INTEGRAL,
                    "For each label, the mean of the logarithm over visits and counts is an integral.",
                    termwise(using(_LOG_RATIO, simplifies)),
                ),
            ),
        ),
        evaluate_left=_risk_by_enumeration,
        evaluate_right=risk_after,
        hunted_up_to={"N": _MOST_EXAMPLES},
        value_meaning="risk R_n averaged over the visits n, the Bayes risk included, nats",
        wrong=WrongVariant(
            mistake="mean numbers of visits and of labels in place of random ones",
            right=mean_over_labels(lambda p: sympy.log((N * p_x + C * b) / (N * p_x * p + b))),
            evaluate=_risk_at_means,
        ),
    ),
)
