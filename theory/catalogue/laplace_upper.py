r"""Three upper bounds on the excess risk of the Laplace table (:math:`b = 1`), each a consequence of the one before."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.letters import LABEL_LAW, LABELS_IID, VISITS, C, n
from theory.catalogue.two_level_law import Array, excess_risk, over_labels
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import by_summation, simplifies
from theory.theorems.checks.inequalities import by_monotonicity, by_sign, cited
from theory.theorems.checks.reductions import after, termwise, using, weights_sum_to_one
from theory.theorems.checks.sums import naming
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import ExpectedLog, binomial_mean
from theory.theorems.labels import mean_over_labels
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_k = sympy.Symbol("k", integer=True, nonnegative=True)
_x = sympy.Symbol("x", nonnegative=True)
_q = sympy.Symbol("q", positive=True)

PARAMETERS: Final = (VISITS, *LABEL_LAW)
# Probabilities below 1, written so that SymPy sees it.
_BELOW_ONE: Final = {PROBABILITY: 1 / (1 + _x)}

EXCESS: Final = mean_over_labels(lambda p: sympy.log(p * (n + C)) - ExpectedLog(n, p, sympy.Integer(1)))
_JENSEN: Final = mean_over_labels(lambda p: sympy.log(p * (n + C) * binomial_mean(lambda k: 1 / (k + 1), n, p)))
_SEEN: Final = mean_over_labels(lambda p: sympy.log((n + C) / (n + 1) * (1 - (1 - p) ** (n + 1))))
_MEAN: Final = mean_over_labels(lambda _: sympy.log((n + C) / (n + 1)))
_LOG: Final = sympy.log(1 + (C - 1) / (n + 1))
_LINEAR: Final = (C - 1) / (n + 1)

_INVERSE_COUNT: Final = Step(
    binomial_mean(lambda k: 1 / (k + 1), n, PROBABILITY),
    "=",
    (1 - (1 - PROBABILITY) ** (n + 1)) / ((n + 1) * PROBABILITY),
    "The mean of 1/(N + 1) is closed.",
    by_summation(PROBABILITY),
)
_TO_SEEN: Final = (
    Step(
        EXCESS,
        "<=",
        _JENSEN,
        "Jensen: minus the mean of a logarithm is at most the logarithm of the mean inverse.",
        termwise(cited("cover2006elements")),
    ),
    Step(_JENSEN, "=", _SEEN, "The mean of 1/(N + 1) is closed.", termwise(using(_INVERSE_COUNT, simplifies))),
)
_TO_LOG: Final = (
    *_TO_SEEN,
    Step(
        _SEEN,
        "<=",
        _MEAN,
        "A label is unseen with positive probability, which only helps.",
        termwise(after(sympy.exp, by_sign(_BELOW_ONE))),
    ),
    Step(_MEAN, "=", sympy.log((n + C) / (n + 1)), "A constant's mean is the constant.", weights_sum_to_one),
    Step(sympy.log((n + C) / (n + 1)), "=", _LOG, "The same fraction.", simplifies),
)
_TO_LINEAR: Final = (
    *_TO_LOG,
    Step(
        _LOG,
        "<=",
        _LINEAR,
        "log(1 + x) is at most x.",
        naming({_x: (C - 1) / (n + 1)}, by_monotonicity(_x, 0)),
    ),
)


def _excess(n: Array, C: Array, label_noise: Array, noisy_labels: Array) -> Array:
    return excess_risk(n, C, np.ones_like(C), label_noise, noisy_labels)


def seen(n: Array, C: Array, label_noise: Array, noisy_labels: Array) -> Array:
    r"""Bound that knows the label law: :math:`\sum_y y^*_y\log[\frac{n+C}{n+1}(1-(1-y^*_y)^{n+1})]`."""
    return over_labels(lambda p: _seen_term(n, C, p, n + 1), label_noise, noisy_labels)


def _seen_term(n: Array, C: Array, p: Array, draws: Array) -> Array:
    # 1 - (1-p)^draws without forming 1 - p, which is 1 for tiny p.
    log_missed = np.where(p < 1, draws * np.log1p(-np.minimum(p, 1 - 1e-16)), -np.inf)
    seen = np.maximum(-np.expm1(log_missed), 1e-300)
    return np.asarray(p * (np.log1p((C - 1) / (n + 1)) + np.log(seen)))


def _seen_in_one_draw_less(n: Array, C: Array, label_noise: Array, noisy_labels: Array) -> Array:
    return over_labels(lambda p: _seen_term(n, C, p, np.maximum(n, 1)), label_noise, noisy_labels)


def logarithm(n: Array, C: Array) -> Array:
    r"""Bound for every label law: :math:`\log(1 + \frac{C-1}{n+1})`."""
    return np.log1p((C - 1) / (n + 1))


def linear(n: Array, C: Array) -> Array:
    r"""Bound for every label law, as a fraction: :math:`\frac{C-1}{n+1}`."""
    return (C - 1) / (n + 1)


_PREMISES: Final = (LABELS_IID, "the table starts from the pseudo-count b = 1")

THEOREMS: Final = (
    Theorem(
        name="laplace_upper_seen",
        title="Laplace table: excess risk, by how likely each label was seen",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=_PREMISES,
        left=EXCESS,
        relation="<=",
        right=_SEEN,
        derivation=Derivation(lemmas=(_INVERSE_COUNT,), chain=_TO_SEEN),
        evaluate_left=_excess,
        evaluate_right=seen,
        value_meaning="excess risk R_n - H at most, nats",
        wrong=WrongVariant(
            mistake="the exponent max(n, 1) instead of n + 1",
            right=mean_over_labels(lambda p: sympy.log((n + C) / (n + 1) * (1 - (1 - p) ** sympy.Max(n, 1)))),
            evaluate=_seen_in_one_draw_less,
        ),
    ),
    Theorem(
        name="laplace_upper_log",
        title="Laplace table: excess risk, for every label law",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=_PREMISES,
        left=EXCESS,
        relation="<=",
        right=_LOG,
        derivation=Derivation(lemmas=(_INVERSE_COUNT,), chain=_TO_LOG),
        evaluate_left=_excess,
        evaluate_right=logarithm,
        value_meaning="excess risk R_n - H at most, nats",
        wrong=WrongVariant(
            mistake="n + 2 in the denominator",
            right=sympy.log(1 + (C - 1) / (n + 2)),
            evaluate=lambda n, C: np.log1p((C - 1) / (n + 2)),
        ),
    ),
    Theorem(
        name="laplace_upper_linear",
        title="Laplace table: excess risk, as a fraction",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=_PREMISES,
        left=EXCESS,
        relation="<=",
        right=_LINEAR,
        derivation=Derivation(lemmas=(_INVERSE_COUNT,), chain=_TO_LINEAR),
        evaluate_left=_excess,
        evaluate_right=linear,
        value_meaning="excess risk R_n - H at most, nats",
        wrong=WrongVariant(
            mistake="half the bound: (C - 1)/(2(n + 1)), true only of the leading term",
            right=(C - 1) / (2 * (n + 1)),
            evaluate=lambda n, C: (C - 1) / (2 * (n + 1)),
        ),
    ),
)
