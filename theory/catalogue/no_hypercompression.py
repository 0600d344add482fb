r"""No hypercompression: no predictor beats the true law of the labels by many nats, except with small probability."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.label_counts import Array
from theory.catalogue.letters import LABEL_NOISE_LEVEL, LABELS_IID, NUM_CLASSES, PSEUDO_COUNT, C, b, label_noise, n
from theory.catalogue.pointwise import SOME_VISITS
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign, cited
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import Theorem, WrongVariant
from theory.theorems.two_labels import CompressionProbability

delta = sympy.Symbol("delta", positive=True)
DELTA: Final = Parameter(
    symbol=delta,
    latex=r"\delta",
    meaning="probability with which the statement may fail",
    lowest=1e-12,
    highest=1,
    below=True,
    corners=(0.05,),
)
TWO_LABELS: Final = "evaluated where the noise goes to one other label"

_i = sympy.Symbol("i", integer=True, nonnegative=True)
_j = sympy.Symbol("j", integer=True, nonnegative=True)
_k = sympy.Symbol("k", integer=True, nonnegative=True)
_c = sympy.Symbol("c", nonnegative=True)
_odds = sympy.Symbol("x", positive=True)
# Likelihoods that agree up to this are equal: they are products of the same few numbers.
_TIE: Final = 1e-12
_ROWS: Final = 1 << 12


def _ratio(visits: sympy.Expr, noisy: sympy.Expr) -> sympy.Expr:
    """Likelihood of a sequence under the table over that under the law of its labels."""
    table = sympy.gamma(C * b) * sympy.gamma(noisy + b) * sympy.gamma(visits - noisy + b)
    return (
        table
        / (sympy.gamma(b) ** 2 * sympy.gamma(visits + C * b))
        / (label_noise**noisy * (1 - label_noise) ** (visits - noisy))
    )


_NEXT: Final = (1 - label_noise) * _ratio(_i + 1, _k) + label_noise * _ratio(_i + 1, _k + 1)
_SHRUNK: Final = _ratio(_i, _k) * (_i + 2 * b) / (_i + C * b)
_LEFT: Final = CompressionProbability(n, C, b, label_noise, delta)
_MARTINGALE: Final = (
    Step(
        _NEXT,
        "=",
        _SHRUNK,
        "The mean of the likelihood ratio after one more label: the probabilities of the labels cancel.",
        simplifies,
    ),
    Step(
        _SHRUNK,
        "<=",
        _ratio(_i, _k),
        "The table gives the labels that can occur at most 1 together: the ratio is a supermartingale.",
        by_sign({C: 2 + _c, _i: _j + _k, label_noise: 1 / (1 + _odds)}),
    ),
)


def ever_compressed(n: Array, C: Array, b: Array, label_noise: Array, delta: Array) -> Array:
    """Probability of a violation within ``n`` labels, exactly: a walk through the counts of the two labels."""
    flat = [np.ravel(a) for a in np.broadcast_arrays(n, C, b, label_noise, delta)]
    result = np.zeros(flat[0].shape)
    order = np.argsort(flat[0])
    for start in range(0, order.size, _ROWS):
        rows = order[start : start + _ROWS]
        result[rows] = _walk(*(a[rows, None] for a in flat))
    return result.reshape(np.broadcast(n, C, b, label_noise, delta).shape)


def _walk(n: Array, C: Array, b: Array, label_noise: Array, delta: Array) -> Array:
    last = int(n.max())
    k = np.arange(last + 2)[None, :]
    log_ratio, alive = np.zeros((n.size, last + 2)), np.zeros((n.size, last + 2))
    alive[:, 0] = 1.0
    ever = np.zeros(n.size)
    log_own, log_noisy = (np.log(np.maximum(p, 1e-300)) for p in (1 - label_noise, label_noise))
    for i in range(last):
        total = np.log(i + C * b)
        only_noisy = log_ratio[:, i] + (np.log(i + b) - total - log_noisy)[:, 0]
        log_ratio = log_ratio + np.log(np.maximum(i - k, 0) + b) - total - log_own
        log_ratio[:, i + 1] = only_noisy
        moved = alive * (1 - label_noise)
        moved[:, 1:] += alive[:, :-1] * label_noise
        beyond = log_ratio > _TIE - np.log(delta)
        ever += np.where(i < n, np.where(beyond, moved, 0.0), 0.0).sum(axis=1)
        alive = np.where(beyond, 0.0, moved)
    return ever


THEOREMS: Final = (
    Theorem(
        name="no_hypercompression",
        title="Dirichlet table: its cumulative loss is hardly ever far below that of the true label law, at any time",
        family="in-weight",
        kind="high probability",
        source="grunwald2007minimum",
        parameters=(SOME_VISITS, NUM_CLASSES, PSEUDO_COUNT, LABEL_NOISE_LEVEL, DELTA),
        premises=(LABELS_IID, TWO_LABELS),
        left=_LEFT,
        relation="<=",
        right=delta,
        derivation=Derivation(
            lemmas=_MARTINGALE,
            chain=(
                Step(
                    _LEFT,
                    "<=",
                    delta,
                    "Ville: a nonnegative supermartingale from 1 ever exceeds 1/delta with probability delta at most.",
                    cited("ville1939etude", {C: (2, 9), b: (0, 3), label_noise: (0, 1), delta: (0, 1)}),
                ),
            ),
        ),
        evaluate_left=ever_compressed,
        evaluate_right=lambda delta: delta,
        value=lambda delta: -np.log(delta),
        left_name="violated_with_probability",
        value_meaning="nats: at all times the cumulative loss is at least that of the true law minus this",
        hunted_up_to={"n": 40},
        wrong=WrongVariant(
            mistake="the level squared: exp(-2a) for a nats",
            right=delta**2,
            evaluate=lambda delta: delta**2,
        ),
    ),
)
