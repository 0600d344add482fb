r"""The gap :math:`\Delta = r_h - H` that decides how long in-context learning stays: leading orders in the parameters.

A relevant context holds :math:`m` relevant and :math:`k` irrelevant examples, which weigh :math:`1/\rho` of a relevant
one; :math:`\varepsilon` is the floor. The boundary is :math:`\frac a\Delta` times a logarithm, so that its leading
order is that of :math:`a/\Delta`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.catalogue.letters import C, b, label_noise, n
from theory.numerics.special import log_rising_residue
from theory.theorems.checks.algebra import Ranges
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.reductions import evaluated
from theory.theorems.checks.sequences import within
from theory.theorems.derivation import Derivation, Step
from theory.theorems.expectations import binomial_mean
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

Array = NDArray[np.float64]

floor = sympy.Symbol("floor", positive=True)
odds = sympy.Symbol("odds", positive=True)
m = sympy.Symbol("m", integer=True, positive=True)
k = sympy.Symbol("k", integer=True, positive=True)

_HALF: Final = sympy.Rational(1, 2)
_CLASSES: Final = Parameter(symbol=C, latex="C", meaning="number of labels", lowest=2, highest=1e6)
_FLOOR: Final = Parameter(
    symbol=floor, latex=r"\varepsilon", meaning="floor of the in-context predictor", lowest=1e-12, highest=1 / (4 * C)
)

# No label is noisy.

_CLEAN: Final = (
    _CLASSES,
    _FLOOR,
    Parameter(symbol=m, latex="m", meaning="relevant examples", lowest=1, highest=10_000),
    Parameter(symbol=k, latex="k", meaning="irrelevant examples", lowest=1, highest=10_000),
    Parameter(
        symbol=odds, latex=r"\rho", meaning="weight of a relevant example over an irrelevant one's",
        lowest=sympy.Max(1, 4 * k / m), highest=1e12,
    ),
)  # fmt: skip
_CLEAN_RANGES: Final[Ranges] = {C: (2, 9), floor: (0.0001, 0.001), m: (1, 5), k: (1, 5), odds: (100, 1000)}
_mass: Final = odds * m / (odds * m + k)
CLEAN_GAP: Final = -sympy.log((1 - C * floor) * _mass + floor)
_missing: Final = k / (odds * m + k) + (C - 1) * floor - C * floor * k / (odds * m + k)
_CLEAN_MIDDLE: Final = -sympy.log(1 - _missing)
CLEAN_LAW: Final = (C - 1) * floor + k / (m * odds)
_CLEAN_REMAINDER: Final = CLEAN_LAW**2


def clean_gap(C: Array, floor: Array, m: Array, k: Array, odds: Array) -> Array:
    r""":math:`-\log[(1-C\varepsilon)\frac{\rho m}{\rho m+k} + \varepsilon]`."""
    lost = k / (odds * m + k)
    return np.asarray(-np.log1p(-(lost * (1 - C * floor) + (C - 1) * floor)))


def clean_law(C: Array, floor: Array, m: Array, k: Array, odds: Array) -> Array:
    r""":math:`(C-1)\varepsilon + \frac{k}{m\rho}`."""
    return np.asarray((C - 1) * floor + k / (m * odds))


# Cyclic label noise, all examples relevant.

_NOISY: Final = (
    _CLASSES,
    _FLOOR,
    Parameter(symbol=m, latex="m", meaning="relevant examples, which are all there are", lowest=1, highest=50),
    Parameter(
        symbol=label_noise, latex=r"\eta", meaning="probability that a label is the next class's",
        lowest=1e-6, highest=0.5,
    ),
)  # fmt: skip
_NOISY_RANGES: Final[Ranges] = {C: (3, 9), floor: (0.0001, 0.01), m: (1, 5), label_noise: (0.001, 0.01)}


def _loss(share: sympy.Expr) -> sympy.Expr:
    return -sympy.log((1 - C * floor) * share + floor)


_entropy: Final = -(1 - label_noise) * sympy.log(1 - label_noise) - label_noise * sympy.log(label_noise)
NOISY_GAP: Final = (
    (1 - label_noise) * binomial_mean(lambda j: _loss(j / m), m, 1 - label_noise)
    + label_noise * binomial_mean(lambda j: _loss(j / m), m, label_noise)
    - _entropy
)
_slope: Final = m * (_loss(1 - 1 / m) - _loss(sympy.Integer(1))) + _loss(sympy.Integer(0)) - _loss(sympy.Integer(1))
NOISY_LAW: Final = _loss(sympy.Integer(1)) + label_noise * (_slope - 1 + sympy.log(label_noise))
_NOISY_REMAINDER: Final = label_noise**2 * ((m**2 + m) * _loss(sympy.Integer(0)) + 1)
_eta = sympy.Symbol("eta", positive=True)
_ENTROPY: Final = Step(
    sympy.Subs(sympy.diff(-(1 - _eta) * sympy.log(1 - _eta), _eta), _eta, 0),
    "=",
    sympy.Integer(1),
    "Slope at no noise of the own label's part of the entropy; the noisy one's part is eta log(1/eta).",
    evaluated(simplifies),
)


def _floored(share: Array, C: Array, floor: Array) -> Array:
    return np.asarray(-np.log((1 - C * floor) * share + floor))


def _perfect(C: Array, floor: Array) -> Array:
    return np.asarray(-np.log1p(-(C - 1) * floor))


def noisy_gap(C: Array, floor: Array, m: Array, label_noise: Array) -> Array:
    """Risk of copying from noisy examples minus the entropy, count by count."""
    from scipy.special import entr

    from theory.numerics.special import binomial_log_probability

    total = np.zeros(())
    for j in range(int(np.max(m)) + 1):
        possible = j <= m
        count = np.minimum(float(j), m)
        loss = np.where(count == m, _perfect(C, floor), _floored(count / m, C, floor))
        # Log-probabilities of counts of noisy labels, so that a small noise keeps its digits.
        own = np.exp(binomial_log_probability(m - count, m, label_noise))
        noisy = np.exp(binomial_log_probability(count, m, label_noise))
        total = total + np.where(possible, loss * ((1 - label_noise) * own + label_noise * noisy), 0.0)
    return np.asarray(total + (1 - label_noise) * np.log1p(-label_noise) - entr(label_noise))


def noisy_law(C: Array, floor: Array, m: Array, label_noise: Array) -> Array:
    r""":math:`\Delta_0 + \eta\,(c_m - 1 - \log\frac1\eta)`."""
    perfect, nothing = _perfect(C, floor), _floored(np.zeros(()), C, floor)
    one_less = _floored(1 - 1 / m, C, floor)
    slope = m * (one_less - perfect) + nothing - perfect
    return np.asarray(perfect + label_noise * (slope - 1 + np.log(label_noise)))


def _noisy_without_entropy(C: Array, floor: Array, m: Array, label_noise: Array) -> Array:
    return np.asarray(noisy_law(C, floor, m, label_noise) + label_noise * (1 - np.log(label_noise)))


# Many labels: the table's loss where visits are as many as labels.

_MANY: Final = (
    _CLASSES,
    Parameter(symbol=b, latex="b", meaning="pseudo-count of the table (1: Laplace, 1/2: KT)", lowest=0.01, highest=30),
    Parameter(symbol=n, latex="n", meaning="visits of the query", lowest=1, highest=1e7),
)
_MANY_RANGES: Final[Ranges] = {C: (50, 200), b: (0.2, 2), n: (10, 300)}
_B: Final = C * b
MANY_LOSS: Final = sympy.loggamma(n + _B) - sympy.loggamma(_B) - sympy.loggamma(n + b) + sympy.loggamma(b)
MANY_LAW: Final = (n + _B) * sympy.log(n + _B) - _B * sympy.log(_B) - n * sympy.log(n)
_MANY_REMAINDER: Final = (
    sympy.log(1 + n / _B) / 2
    + sympy.Abs(b - _HALF) * sympy.log(n)
    + b / (2 * n)
    + b**2 / n
    + sympy.Abs(sympy.loggamma(b) - sympy.log(2 * sympy.pi) / 2)
    + 1 / (6 * _B)
    + 1 / (6 * n)
)
_nu = sympy.Symbol("nu", positive=True)
_total = sympy.Symbol("B", positive=True)
_SCALE: Final = Step(
    ((_nu * _total + _total) * sympy.log(_nu * _total + _total) - _total * sympy.log(_total))
    - _nu * _total * sympy.log(_nu * _total),
    "=",
    _total * ((1 + _nu) * sympy.log(1 + _nu) - _nu * sympy.log(_nu)),
    "With n = nu C b visits it is C b times a function of nu: at a fixed gap the boundary grows like C, without a "
    "logarithm.",
    simplifies,
)


def many_loss(C: Array, b: Array, n: Array) -> Array:
    """The noiseless table's cumulative loss, without a difference of large terms."""
    slow = log_rising_residue(C * b, n) - log_rising_residue(b, n)
    return np.asarray(n * np.log1p((C - 1) * b / (n + b)) + slow)


