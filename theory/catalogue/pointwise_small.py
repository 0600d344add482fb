r"""What the table loses above the empirical entropy on every sequence, for pseudo-counts below one half.

The worst sequence is no longer that of a single label: a new label is dear. Beside what :math:`b = \tfrac12` loses each
label costs :math:`D(N) = \log\frac{(1/2)_N}{(b)_N}`, which is concave in its visits, so that equal counts are the
worst of it. The bound grows like :math:`[(C-s)b + \tfrac{s-1}{2}]\log n` for :math:`s` labels that occur, which is the
weight of the logarithm in the expected loss itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.label_counts import Array, counts_redundancy, redundancy
from theory.catalogue.letters import NUM_CLASSES, NUM_NOISY_LABELS, C, b, n, noisy_labels
from theory.catalogue.pointwise import ABOVE_ENTROPY, ANY_SEQUENCE, CURVATURE, SOME_VISITS, TO_INVERSE, rise
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign, cited
from theory.theorems.checks.reductions import (
    adding,
    as_one_sum,
    follows_from,
    instance_of,
    termwise,
    weights_sum_to_one,
)
from theory.theorems.checks.sequences import below_chord, by_series
from theory.theorems.checks.sums import each_term
from theory.theorems.derivation import Derivation, Step
from theory.theorems.labels import LABEL_NOISE, mean_over_labels
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_HALF: Final = sympy.Rational(1, 2)
_k = sympy.Symbol("k", integer=True, nonnegative=True)
_x = sympy.Symbol("x", positive=True)
_c = sympy.Symbol("c", nonnegative=True)

BELOW_HALF: Final = Parameter(
    symbol=b, latex="b", meaning="pseudo-count of the table", lowest=1e-6, highest=0.5, corners=(0.1, 0.01)
)
BOTH_LABELS: Final = Parameter(
    symbol=LABEL_NOISE,
    latex=r"\eta",
    meaning="share of the visits that showed a label other than the own one",
    lowest=0,
    highest=1,
    above=True,
    below=True,
)

_START: Final = rise(n, C * b)
_SUPPORT: Final = noisy_labels + 1


def _dearer(count: sympy.Expr) -> sympy.Expr:
    r""":math:`D(N)`: what a label's visits cost more than with :math:`b = \tfrac12`."""
    return rise(count, _HALF) - rise(count, b)


_EXCESS: Final = mean_over_labels(lambda p: _START + n * sympy.log(p) - rise(n * p, b) / p)
_AT_HALF: Final = mean_over_labels(lambda p: _START + n * sympy.log(p) - rise(n * p, _HALF) / p)
_DEARER: Final = mean_over_labels(lambda p: _dearer(n * p) / p)
_ONE_LABEL: Final = mean_over_labels(lambda _: _START - rise(n, _HALF))
_VERTEX: Final = _START - rise(n, _HALF)
_EQUAL: Final = _SUPPORT * _dearer(n / _SUPPORT)

_CURVED: Final = Step(
    CURVATURE.left.subs(b, _HALF),
    "<=",
    CURVATURE.right,
    "x log x - log Gamma(x + 1/2) is convex.",
    instance_of(CURVATURE, {b: _HALF}),
)
_SERIES_HALF: Final = sympy.Sum(1 / (_k + _x + _HALF) ** 2, (_k, 0, sympy.oo))
_SERIES: Final = sympy.Sum(1 / (_k + _x + b) ** 2, (_k, 0, sympy.oo))
_TO_CONCAVE: Final = (
    Step(sympy.polygamma(1, _x + _HALF), "=", _SERIES_HALF, "Series of the trigamma function.", by_series),
    Step(
        _SERIES_HALF,
        "<=",
        _SERIES,
        "Each term, for b <= 1/2.",
        each_term(by_sign({b: _HALF / (1 + _c)})),
    ),
    Step(_SERIES, "=", sympy.polygamma(1, _x + b), "Series of the trigamma function.", by_series),
)
_CONCAVE: Final = Step(
    sympy.polygamma(1, _x + _HALF),
    "<=",
    sympy.polygamma(1, _x + b),
    "D is concave: its second derivative is the difference of these.",
    follows_from(*_TO_CONCAVE),
)

_CHAIN: Final = (
    Step(_EXCESS, "=", _AT_HALF + _DEARER, "What b = 1/2 loses, and the rest.", as_one_sum(termwise(simplifies))),
    Step(
        _AT_HALF + _DEARER,
        "<=",
        _ONE_LABEL + _DEARER,
        "A convex function that is 0 at 0 lies below its chord from 0 to n visits.",
        adding(_DEARER, termwise(below_chord(PROBABILITY, _x, n * PROBABILITY, _CURVED, {n: 1 + _k}))),
    ),
    Step(
        _ONE_LABEL + _DEARER,
        "=",
        _VERTEX + _DEARER,
        "The shares of the labels sum to 1.",
        adding(_DEARER, weights_sum_to_one),
    ),
    Step(
        _VERTEX + _DEARER,
        "<=",
        _VERTEX + _EQUAL,
        "Jensen: D is concave, and its mean over the labels that occur is at most D of their mean count.",
        adding(_VERTEX, cited("cover2006elements", {b: (0, 0.5)})),
    ),
)


def _bound(n: Array, C: Array, b: Array, noisy_labels: Array) -> Array:
    # With equal counts the loss itself, and by how much one label loses more than equal counts do at b = 1/2.
    support = noisy_labels + 1
    share = n / support
    surplus = n * (C - support) / support
    half = np.full(np.broadcast(n, C).shape, 0.5)
    one = counts_redundancy(n, C, half, [(1.0, n, n * (C - 1))])
    equal = counts_redundancy(n, C, half, [(support, share, surplus)])
    return counts_redundancy(n, C, b, [(support, share, surplus)]) + (one - equal)


def _single_label(n: Array, C: Array, b: Array) -> Array:
    return counts_redundancy(n, C, b, [(1.0, n, n * (C - 1))])


THEOREMS: Final = (
    Theorem(
        name="pointwise_support",
        title="Dirichlet table with b <= 1/2: excess over the empirical entropy, on every sequence of s labels",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(SOME_VISITS, NUM_CLASSES, BELOW_HALF, BOTH_LABELS, NUM_NOISY_LABELS),
        premises=(ANY_SEQUENCE, "s = noisy_labels + 1 labels occur"),
        left=_EXCESS,
        relation="<=",
        right=_VERTEX + _EQUAL,
        derivation=Derivation(
            lemmas=(*TO_INVERSE, CURVATURE, _CURVED, *_TO_CONCAVE, _CONCAVE),
            chain=_CHAIN,
        ),
        evaluate_left=redundancy,
        evaluate_right=_bound,
        value_meaning=ABOVE_ENTROPY,
        wrong=WrongVariant(
            mistake="the bound of pseudo-counts from 1/2 on, reached by a single label",
            right=_START - rise(n, b),
            evaluate=_single_label,
        ),
    ),
)
