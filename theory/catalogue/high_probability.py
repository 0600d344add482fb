r"""With high probability: how far the table's risk lies above the Bayes risk, by a slow and by a fast rate."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.excess_quantiles import excess_quantile
from theory.catalogue.label_counts import Array
from theory.catalogue.letters import LABEL_NOISE_LEVEL, LABELS_IID, NUM_CLASSES, PSEUDO_COUNT, C, b, label_noise, n
from theory.catalogue.no_hypercompression import DELTA, TWO_LABELS, delta
from theory.catalogue.pointwise import SOME_VISITS, vertex
from theory.catalogue.root_rate_steps import LEMMAS, ON_EVERY_SEQUENCE, STEPS, q
from theory.theorems.checks.algebra import Ranges
from theory.theorems.checks.inequalities import by_convexity, by_sampling, by_sign, cited
from theory.theorems.checks.outcomes import for_every_outcome
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant
from theory.theorems.two_labels import DistanceQuantile, DivergenceQuantile, ExcessQuantile

M = sympy.Symbol("M", integer=True, positive=True)
NUM_QUERIES: Final = Parameter(
    symbol=M, latex="M", meaning="queries that the statement covers at once", lowest=1, highest=1e9, default=1.0
)

_x = sympy.Symbol("x", nonnegative=True)
_s = sympy.Symbol("s", positive=True)
_root = sympy.Symbol("u", nonnegative=True)
_distance = sympy.Symbol("v", nonnegative=True)
_visits = sympy.Symbol("n", integer=True, positive=True)
_SAMPLED: Final[Ranges] = {n: (1, 30), C: (2, 9), M: (1, 5), b: (0, 3), label_noise: (0, 1), delta: (0, 1)}

_LEVEL: Final = delta / M
_LEFT: Final = ExcessQuantile(n, C, b, label_noise, _LEVEL)
_LOG: Final = sympy.log(M / delta)

_SMOOTHING: Final = 2 * sympy.log(1 + C * b / n)
_RANGE: Final = sympy.log(1 + n / b)
_BY_DISTANCE: Final = _SMOOTHING + DistanceQuantile(n, label_noise, _LEVEL) * _RANGE
_ROOT: Final = _SMOOTHING + (sympy.sqrt((C - 1) / n) + sympy.sqrt(2 * _LOG / n)) * _RANGE

# Square roots of probabilities: s that of p/g (or of p/q), u and v those of q and of the divergence.
_HELLINGER: Final = Step(
    -2 * sympy.log(_s),
    ">=",
    2 - 2 * _s,
    "Summed with weights q at s = sqrt(p/q): the relative entropy is at least sum of (sqrt p - sqrt q)^2.",
    by_convexity(_s, 1),
)
_FAST_LEMMAS: Final = (
    _HELLINGER,
    Step(
        (_root + _distance) ** 2,
        "<=",
        (_root**2 + b / _visits) * (1 + _visits * _distance**2 / b),
        "Cauchy-Schwarz: p/g is at most (1 + Cb/n)(1 + nD/b) where sqrt p is at most sqrt q + sqrt D.",
        by_sign(),
    ),
    Step(
        2 * _s**2 * sympy.log(_s) - _s**2 + 1,
        "<=",
        2 * (_s - 1) ** 2,
        "r log r - r + 1 is at most 2 (sqrt r - 1)^2 for r = s^2 up to 1.",
        by_convexity(_s, 1, {_s: 1 / (1 + _x)}),
    ),
    Step(
        2 * _s**2 * sympy.log(_s) - _s**2 + 1,
        "<=",
        (2 + 2 * sympy.log(_s)) * (_s - 1) ** 2,
        "r log r - r + 1 is at most (2 + log r) (sqrt r - 1)^2 for r = s^2 from 1.",
        by_convexity(_s, 1, {_s: 1 + _x}),
    ),
)


def _fast_form(divergence: sympy.Expr) -> sympy.Expr:
    ratio = (1 + C * b / n) * (1 + n * divergence / b)
    distance = sympy.sqrt(divergence) + sympy.sqrt(2 * (1 - sympy.sqrt(n / (n + C * b))))
    return (2 + sympy.log(ratio)) * distance**2


_KT_VERTEX: Final = (
    sympy.log(sympy.gamma(n + C / 2))
    - sympy.log(sympy.gamma(C / 2))
    - sympy.log(sympy.gamma(n + sympy.Rational(1, 2)))
    + sympy.log(sympy.pi) / 2
)
_BY_DIVERGENCE: Final = _fast_form(DivergenceQuantile(n, label_noise, _LEVEL))
_FAST: Final = _fast_form((_LOG + _KT_VERTEX) / n)
_WITHOUT_SMOOTHING: Final = (2 + sympy.log(1 + (_LOG + _KT_VERTEX) / b)) * (_LOG + _KT_VERTEX) / n


def _excess(n: Array, C: Array, b: Array, label_noise: Array, M: Array, delta: Array) -> Array:
    return excess_quantile(n, C, b, label_noise, delta / M)


def root_rate(n: Array, C: Array, b: Array, M: Array, delta: Array) -> Array:
    r"""The smoothing's :math:`2\log(1+Cb/n)`, and the bound on the distance times :math:`\log(1+n/b)`."""
    return np.asarray(2 * np.log1p(C * b / n) + _range_part(n, C, b, M, delta))


