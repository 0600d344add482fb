r"""Bounds on the excess risk of the in-weight table for every pseudo-count: Jensen's inequality, either way."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.count_lemmas import GENERATING, INVERSE, MEAN, MEAN_INVERSE
from theory.catalogue.in_weight_risk import EXCESS, MISMATCH, PARAMETERS
from theory.catalogue.letters import LABELS_IID, C, b, n
from theory.catalogue.two_level_law import Array, excess_risk, mismatch, over_labels_and_rest
from theory.numerics.excess import inverse_surplus
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import cited
from theory.theorems.checks.reductions import termwise, using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import binomial_mean
from theory.theorems.integrals import MeanInverse
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_JENSEN_BELOW: Final = mean_over_labels(
    lambda p: sympy.log(p * (n + C * b)) - sympy.log(binomial_mean(lambda k: k, n, p) + b)
)
_TO_LOWER: Final = (
    Step(
        EXCESS,
        ">=",
        _JENSEN_BELOW,
        "Jensen: the mean of a logarithm is at most the logarithm of the mean.",
        termwise(cited("cover2006elements")),
    ),
    Step(_JENSEN_BELOW, "=", MISMATCH, "The mean count is n p.", termwise(using(MEAN, simplifies))),
)

_JENSEN_ABOVE: Final = mean_over_labels(
    lambda p: sympy.log(p * (n + C * b) * binomial_mean(lambda k: 1 / (k + b), n, p))
)
_UPPER: Final = mean_over_labels(lambda p: sympy.log(p * (n + C * b) * MeanInverse(n, p, b)))
_TO_UPPER: Final = (
    Step(
        EXCESS,
        "<=",
        _JENSEN_ABOVE,
        "Jensen: minus the mean of a logarithm is at most the logarithm of the mean inverse.",
        termwise(cited("cover2006elements")),
    ),
    Step(_JENSEN_ABOVE, "=", _UPPER, "The mean inverse is an integral.", termwise(using(MEAN_INVERSE, simplifies))),
)


def upper(n: Array, C: Array, b: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r""":math:`\sum_y p_y\log[p_y(n+Cb)\,E\frac{1}{N_y+b}]` as a sum of positive terms, at any number of visits.

    The mean table's divergence, and for each label by how much noise in its count raises the mean inverse.
    """

    def term(p: Array, rest: Array) -> Array:
        return np.asarray(p * np.log1p((n * p + b) * inverse_surplus(n, p, b, rest)))

    return mismatch(n, C, b, label_noise, noisy_labels) + over_labels_and_rest(term, label_noise, noisy_labels)


THEOREMS: Final = (
    Theorem(
        name="pseudo_count_upper",
        title="Dirichlet table with any pseudo-count: excess risk at most",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID,),
        left=EXCESS,
        relation="<=",
        right=_UPPER,
        derivation=Derivation(lemmas=(INVERSE, GENERATING, MEAN_INVERSE), chain=_TO_UPPER),
        evaluate_left=excess_risk,
        evaluate_right=upper,
        value_meaning="excess risk R_n - H at most, nats",
        wrong=WrongVariant(
            mistake="the inverse of the mean count instead of the mean inverse",
            right=MISMATCH,
            evaluate=mismatch,
        ),
    ),
    Theorem(
        name="in_weight_lower",
        title="Dirichlet table with any pseudo-count: excess risk at least that of the mean table",
        family="in-weight",
        kind="lower",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(LABELS_IID,),
        left=EXCESS,
        relation=">=",
        right=MISMATCH,
        derivation=Derivation(lemmas=(MEAN,), chain=_TO_LOWER),
        evaluate_left=excess_risk,
        evaluate_right=mismatch,
        value_meaning="excess risk R_n - H at least, nats",
        wrong=WrongVariant(
            mistake="the mean inverse count instead of the inverse of the mean count",
            right=_UPPER,
            evaluate=upper,
        ),
    ),
)
