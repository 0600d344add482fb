r"""The table's expected cumulative loss: the sum of its risks, which the counts' log-gamma functions telescope."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import sympy
from scipy.special import xlog1py, xlogy

from theory.catalogue.cumulative_limit import expected_redundancy
from theory.catalogue.label_counts import Array
from theory.catalogue.letters import LABEL_LAW, LABELS_IID, PSEUDO_COUNT, C, b, n
from theory.catalogue.pointwise import SOME_VISITS
from theory.catalogue.two_level_law import over_labels
from theory.theorems.checks.algebra import PROBABILITY, Ranges
from theory.theorems.checks.identities import to_fifty_digits
from theory.theorems.checks.reductions import termwise
from theory.theorems.checks.sequences import by_telescoping
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog
from theory.theorems.expected_log_gamma import ExpectedLogGamma
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_i = sympy.Symbol("i", integer=True, nonnegative=True)
_BELOW_ONE: Final[Ranges] = {PROBABILITY: (0, 1), n: (0, 9), b: (0, 3)}
_ROWS: Final = 1 << 12
# Up to here by one integral, which loses as many digits as the visits have; then by large terms, which lose fewer.
_INTEGRATED_UP_TO: Final = 50
_STEP: Final = 0.25

_RISKS: Final = mean_over_labels(lambda p: sympy.Sum(sympy.log(_i + C * b) - ExpectedLog(_i, p, b), (_i, 0, n - 1)))
_BY_COUNTS: Final = mean_over_labels(
    lambda p: sympy.loggamma(n + C * b) - sympy.loggamma(C * b) - (ExpectedLogGamma(n, p, b) - sympy.loggamma(b)) / p
)
_WRONG: Final = _BY_COUNTS + sympy.log(1 + n / (C * b))
_GROWTH: Final = Step(
    ExpectedLogGamma(n + 1, PROBABILITY, b),
    "=",
    ExpectedLogGamma(n, PROBABILITY, b) + PROBABILITY * ExpectedLog(n, PROBABILITY, b),
    "One more visit shows the label with probability p, and log Gamma(z + 1) - log Gamma(z) is log z.",
    to_fifty_digits(_BELOW_ONE),
)


def sum_of_risks(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    """The exact risks before each visit, by enumeration of each label's count; a sum of positive terms."""
    arrays = np.broadcast_arrays(n, C, b, label_noise, noisy_labels)
    n, C, b, label_noise, noisy_labels = arrays
    result = np.zeros(n.shape)
    for i in range(int(n.max())):
        reached = n > i
        parts = [a[reached] for a in (C, b, label_noise, noisy_labels)]
        result[reached] += _risk(i, *parts)
    return result


def _risk(i: int, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    def term(p: Array) -> Array:
        total = np.zeros(p.shape)
        for k in range(i + 1):
            total += math.comb(i, k) * p**k * (1 - p) ** (i - k) * np.log1p((i - k + (C - 1) * b) / (k + b))
        return np.asarray(p * total)

    return over_labels(term, label_noise, noisy_labels)


def by_counts(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Mean of the cumulative loss, given the counts: by :math:`nH` and what exceeds it, or as one integral."""
    arrays = np.broadcast_arrays(n, C, b, label_noise, noisy_labels)
    few = arrays[0] <= _INTEGRATED_UP_TO
    result = np.zeros(arrays[0].shape)
    if few.any():
        result[few] = _integral(*(a[few] for a in arrays))
    if not few.all():
        n, C, b, label_noise, noisy_labels = (a[~few] for a in arrays)
        entropy = -xlog1py(1 - label_noise, -label_noise) - xlogy(label_noise, label_noise / noisy_labels)
        result[~few] = n * entropy + expected_redundancy(n, C, b, label_noise, noisy_labels)
    return result


def _integral(*arrays: Array) -> Array:
    result = np.zeros(arrays[0].shape)
    for start in range(0, result.size, _ROWS):
        block = (a[start : start + _ROWS, None] for a in arrays)
        result[start : start + _ROWS] = _block(*block)
    return result


def _block(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r""":math:`\int_0^\infty \sum_y p_y [e^{-bt} G(1-p_y+p_y e^{-t}) - e^{-Cbt} G(e^{-t})]\,dt/t`, G a geometric sum."""
    scale = n + C * b
    t = np.exp(np.arange(-41.5, math.log(45 * float(np.max(scale / b))), _STEP)) / scale
    everything = _geometric_sum(n, -t)

    def term(p: Array) -> Array:
        seen = _geometric_sum(n, np.log1p(np.maximum(p * np.expm1(-t), -1 + 1e-16)))
        return np.asarray(p * np.exp(-b * t) * (seen - everything - everything * np.expm1(-(C - 1) * b * t)))

    return np.asarray(_STEP * over_labels(term, label_noise, noisy_labels).sum(axis=1))


def _geometric_sum(n: Array, log_ratio: Array) -> Array:
    small = log_ratio > -1e-290
    ratio = np.where(small, -1.0, log_ratio)
    return np.asarray(np.where(small, n, np.expm1(n * ratio) / np.expm1(ratio)))


THEOREMS: Final = (
    Theorem(
        name="expected_cumulative_loss",
        title="Dirichlet table: the sum of its risks is the mean of its cumulative loss over the counts",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(SOME_VISITS, PSEUDO_COUNT, *LABEL_LAW),
        premises=(LABELS_IID,),
        left=_RISKS,
        relation="=",
        right=_BY_COUNTS,
        derivation=Derivation(
            lemmas=(_GROWTH,),
            chain=(
                Step(
                    _RISKS,
                    "=",
                    _BY_COUNTS,
                    "Without visits both sides are 0; one more visit adds its risk to both.",
                    termwise(by_telescoping(n, _GROWTH)),
                ),
            ),
        ),
        evaluate_left=sum_of_risks,
        evaluate_right=by_counts,
        hunted_up_to={"n": 12},
        value_meaning="expected cumulative loss of n visits, nats",
        wrong=WrongVariant(
            mistake="the total n + Cb taken after instead of before each visit",
            right=_WRONG,
            evaluate=lambda n, C, b, label_noise, noisy_labels: (
                by_counts(n, C, b, label_noise, noisy_labels) + np.log1p(n / (C * b))
            ),
        ),
    ),
)