def _range_part(n: Array, C: Array, b: Array, M: Array, delta: Array) -> Array:
    distance = np.sqrt((C - 1) / n) + np.sqrt(2 * (np.log(M) - np.log(delta)) / n)
    return np.asarray(distance * np.log1p(n / b))


def fast_rate(n: Array, C: Array, b: Array, M: Array, delta: Array) -> Array:
    r""":math:`(2+\log\rho)\,(\sqrt D + \sqrt{2(1-\sqrt{n/(n+Cb)})})^2`, with :math:`nD` from no hypercompression."""
    # 1 - sqrt(n/(n + Cb)) without its cancellation.
    smoothing = -2 * np.expm1(-0.5 * np.log1p(C * b / n))
    nats = _information(n, C, M, delta)
    distance = np.sqrt(nats / n) + np.sqrt(smoothing)
    return np.asarray((2 + np.log1p(C * b / n) + np.log1p(nats / b)) * distance**2)


def _information(n: Array, C: Array, M: Array, delta: Array) -> Array:
    """What n times the divergence of the empirical law exceeds with probability delta/M at most."""
    return vertex(n, C, np.full_like(C, 0.5)) + np.log(M) - np.log(delta)


def _without_smoothing(n: Array, C: Array, b: Array, M: Array, delta: Array) -> Array:
    nats = _information(n, C, M, delta)
    return np.asarray((2 + np.log1p(nats / b)) * nats / n)


_PARAMETERS: Final = (SOME_VISITS, NUM_CLASSES, PSEUDO_COUNT, LABEL_NOISE_LEVEL, NUM_QUERIES, DELTA)
_PREMISES: Final = (LABELS_IID, TWO_LABELS, "for M queries with n visits each; the union bound joins them")
_MEANING: Final = "excess risk R(g) - H of all M queries, at most this with probability 1 - delta, nats"

THEOREMS: Final = (
    Theorem(
        name="high_probability_root",
        title="Dirichlet table: excess risk with high probability, at the root rate log(n)/sqrt(n)",
        family="in-weight",
        kind="high probability",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=_LEFT,
        relation="<=",
        right=_ROOT,
        derivation=Derivation(
            lemmas=(*LEMMAS, *STEPS, ON_EVERY_SEQUENCE),
            chain=(
                Step(
                    _LEFT,
                    "<=",
                    _BY_DISTANCE,
                    "It holds on every sequence, so for quantiles.",
                    for_every_outcome(q, ON_EVERY_SEQUENCE),
                ),
                Step(
                    _BY_DISTANCE,
                    "<=",
                    _ROOT,
                    "McDiarmid: one label moves the distance by 2/n; its mean is at most the root of (C - 1)/n.",
                    cited("mcdiarmid1989method", _SAMPLED),
                ),
            ),
        ),
        evaluate_left=_excess,
        evaluate_right=root_rate,
        hunted_up_to={"n": 100},
        left_name="exact_quantile",
        value_meaning=_MEANING,
        wrong=WrongVariant(
            mistake="the cost of the pseudo-counts, 2 log(1 + Cb/n), dropped",
            right=_ROOT - _SMOOTHING,
            evaluate=_range_part,
        ),
    ),
    Theorem(
        name="high_probability_fast",
        title="Dirichlet table: excess risk with high probability, at a fast rate, below log(n)^2/n",
        family="in-weight",
        kind="high probability",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=_LEFT,
        relation="<=",
        right=_FAST,
        derivation=Derivation(
            lemmas=_FAST_LEMMAS,
            chain=(
                Step(
                    _LEFT,
                    "<=",
                    _BY_DIVERGENCE,
                    "Relative entropy by Hellinger's distance and the largest ratio; its triangle inequality goes "
                    "through the empirical law, of which the table holds at least n/(n + Cb).",
                    by_sampling(_SAMPLED, points=200),
                ),
                Step(
                    _BY_DIVERGENCE,
                    "<=",
                    _FAST,
                    "No hypercompression for the KT table, with the pointwise bound on its loss: n times the "
                    "divergence of the empirical law is at most log(M/delta) plus the vertex form, at all n at once.",
                    cited("ville1939etude", _SAMPLED),
                ),
            ),
        ),
        evaluate_left=_excess,
        evaluate_right=fast_rate,
        hunted_up_to={"n": 100},
        left_name="exact_quantile",
        value_meaning=_MEANING,
        wrong=WrongVariant(
            mistake="the distance between the table and the empirical law dropped",
            right=_WITHOUT_SMOOTHING,
            evaluate=_without_smoothing,
        ),
    ),
)
