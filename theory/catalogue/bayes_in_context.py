r"""The best in-context predictor of all still pays above the entropy, whatever the length of its context.

The own label of the query's class is uniform over :math:`C` labels; each of :math:`m` context labels and the query's
is replaced, with probability :math:`\eta`, by one of the others. No predictor that knows no more than the context has
a lower risk than the Bayes rule, whose excess is bracketed here: it falls like the :math:`m`-th power of the
Bhattacharyya coefficient :math:`\rho_1` of two label laws, and reaches 0 at no finite :math:`m`, unless the labels
say nothing at all (:math:`\eta = (C-1)/C`). A table of labels in the weights does reach the entropy, so that in-context
learning must give way to it, softmax or not.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import sympy

from theory.catalogue.letters import NUM_CLASSES, C, label_noise
from theory.numerics.special import minus_product
from theory.theorems.bayes import Array, BayesExcess, bayes_excess
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_monotonicity, by_sampling, by_sign, cited
from theory.theorems.checks.reductions import in_every_case, over_weight, substituting
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

m = sympy.Symbol("m", integer=True, nonnegative=True)

NUM_LABELS: Final = Parameter(
    symbol=m, latex="m", meaning="labels of the query's class in the context", lowest=0, highest=1e6
)
NOISE: Final = Parameter(
    symbol=label_noise,
    latex=r"\eta",
    meaning="probability that a label is not the own one",
    lowest=0,
    highest=1,
    above=True,
    below=True,
)
PARAMETERS: Final = (NUM_LABELS, NUM_CLASSES, NOISE)
PREMISES: Final = (
    "the own label is uniform over C labels, and noise leads to each of the others alike",
    "labels are independent draws, in the context and of the query",
    "m examples are of the query's class, and the others say nothing about its label",
)
# The left side is enumerated: over the partitions of m.
HUNTED_UP_TO: Final = {"m": 8.0}

_OWN: Final = 1 - label_noise
_OTHER: Final = label_noise / (C - 1)
_REST: Final = (C - 2) * _OTHER
_CONTRAST: Final = 1 - label_noise - _OTHER
AFFINITY: Final = 2 * sympy.sqrt(_OWN * _OTHER) + _REST
_EXCESS: Final = BayesExcess(m, C, label_noise)

_i, _j = sympy.symbols("i j", integer=True, nonnegative=True)


def _choices() -> sympy.Expr:
    return sympy.binomial(m, _i) * sympy.binomial(m - _i, _j) * _REST ** (m - _i - _j)


def _over_counts(weight: sympy.Expr, value: sympy.Expr) -> sympy.Sum:
    """Sum over how often each label of the revealed pair was seen, of an expression in both counts."""
    inner = sympy.Sum(sympy.binomial(m - _i, _j) * weight * _REST ** (m - _i - _j) * value, (_j, 0, m - _i))
    return sympy.Sum(sympy.binomial(m, _i) * inner, (_i, 0, m))


_LIKELY: Final = _OWN**_i * _OTHER**_j
_EVEN: Final = sympy.sqrt(_OWN * _OTHER) ** (_i + _j)
# Posterior probability of the wrong one of the pair, and the divergence it costs.
_WRONG: Final = 1 / (1 + (_OWN / _OTHER) ** (_i - _j))
_DIVERGENCE: Final = _OWN * sympy.log(_OWN / (_OWN - _CONTRAST * _WRONG)) + _OTHER * sympy.log(
    _OTHER / (_OTHER + _CONTRAST * _WRONG)
)
_GENIE: Final = _over_counts(_LIKELY, _DIVERGENCE)
_PINSKER: Final = _over_counts(_LIKELY, 2 * _CONTRAST**2 * _WRONG**2)
_DOUBT: Final = _CONTRAST**2 * _over_counts(_LIKELY, _WRONG)
_SQUARED: Final = _CONTRAST**2 / 2 * _over_counts(_EVEN, sympy.Integer(1)) ** 2
_FLOOR: Final = _CONTRAST**2 / 2 * AFFINITY ** (2 * m)

_f = sympy.Symbol("f", positive=True)
_g = sympy.Symbol("g", positive=True)
_s = sympy.Symbol("s", positive=True)
_x = sympy.Symbol("x", nonnegative=True)
_PAIRED: Final = Step(
    _f * _g**2 / (_f + _g) ** 2 + _g * _f**2 / (_f + _g) ** 2,
    "=",
    _f * _g / (_f + _g),
    "A sequence and the one with the two labels exchanged, of likelihoods f and g: together their squared doubts are "
    "one doubt.",
    simplifies,
)
_CAUCHY: Final = Step(
    _f**2 * _g**2 / (_f**2 + _g**2),
    ">=",
    _s * _f * _g - _s**2 * (_f**2 + _g**2) / 4,
    "Cauchy-Schwarz for likelihoods f^2 and g^2: summed over all sequences, with s the sum of f g.",
    by_sign(),
)
_SMALLER: Final = Step(
    _f * (_f + _x) / (2 * _f + _x),
    ">=",
    _f / 2,
    "f g/(f + g) is at least half the smaller one of f and g = f + x.",
    by_sign(),
)
_ROOT: Final = Step(
    sympy.log(1 + _x**2), "<=", _x, "log(1 + x) is at most the square root of x.", by_monotonicity(_x, 0)
)

# Each term depends on y = sqrt(g/f) only; u is the same for one label, the noisy one, and theta its logarithm.
_theta = sympy.Symbol("theta", real=True)
_c = sympy.Symbol("c", integer=True, nonnegative=True)
_u, _y = sympy.symbols("u y", positive=True)
_WEIGHT: Final = _choices() * _LIKELY
_BY_RATIO: Final = (
    {C: 2 + _c, label_noise: (1 + _c) / (1 + _c + _u**2)},
    {_u: sympy.exp(_theta)},
    {_i: _j - sympy.log(_y) / _theta},
)
_RANGES: Final = {m: (0, 4), C: (2, 5), label_noise: (0, 1)}
_TO_DOUBT: Final = (
    Step(
        _EXCESS,
        ">=",
        _GENIE,
        "A genie reveals the own label and another one, unordered: who knows more pays no more.",
        cited("cover2006elements", _RANGES),
    ),
    Step(
        _GENIE,
        ">=",
        _PINSKER,
        "Pinsker: the divergence is at least twice the squared distance in total variation.",
        cited("cover2006elements", _RANGES),
    ),
    Step(
        _PINSKER,
        "=",
        _DOUBT,
        "Exchanging the two labels: the mean squared doubt is half the mean doubt.",
        to_fifty_digits(_RANGES),
    ),
)
_TO_FLOOR: Final = (
    *_TO_DOUBT,
    Step(
        _DOUBT,
        ">=",
        _SQUARED,
        "Cauchy-Schwarz: (sum of sqrt(f g))^2 is at most 2 times the sum of f g/(f + g).",
        cited("hardy1952inequalities", _RANGES),
    ),
    Step(
        _SQUARED,
        "=",
        _FLOOR,
        "The multinomial theorem: the coefficient of m labels is the m-th power of that of one.",
        to_fifty_digits(_RANGES),
    ),
)

# The exact rate. The logarithm of the likelihood ratio is a symmetric random walk under the law of sqrt(f g).
_SPREAD: Final = sympy.Abs(sympy.log(_OWN / _OTHER)) / 2
_VARIANCE: Final = m * 2 * sympy.sqrt(_OWN * _OTHER) / AFFINITY
_LESSER: Final = _CONTRAST**2 / 2 * _over_counts(_EVEN, sympy.exp(-_SPREAD * sympy.Abs(_i - _j)))
_MEAN_STEP: Final = _over_counts(_EVEN, sympy.Abs(_i - _j)) / AFFINITY**m
_MEAN_SQUARE: Final = _over_counts(_EVEN, (_i - _j) ** 2) / AFFINITY**m
_JENSEN: Final = _CONTRAST**2 / 2 * AFFINITY**m * sympy.exp(-_SPREAD * _MEAN_STEP)
_DEVIATION: Final = _CONTRAST**2 / 2 * AFFINITY**m * sympy.exp(-_SPREAD * sympy.sqrt(_MEAN_SQUARE))
_RATE: Final = _CONTRAST**2 / 2 * AFFINITY**m * sympy.exp(-_SPREAD * sympy.sqrt(_VARIANCE))
_TO_RATE: Final = (
    *_TO_DOUBT,
    Step(
        _DOUBT,
        ">=",
        _LESSER,
        "f g/(f + g) is at least half the smaller one, sqrt(f g) exp(-|log f/g|/2), for every pair of counts.",
        over_weight(
            _CONTRAST**2 * _WEIGHT,
            _BY_RATIO,
            _y,
            in_every_case(
                substituting({_y: sympy.exp(_x)}, by_monotonicity(_x, 0)),
                substituting({_y: sympy.exp(-_x)}, substituting({_x: sympy.log(1 + _x)}, by_sign())),
            ),
        ),
    ),
    Step(
        _LESSER,
        ">=",
        _JENSEN,
        "Jensen, under the law that is proportional to sqrt(f g).",
        cited("cover2006elements", _RANGES),
    ),
    Step(
        _JENSEN,
        ">=",
        _DEVIATION,
        "Jensen: a mean distance is at most the root of the mean square.",
        cited("cover2006elements", _RANGES),
    ),
    Step(
        _DEVIATION,
        "=",
        _RATE,
        "The steps of the walk are independent, even, and rarely zero: their variances add.",
        to_fifty_digits(_RANGES),
    ),
)

_PAIRWISE: Final = (C - 1) * _over_counts(_LIKELY, sympy.log(1 + (_OTHER / _OWN) ** (_i - _j)))
_ROOTS: Final = (C - 1) * _over_counts(_EVEN, sympy.Integer(1))
_CEILING: Final = (C - 1) * AFFINITY**m
_TO_CEILING: Final = (
    Step(
        _EXCESS,
        "<=",
        _PAIRWISE,
        "The divergence from a law of weight w in a mixture is at most log(1/w), and log(1 + x + y) is at most "
        "log(1 + x) + log(1 + y): pair by pair.",
        by_sampling(_RANGES, points=60),
    ),
    Step(
        _PAIRWISE,
        "<=",
        _ROOTS,
        "log(1 + g/f) is at most sqrt(g/f), for every pair of counts.",
        over_weight((C - 1) * _WEIGHT, _BY_RATIO, _y, by_monotonicity(_y, 0)),
    ),
    Step(_ROOTS, "=", _CEILING, "The multinomial theorem.", to_fifty_digits(_RANGES)),
)


def affinity(C: Array, label_noise: Array) -> Array:
    r"""Bhattacharyya coefficient of two label laws, :math:`\rho_1 = 2\sqrt{(1-\eta)\eta'} + (C-2)\eta'`."""
    return np.asarray(np.exp(_log_affinity(C, label_noise)))


def _log_affinity(C: Array, label_noise: Array) -> Array:
    r""":math:`\log[1 - (\sqrt{1-\eta} - \sqrt{\eta'})^2]`, accurate where the coefficient is nearly 1."""
    other = label_noise / (C - 1)
    difference = _contrast(C, label_noise) / (np.sqrt(1 - label_noise) + np.sqrt(other))
    direct = 2 * np.sqrt((1 - label_noise) * other) + (C - 2) * other
    near = difference**2 < 0.5
    return np.where(near, np.log1p(-np.where(near, difference**2, 0.0)), np.log(direct))


def _contrast(C: Array, label_noise: Array) -> Array:
    r"""Distance of two label laws in total variation, with a sign: :math:`1 - \eta - \eta'`."""
    return minus_product(C - 1, C, label_noise) / (C - 1)


def floor(m: Array, C: Array, label_noise: Array) -> Array:
    r"""Least excess risk, :math:`\frac12(1-\eta-\eta')^2\rho_1^{2m}`."""
    return np.asarray(_contrast(C, label_noise) ** 2 / 2 * np.exp(2 * m * _log_affinity(C, label_noise)))


def rate(m: Array, C: Array, label_noise: Array) -> Array:
    r"""Least excess risk, with the exact exponential rate: :math:`\frac12(1-\eta-\eta')^2\rho_1^m e^{-\sigma\sqrt m}`.

    Here :math:`\sigma = \frac12|\log\frac{1-\eta}{\eta'}|\sqrt{2\sqrt{(1-\eta)\eta'}/\rho_1}`.
    """
    other = label_noise / (C - 1)
    spread = np.abs(np.log1p(-label_noise) - np.log(other)) / 2
    log_affinity = _log_affinity(C, label_noise)
    moving = 2 * np.sqrt((1 - label_noise) * other) / np.exp(log_affinity)
    exponent = m * log_affinity - spread * np.sqrt(m * moving)
    return np.asarray(_contrast(C, label_noise) ** 2 / 2 * np.exp(exponent))


def ceiling(m: Array, C: Array, label_noise: Array) -> Array:
    r"""Greatest excess risk of the Bayes rule, :math:`(C-1)\rho_1^m`."""
    return np.asarray((C - 1) * np.exp(m * _log_affinity(C, label_noise)))


_SHARED: Final[dict[str, Any]] = {
    "family": "in-context",
    "source": DERIVED_HERE,
    "parameters": PARAMETERS,
    "premises": PREMISES,
    "left": _EXCESS,
    "evaluate_left": bayes_excess,
    "hunted_up_to": HUNTED_UP_TO,
}

THEOREMS: Final = (
    Theorem(
        name="bayes_in_context_floor",
        title="Every in-context predictor from m noisy labels: excess risk at least, even of the Bayes rule",
        kind="lower",
        relation=">=",
        right=_FLOOR,
        derivation=Derivation(lemmas=(_PAIRED, _CAUCHY), chain=_TO_FLOOR),
        evaluate_right=floor,
        value_meaning="excess risk of every in-context predictor over H at least, nats",
        wrong=WrongVariant(
            mistake="twice the bound",
            right=2 * _FLOOR,
            evaluate=lambda m, C, label_noise: 2 * floor(m, C, label_noise),
        ),
        **_SHARED,
    ),
    Theorem(
        name="bayes_in_context_rate",
        title="Every in-context predictor from m noisy labels: excess risk at least, at its exact exponential rate",
        kind="lower",
        relation=">=",
        right=_RATE,
        derivation=Derivation(lemmas=(_PAIRED, _SMALLER), chain=_TO_RATE),
        evaluate_right=rate,
        value_meaning="excess risk of every in-context predictor over H at least, nats",
        wrong=WrongVariant(
            mistake="without the spread of the likelihood ratio",
            right=_CONTRAST**2 / 2 * AFFINITY**m,
            evaluate=lambda m, C, label_noise: _contrast(C, label_noise) ** 2 / 2 * affinity(C, label_noise) ** m,
        ),
        **_SHARED,
    ),
    Theorem(
        name="bayes_in_context_ceiling",
        title="The Bayes rule in context: excess risk at most, at its exact exponential rate in the context's length",
        kind="upper",
        relation="<=",
        right=_CEILING,
        derivation=Derivation(lemmas=(_ROOT,), chain=_TO_CEILING),
        evaluate_right=ceiling,
        value_meaning="excess risk of the best in-context predictor over H at most, nats",
        wrong=WrongVariant(
            mistake="the squared coefficient: (C - 1) rho_1^(2m)",
            right=(C - 1) * AFFINITY ** (2 * m),
            evaluate=lambda m, C, label_noise: (C - 1) * affinity(C, label_noise) ** (2 * m),
        ),
        **_SHARED,
    ),
)