def many_law(C: Array, b: Array, n: Array) -> Array:
    r""":math:`n\log(1 + \frac Bn) + B\log(1 + \frac nB)` with :math:`B = Cb`."""
    total = C * b
    return np.asarray(n * np.log1p(total / n) + total * np.log1p(n / total))


def _many_remainder(C: Array, b: Array, n: Array) -> Array:
    from scipy.special import gammaln

    total = C * b
    fixed = np.abs(gammaln(b) - np.log(2 * np.pi) / 2) + 1 / (6 * total) + 1 / (6 * n)
    return np.asarray(np.log1p(n / total) / 2 + np.abs(b - 0.5) * np.log(n) + b / (2 * n) + b * b / n + fixed)


_NATS: Final = "nats"
THEOREMS: Final = (
    Theorem(
        name="gap_noiseless",
        title="Gap between the risks without label noise: the floor's part and the irrelevant examples'",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=_CLEAN,
        premises=("no label is noisy", "every context is relevant", "floor and irrelevant mass go to 0"),
        left=CLEAN_GAP,
        relation="~",
        right=CLEAN_LAW,
        derivation=Derivation(
            chain=(
                Step(
                    CLEAN_GAP, "=", _CLEAN_MIDDLE, "What is missing to 1 in the probability of the label.", simplifies
                ),
                Step(
                    _CLEAN_MIDDLE,
                    "~",
                    CLEAN_LAW,
                    "With y the right side and x what is missing: y - y^2 <= x <= y and x <= -log(1 - x) <= x + x^2 "
                    "for x <= 1/2.",
                    within(_CLEAN_REMAINDER, _CLEAN_RANGES),
                ),
            ),
        ),
        evaluate_left=clean_gap,
        evaluate_right=clean_law,
        remainder=lambda C, floor, m, k, odds: clean_law(C, floor, m, k, odds) ** 2,
        value_meaning=_NATS,
        wrong=WrongVariant(
            mistake="the floor counted once, not for each of the other labels",
            right=floor + k / (m * odds),
            evaluate=lambda floor, m, k, odds: floor + k / (m * odds),
        ),
    ),
    Theorem(
        name="gap_label_noise",
        title="Gap between the risks as cyclic label noise goes to 0, all examples relevant",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=_NOISY,
        premises=(
            "labels of query and context are the next class's with the same probability",
            "label_noise goes to 0",
        ),
        left=NOISY_GAP,
        relation="~",
        right=NOISY_LAW,
        derivation=Derivation(
            lemmas=(_ENTROPY,),
            chain=(
                Step(
                    NOISY_GAP,
                    "~",
                    NOISY_LAW,
                    "To first order one label is noisy: one of the context's, which copies lose, or the query's, which "
                    "they miss; the entropy falls by more, eta log(1/eta). Next order: second differences of the loss.",
                    within(_NOISY_REMAINDER, _NOISY_RANGES),
                ),
            ),
        ),
        evaluate_left=noisy_gap,
        evaluate_right=noisy_law,
        remainder=lambda floor, m, label_noise: label_noise**2 * ((m * m + m) * -np.log(floor) + 1),
        value_meaning=_NATS,
        wrong=WrongVariant(
            mistake="the entropy of the labels forgotten",
            right=NOISY_LAW + label_noise * (1 - sympy.log(label_noise)),
            evaluate=_noisy_without_entropy,
        ),
    ),
    Theorem(
        name="cumulative_loss_many_labels",
        title="Dirichlet table without label noise: cumulative loss where visits are as many as labels",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=_MANY,
        premises=("no label is noisy", "C b and n grow together"),
        left=MANY_LOSS,
        relation="~",
        right=MANY_LAW,
        derivation=Derivation(
            lemmas=(_SCALE,),
            chain=(
                Step(
                    MANY_LOSS,
                    "~",
                    MANY_LAW,
                    "Stirling's formula for all four; what is left grows like logarithms only.",
                    within(_MANY_REMAINDER, _MANY_RANGES),
                ),
            ),
        ),
        evaluate_left=many_loss,
        evaluate_right=many_law,
        remainder=_many_remainder,
        value_meaning=_NATS,
        wrong=WrongVariant(
            mistake="the weight C b times the logarithm of the visits, as if they were many for each label",
            right=_B * sympy.log(n),
            evaluate=lambda C, b, n: C * b * np.log(n),
        ),
    ),
)
