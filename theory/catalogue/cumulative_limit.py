r"""The table's expected cumulative loss after many visits: the Bayes risk, a logarithm and a constant."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.label_counts import Array, redundancy
from theory.catalogue.letters import LABELS_IID, C, b, label_noise, n, noisy_labels
from theory.catalogue.two_level_law import over_labels
from theory.in_weight import limit_constants
from theory.numerics.excess import log_gamma_surplus
from theory.theorems.checks.algebra import Ranges
from theory.theorems.checks.identities import to_fifty_digits
from theory.theorems.checks.reductions import termwise
from theory.theorems.checks.sequences import in_the_limit, within
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expected_log_gamma import ExpectedLogGamma
from theory.theorems.labels import mean_over_labels
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_RAREST: Final = sympy.Max(1 / (1 - label_noise), noisy_labels / label_noise)
# Far enough out for the limit to have set in, and no farther than double precision resolves the remainder.
PARAMETERS: Final = (
    Parameter(symbol=C, latex="C", meaning="number of labels", lowest=2, highest=300),
    Parameter(
        symbol=b,
        latex="b",
        meaning="pseudo-count of the table (1: Laplace, 1/2: KT)",
        lowest=1e-3,
        highest=30,
        default=1.0,
        corners=(1.0, 2.0),
    ),
    Parameter(
        symbol=label_noise,
        latex=r"\eta",
        meaning="probability that a label is not the own one",
        lowest=0.01,
        highest=0.99,
    ),
    Parameter(
        symbol=noisy_labels,
        latex="r",
        meaning="labels that share the noise (1: cyclic, C - 1: symmetric)",
        lowest=1,
        highest=C - 1,
        default=1.0,
    ),
    Parameter(
        symbol=n,
        latex="n",
        meaning="visits of the query, many even of its rarest label",
        lowest=20 * (1 + C * b) * _RAREST,
        highest=1e10,
    ),
)
_RANGES: Final[Ranges] = {n: (3000, 10**6), C: (2, 5), b: (0, 3), label_noise: (0.2, 0.8), noisy_labels: (1, 1)}

_HALF: Final = sympy.Rational(1, 2)
_STIRLING: Final = (n + C * b - _HALF) * sympy.log(n) - n + sympy.log(2 * sympy.pi) / 2 - sympy.loggamma(C * b)


def _over_counts(total: sympy.Expr, per_label: sympy.Expr) -> sympy.Sum:
    """Of ``total`` minus the sum over labels of ``per_label(p)``, plus n times minus the entropy."""
    return mean_over_labels(lambda p: total - per_label(p) / p + n * sympy.log(p))


def _expected(p: sympy.Expr) -> sympy.Expr:
    return ExpectedLogGamma(n, p, b) - sympy.loggamma(b)


def _expanded(p: sympy.Expr) -> sympy.Expr:
    return (
        (n * p + b - _HALF) * sympy.log(n * p) - n * p + sympy.log(2 * sympy.pi) / 2 + (1 - p) / 2 - sympy.loggamma(b)
    )


LEFT: Final = _over_counts(sympy.loggamma(n + C * b) - sympy.loggamma(C * b), _expected)
_TOTAL_EXPANDED: Final = _over_counts(_STIRLING, _expected)
_EXPANDED: Final = _over_counts(_STIRLING, _expanded)

_LOG_PROBABILITIES: Final = sympy.log(1 - label_noise) + noisy_labels * sympy.log(label_noise / noisy_labels)
_SUPPORT: Final = noisy_labels + 1
WEIGHT: Final = (C - _SUPPORT) * b + noisy_labels / 2
_WITHOUT_MEAN: Final = (
    -noisy_labels * sympy.log(2 * sympy.pi) / 2
    - (b - _HALF) * _LOG_PROBABILITIES
    + _SUPPORT * sympy.loggamma(b)
    - sympy.loggamma(C * b)
)
RIGHT: Final = WEIGHT * sympy.log(n) + _WITHOUT_MEAN - noisy_labels / 2
_WRONG: Final = WEIGHT * sympy.log(n) + _WITHOUT_MEAN


def _next_order(p: sympy.Expr) -> sympy.Expr:
    return (1 - p**2 + sympy.Abs(6 * b - 3) * (1 - p) + 6 * b**2 + 6 * b + 1) / (12 * p)


# What comes after the next order is less than a quarter of it in the box (hunted, not proved).
_SAFETY: Final = sympy.Rational(5, 4)
_REMAINDER: Final = (
    _SAFETY
    * (
        (6 * C * b * (C * b + 1) + 1) / 12
        + _next_order(1 - label_noise)
        + noisy_labels * _next_order(label_noise / noisy_labels)
    )
    / n
)


def expected_redundancy(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r""":math:`E\Lambda_n - nH`: at the mean counts, less what their noise raises :math:`\log\Gamma` by."""
    noise = over_labels(lambda p: log_gamma_surplus(n, p, b), label_noise, noisy_labels)
    return redundancy(n, C, b, label_noise, noisy_labels) - noise


def limit(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r""":math:`a\log n + \kappa`."""
    weight, constant = limit_constants(C, b, label_noise, noisy_labels)
    return np.asarray(weight * np.log(n) + constant)


def remainder(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    """The next order, each of its terms taken positive, and a quarter more for what comes after it."""
    total = C * b

    def term(p: Array) -> Array:
        return np.asarray((1 - p * p + np.abs(6 * b - 3) * (1 - p) + 6 * b * b + 6 * b + 1) / (12 * p))

    return np.asarray(1.25 * ((6 * total * (total + 1) + 1) / 12 + over_labels(term, label_noise, noisy_labels)) / n)


THEOREMS: Final = (
    Theorem(
        name="cumulative_loss_asymptotic",
        title="Dirichlet table: expected cumulative loss above n times the Bayes risk, after many visits",
        family="in-weight",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID, "n grows"),
        left=LEFT,
        relation="~",
        right=RIGHT,
        derivation=Derivation(
            chain=(
                Step(
                    LEFT,
                    "~",
                    _TOTAL_EXPANDED,
                    "Stirling's formula for the total count; the left side is the theorem cumulative_loss in mean.",
                    termwise(in_the_limit(n)),
                ),
                Step(
                    _TOTAL_EXPANDED,
                    "~",
                    _EXPANDED,
                    "Stirling's formula for the count of a label, and the mean of N log N, which is (1 - p)/2 above "
                    "its value at the mean count. Next order: [(1 - p^2) - (6b - 3)(1 - p) + 6b^2 - 6b + 1]/(12np).",
                    within(_REMAINDER, _RANGES),
                ),
                Step(
                    _EXPANDED,
                    "=",
                    RIGHT,
                    "Collect: the labels of positive probability are one and the noisy ones, and share the total 1.",
                    to_fifty_digits(_RANGES),
                ),
            )
        ),
        evaluate_left=expected_redundancy,
        evaluate_right=limit,
        remainder=remainder,
        value_meaning="expected cumulative loss above n H, nats",
        wrong=WrongVariant(
            mistake="the noise of the counts forgotten: (s - 1)/2 missing in the constant",
            right=_WRONG,
            evaluate=lambda n, C, b, label_noise, noisy_labels: (
                limit(n, C, b, label_noise, noisy_labels) + noisy_labels / 2
            ),
        ),
    ),
)
