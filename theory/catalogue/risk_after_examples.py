r"""Exact risk of the in-weight table after :math:`N` examples of a stream, of which a random number visit the query."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.count_lemmas import FRULLANI, GENERATING, LAPLACE_TRANSFORM, WEIGHTS
from theory.catalogue.enumeration import risk_by_enumeration, weights
from theory.catalogue.letters import LABEL_LAW, LABELS_IID, NUM_CLASSES, PSEUDO_COUNT, C, b, n
from theory.catalogue.stream import EXAMPLES, QUERY_PROBABILITY, VISITS_IID, N, over_visits, p_x
from theory.catalogue.two_level_law import Array, over_labels_and_rest
from theory.excess import log_generating
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog
from theory.theorems.integral_checks import by_linearity, instance_of
from theory.theorems.integrals import ExpectedLogRatio, S, T
from theory.theorems.labels import mean_over_labels
from theory.theorems.step_checks import PROBABILITY, by_summation, simplifies, termwise, using
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_MOST_EXAMPLES: Final = 24
_STEP: Final = 0.25
_BLOCK: Final = 1 << 9


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
        instance_of(_VISITS, {S: inner}),
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
RISK_AFTER: Final = mean_over_labels(lambda p: over_visits(lambda n: sympy.log(n + C * b) - ExpectedLog(n, p, b)))
_BY_INTEGRAL: Final = mean_over_labels(lambda p: ExpectedLogRatio(N, p_x, p, b, C * b))


def risk_after(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Mean risk after :math:`N` examples, by an integrand that is a product of positive factors."""
    return over_labels_and_rest(lambda p, rest: p * _log_ratio(N, p_x, C, b, p, rest), label_noise, noisy_labels)


def _log_ratio(N: Array, p_x: Array, C: Array, b: Array, p: Array, rest: Array) -> Array:
    arrays = np.broadcast_arrays(N, p_x, C, b, p, rest)
    columns = [a.reshape(-1, 1) for a in arrays]
    result = np.empty(arrays[0].size)
    # Points that need about as many nodes go together.
    order = np.argsort((columns[0] * columns[1] / columns[3] + columns[2])[:, 0])
    for start in range(0, order.size, _BLOCK):
        rows = order[start : start + _BLOCK]
        result[rows] = _log_ratio_block(*(a[rows] for a in columns))
    return result.reshape(arrays[0].shape)


def _log_ratio_block(N: Array, p_x: Array, C: Array, b: Array, p: Array, rest: Array) -> Array:
    # In units of the fastest rate, below which the integrand falls linearly; it ends with exp(-b t).
    scale = N * p_x + C * b
    t = np.exp(np.arange(-41.5, np.log(45.0 * float(np.max(scale / b))) + _STEP, _STEP)) / scale
    missed = np.asarray(1 - p_x)
    label = np.exp(N * log_generating(t, p_x * p, missed + p_x * rest) - b * t)
    # How much faster the visits' transform falls than the label's: with all of p_x, not with the share p of it.
    unlabelled = -p_x * rest * np.expm1(-t) / np.maximum(missed + p_x * np.exp(-t), 1e-300)
    return np.asarray(_STEP * (label * -np.expm1(-(C - 1) * b * t - N * np.log1p(unlabelled))).sum(axis=1))


def _risk_by_enumeration(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    """The same as a sum over all numbers of visits, and for each over all counts of each label."""
    total = np.zeros(())
    for visits in range(int(np.max(N, initial=0)) + 1):
        likely = weights(N, np.full_like(C, visits), p_x, 1 - p_x)
        total = total + likely * risk_by_enumeration(np.full_like(C, visits), C, b, label_noise, noisy_labels)
    return np.asarray(total)


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
        parameters=(EXAMPLES, QUERY_PROBABILITY, NUM_CLASSES, PSEUDO_COUNT, *LABEL_LAW[1:]),
        premises=(LABELS_IID, VISITS_IID),
        left=RISK_AFTER,
        relation="=",
        right=_BY_INTEGRAL,
        derivation=Derivation(
            lemmas=(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, _VISITS, *_VISITS_AND_LABELS, _LOG_RATIO),
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
