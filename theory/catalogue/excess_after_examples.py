r"""Exact excess risk of the in-weight table after :math:`N` examples of a stream, as a sum of positive integrals."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.count_lemmas import FRULLANI, LAPLACE_TRANSFORM, WEIGHTS
from theory.catalogue.enumeration import excess_by_enumeration
from theory.catalogue.letters import LABELS_IID, C, b
from theory.catalogue.risk_after_examples import PARAMETERS, VISIT_LEMMAS
from theory.catalogue.stream import VISITS_IID, N, over_visits, p_x
from theory.catalogue.two_level_law import Array, excess_risk, over_labels_and_rest
from theory.catalogue.visit_integrals import integrated, sum_over_visits
from theory.numerics.excess import exponential_tail, generating_surplus, log_generating
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.integrals import by_linearity
from theory.theorems.checks.reductions import termwise, using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog
from theory.theorems.integrals import ExpectedLogRatio, LogDeficit
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_MOST_EXAMPLES: Final = 14


def _excess_of(p: sympy.Expr) -> sympy.Sum:
    return over_visits(lambda n: sympy.log(p) + sympy.log(n + C * b) - ExpectedLog(n, p, b))


def _integral_of(p: sympy.Expr) -> sympy.Expr:
    return sympy.log(p) + ExpectedLogRatio(N, p_x, p, b, C * b)


EXCESS_AFTER: Final = mean_over_labels(_excess_of)
_BY_INTEGRAL: Final = mean_over_labels(_integral_of)
_LABEL: Final = Step(
    _excess_of(PROBABILITY),
    "=",
    _integral_of(PROBABILITY),
    "Frullani's integral for each logarithm; the sums over counts and visits under it are generating functions.",
    by_linearity(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, *VISIT_LEMMAS[1:]),
)


def excess_after(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Mean excess risk after :math:`N` examples as a sum of positive integrals, at any :math:`N`.

    With :math:`r = \frac{np+b}{p(n+Cb)} - 1` the divergence of the mean table after :math:`n` visits is the mean over
    labels of :math:`r - \log(1+r)`, and the mass it gives to labels that never occur; what the noise in the counts adds
    is ``theory.numerics.excess.log_deficit``. Each is averaged over the visits under its integral.
    """
    support = 1 * (label_noise < 1) + noisy_labels * (label_noise > 0)
    unused = (C - support) * b * integrated(_inverse_total, N, p_x, C, b, np.ones_like(b), np.zeros_like(b))
    return unused + over_labels_and_rest(
        lambda p, rest: integrated(_of_label, N, p_x, C, b, p, rest), label_noise, noisy_labels
    )


def _inverse_total(t: Array, N: Array, p_x: Array, C: Array, b: Array, *_: Array) -> Array:
    r"""For :math:`E\frac{1}{n+Cb}`."""
    return np.asarray(t * np.exp(N * log_generating(t, p_x, 1 - p_x) - C * b * t))


def _of_label(t: Array, N: Array, p_x: Array, C: Array, b: Array, p: Array, rest: Array) -> Array:
    r"""For :math:`p\,E[r - \log(1+r)]` and for the mean of :math:`p` times the deficit of the expected logarithm."""
    missed = 1 - p_x
    visits = np.exp(N * log_generating(t, p_x, missed))
    label = np.exp(N * log_generating(t, p_x * p, missed + p_x * rest) - b * t)
    surplus = np.exp(log_generating(t, p, rest)) * -np.expm1(-generating_surplus(t, p, rest))
    noise = np.log1p(p_x * surplus / np.maximum(missed + p_x * np.exp(-p * t), 1e-307))
    return np.asarray(visits * _divergence(t, C, b, p) + p * label * -np.expm1(-N * noise))


def _divergence(t: Array, C: Array, b: Array, p: Array) -> Array:
    r""":math:`p\,e^{-Cbt} e_2(-\delta t)` for :math:`\delta = b/p - Cb` and :math:`e_2(x) = e^x - 1 - x \ge 0`."""
    scaled = -b * (1 - C * p) * t
    small = np.abs(scaled) <= p
    near = p * exponential_tail(np.where(small, scaled, 0.0) / p)
    # exp(-b t / p), where b / p may be more than a double holds.
    label = np.exp(-np.minimum(b * t, 800.0 * p) / p)
    return np.asarray(np.where(small, np.exp(-C * b * t) * near, p * label - np.exp(-C * b * t) * (p + scaled)))


def _excess_by_enumeration(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    """The same as a sum over all numbers of visits, and for each over all counts of each label."""
    return sum_over_visits(lambda n: excess_by_enumeration(n, C, b, label_noise, noisy_labels), N, p_x)


def _excess_at_mean(N: Array, p_x: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    return excess_risk(N * p_x, C, b, label_noise, noisy_labels)


THEOREMS: Final = (
    Theorem(
        name="excess_after_examples",
        title="Dirichlet table: exact mean excess risk after N examples, visits counted by chance",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID, VISITS_IID),
        left=EXCESS_AFTER,
        relation="=",
        right=_BY_INTEGRAL,
        derivation=Derivation(
            lemmas=(FRULLANI, LAPLACE_TRANSFORM, WEIGHTS, *VISIT_LEMMAS, _LABEL),
            chain=(
                Step(
                    EXCESS_AFTER,
                    "=",
                    _BY_INTEGRAL,
                    "For each label, the mean of the logarithm over visits and counts is an integral.",
                    termwise(using(_LABEL, simplifies)),
                ),
            ),
        ),
        evaluate_left=_excess_by_enumeration,
        evaluate_right=excess_after,
        hunted_up_to={"N": _MOST_EXAMPLES},
        value_meaning="excess risk R_n - H averaged over the visits n, nats",
        wrong=WrongVariant(
            mistake="the mean number of visits in place of a random one",
            right=mean_over_labels(
                lambda p: sympy.log(p * (N * p_x + C * b) / (N * p_x * p + b)) + LogDeficit(N * p_x, p, b)
            ),
            evaluate=_excess_at_mean,
        ),
    ),
)
