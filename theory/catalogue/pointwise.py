r"""What the table loses above the empirical entropy on every sequence: most where all visits show one label.

The empirical law of the labels plays the part of the label law: :math:`N_y = n p_y` with ``p[y]`` the share of label
:math:`y`, and the inequalities hold for all shares, whether the counts are whole or not.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.label_counts import OTHER_SHARE, Array, redundancy
from theory.catalogue.letters import NUM_CLASSES, NUM_NOISY_LABELS, C, b, n
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_monotonicity, by_sign
from theory.theorems.checks.reductions import follows_from, instance_of, termwise, weights_sum_to_one
from theory.theorems.checks.sequences import below_chord, by_induction, by_series
from theory.theorems.checks.sums import each_term
from theory.theorems.derivation import Derivation, Step
from theory.theorems.labels import mean_over_labels
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_k = sympy.Symbol("k", integer=True, nonnegative=True)
_x = sympy.Symbol("x", positive=True)
_c = sympy.Symbol("c", nonnegative=True)
_HALF: Final = sympy.Rational(1, 2)

HALF_OR_MORE: Final = Parameter(
    symbol=b,
    latex="b",
    meaning="pseudo-count of the table (1: Laplace, 1/2: KT)",
    lowest=0.5,
    highest=1e6,
    default=1.0,
    corners=(1.0, 2.0),
)
SOME_VISITS: Final = Parameter(
    symbol=n, latex="n", meaning="visits of the query", lowest=1, highest=1e12, corners=(1e6, 1e9)
)
ANY_SEQUENCE: Final = "any sequence of labels; evaluated where the other labels share their visits evenly"


def _excess(pseudo_count: sympy.Expr) -> sympy.Sum:
    r""":math:`\Lambda_n - n\hat H_n` by the counts, as in the theorem ``cumulative_loss``."""
    start = rise(n, C * pseudo_count)
    return mean_over_labels(lambda p: start + n * sympy.log(p) - rise(n * p, pseudo_count) / p)


def rise(count: sympy.Expr, pseudo_count: sympy.Expr) -> sympy.Expr:
    r"""Logarithm of the rising factorial, :math:`\log\frac{\Gamma(N+b)}{\Gamma(b)}`."""
    return sympy.log(sympy.gamma(count + pseudo_count)) - sympy.log(sympy.gamma(pseudo_count))


def _vertex(pseudo_count: sympy.Expr) -> sympy.Expr:
    return rise(n, C * pseudo_count) - rise(n, pseudo_count)


_TRIGAMMA: Final = sympy.polygamma(1, _x + b)
_SERIES: Final = sympy.Sum(1 / (_k + _x + b) ** 2, (_k, 0, sympy.oo))
_TELESCOPE: Final = sympy.Sum(1 / ((_x + _k) * (_x + _k + 1)), (_k, 0, sympy.oo))
TO_INVERSE: Final = (
    Step(_TRIGAMMA, "=", _SERIES, "Series of the trigamma function.", by_series),
    Step(
        _SERIES,
        "<=",
        _TELESCOPE,
        "For b >= 1/2: (x + k)(x + k + 1) = (x + k + 1/2)^2 - 1/4.",
        each_term(by_sign({b: _HALF + _c})),
    ),
    Step(_TELESCOPE, "=", 1 / _x, "The sum telescopes.", by_series),
)
CURVATURE: Final = Step(
    _TRIGAMMA, "<=", 1 / _x, "x log x - log Gamma(x + b) is convex for b >= 1/2.", follows_from(*TO_INVERSE)
)


def _to_vertex(pseudo_count: sympy.Expr) -> tuple[Step, ...]:
    constant = mean_over_labels(lambda _: _vertex(pseudo_count))
    return (
        Step(
            _excess(pseudo_count),
            "<=",
            constant,
            "A convex function that is 0 at 0 lies below its chord from 0 to n visits.",
            termwise(below_chord(PROBABILITY, _x, n * PROBABILITY, CURVATURE, {n: 1 + _k})),
        ),
        Step(constant, "=", _vertex(pseudo_count), "The shares of the labels sum to 1.", weights_sum_to_one),
    )


_VERTEX_STEPS: Final = _to_vertex(b)
_AT_HALF: Final = {b: _HALF}
_KT_STEPS: Final = tuple(
    Step(
        step.left.subs(_AT_HALF),
        step.relation,
        step.right.subs(_AT_HALF),
        f"The theorem pointwise_vertex at b = 1/2: {step.reason}",
        instance_of(step, _AT_HALF),
    )
    for step in _VERTEX_STEPS
)
_TEXTBOOK: Final = (C - 1) / 2 * sympy.log(n) + sympy.log(C)

# One more visit, with t = 1/n and C = 2 + 2c labels.
_t = sympy.Symbol("t", positive=True)
_FIRST: Final = sympy.log((1 + _t) / (1 + _t / 2))
_GROWTH: Final = (
    Step(
        sympy.log((1 + _t + _c * _t) / (1 + _t / 2)),
        "=",
        _FIRST + sympy.log(1 + _c * _t / (1 + _t)),
        "The same fraction.",
        simplifies,
    ),
    Step(
        _FIRST + sympy.log(1 + _c * _t / (1 + _t)),
        "<=",
        _FIRST + _c * _t / (1 + _t),
        "log(1 + x) is at most x.",
        by_monotonicity(_c, 0),
    ),
    Step(
        _FIRST + _c * _t / (1 + _t),
        "<=",
        sympy.log(1 + _t) / 2 + _c * _t / (1 + _t),
        "1 + t is at most (1 + t/2)^2.",
        by_monotonicity(_t, 0),
    ),
    Step(
        sympy.log(1 + _t) / 2 + _c * _t / (1 + _t),
        "<=",
        sympy.log(1 + _t) / 2 + _c * sympy.log(1 + _t),
        "t/(1 + t) is at most log(1 + t).",
        by_monotonicity(_t, 0),
    ),
)
_GROWS: Final = Step(
    _GROWTH[0].left,
    "<=",
    _GROWTH[-1].right,
    "One more visit raises log Gamma(n + C/2) - log Gamma(n + 1/2) by at most (C - 1)/2 log(1 + 1/n).",
    follows_from(*_GROWTH),
)
_TO_TEXTBOOK: Final = Step(
    _KT_STEPS[-1].right,
    "<=",
    _TEXTBOOK,
    "Equality after one visit, and each further visit adds less to the left side.",
    by_induction(n, 1, _GROWS, {_t: 1 / n, _c: (C - 2) / 2}, {C: 2 + _k}),
)


def vertex(n: Array, C: Array, b: Array) -> Array:
    r""":math:`\log\frac{\Gamma(n+Cb)\,\Gamma(b)}{\Gamma(Cb)\,\Gamma(n+b)}`: the excess where one label takes all."""
    return redundancy(n, C, b, np.zeros_like(C), np.ones_like(C))


def _kt_excess(n: Array, C: Array, label_noise: Array, noisy_labels: Array) -> Array:
    return redundancy(n, C, np.full_like(C, 0.5), label_noise, noisy_labels)


ABOVE_ENTROPY: Final = "cumulative loss above n times the empirical entropy at most, nats"

THEOREMS: Final = (
    Theorem(
        name="pointwise_vertex",
        title="Dirichlet table with b >= 1/2: excess over the empirical entropy, on every sequence",
        family="in-weight",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(SOME_VISITS, NUM_CLASSES, HALF_OR_MORE, OTHER_SHARE, NUM_NOISY_LABELS),
        premises=(ANY_SEQUENCE,),
        left=_excess(b),
        relation="<=",
        right=_vertex(b),
        derivation=Derivation(lemmas=(*TO_INVERSE, CURVATURE), chain=_VERTEX_STEPS),
        evaluate_left=redundancy,
        evaluate_right=vertex,
        value_meaning=ABOVE_ENTROPY,
        wrong=WrongVariant(
            mistake="the asymptotic weight (C - 1)/2 of the logarithm for every b, as for b = 1/2",
            right=_TEXTBOOK.subs(n, n + 1),
            evaluate=lambda n, C: (C - 1) / 2 * np.log1p(n) + np.log(C),
        ),
    ),
    Theorem(
        name="kt_pointwise",
        title="KT table: excess over the empirical entropy on every sequence, in elementary terms",
        family="in-weight",
        kind="upper",
        source="krichevsky1981performance",
        parameters=(SOME_VISITS, NUM_CLASSES, OTHER_SHARE, NUM_NOISY_LABELS),
        premises=(ANY_SEQUENCE, "the table starts from the pseudo-count b = 1/2"),
        left=_KT_STEPS[0].left,
        relation="<=",
        right=_TEXTBOOK,
        derivation=Derivation(lemmas=(*TO_INVERSE, CURVATURE, *_GROWTH, _GROWS), chain=(*_KT_STEPS, _TO_TEXTBOOK)),
        evaluate_left=_kt_excess,
        evaluate_right=lambda n, C: (C - 1) / 2 * np.log(n) + np.log(C),
        value_meaning=ABOVE_ENTROPY,
        wrong=WrongVariant(
            mistake="the constant log C dropped",
            right=(C - 1) / 2 * sympy.log(n),
            evaluate=lambda n, C: (C - 1) / 2 * np.log(n),
        ),
    ),
)
