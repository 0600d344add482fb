r"""Two labels: the Bayes rule's exact risk as one binomial sum, and attention, which copies labels, above it.

The own label is one of two, even odds; each of :math:`m` context labels and the query's is the other one with
probability :math:`\eta`. When :math:`a` of the context's labels say so, the Bayes rule predicts a label with
probability :math:`q = [(1-\eta)f + \eta g]/(f + g)`, where :math:`f = (1-\eta)^a\eta^{m-a}` and
:math:`g = \eta^a(1-\eta)^{m-a}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import sympy
from scipy.special import expit, xlogy

from theory.catalogue.attention import Array, L
from theory.catalogue.attention_floor import FLOOR, floor
from theory.catalogue.bayes_in_context import NOISE, NUM_LABELS
from theory.catalogue.in_context_risk import CONTEXT_LENGTH, HUNTED_LENGTH, NUM_RELEVANT, ODDS, binomial, losses, odds
from theory.catalogue.letters import label_noise
from theory.theorems.bayes import BayesExcess, bayes_excess
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import cited
from theory.theorems.copying import CopyingLoss, bernoulli_weight, loss_of_counts
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

m = NUM_RELEVANT.symbol
_a, _b = sympy.symbols("a b", integer=True, nonnegative=True)
_BLOCK: Final = 1 << 20

_OWN: Final = 1 - label_noise
_ENTROPY: Final = -label_noise * sympy.log(label_noise) - _OWN * sympy.log(_OWN)
_AGAINST: Final = (_OWN / label_noise) ** (m - 2 * _a)
# The predicted probability of the label that a of the context's labels have, and of the other one.
_PREDICTED: Final = (_OWN + label_noise * _AGAINST) / (1 + _AGAINST)
_MISSED: Final = (label_noise + _OWN * _AGAINST) / (1 + _AGAINST)


def _over_agreeing(value: sympy.Expr) -> sympy.Sum:
    """Mean over how many of the context's labels are the own one."""
    return sympy.Sum(bernoulli_weight(m, _OWN, _a) * value, (_a, 0, m))


def _over_contexts(value: sympy.Expr) -> sympy.Sum:
    """Mean over how many of the context's labels are a given one of the two, own or not."""
    weight = (_OWN**_a * label_noise ** (m - _a) + label_noise**_a * _OWN ** (m - _a)) / 2
    return sympy.Sum(sympy.binomial(m, _a) * weight * value, (_a, 0, m))


_EXCESS: Final = _ENTROPY + BayesExcess(m, sympy.Integer(2), label_noise)
_DIVERGENCE: Final = _OWN * sympy.log(_OWN / _PREDICTED) + label_noise * sympy.log(label_noise / _MISSED)
_AS_DIVERGENCE: Final = _ENTROPY + _over_agreeing(_DIVERGENCE)
RISK: Final = _over_agreeing(-_OWN * sympy.log(_PREDICTED) - label_noise * sympy.log(_MISSED))
_POSTERIOR_ENTROPY: Final = _over_contexts(-_PREDICTED * sympy.log(_PREDICTED) - _MISSED * sympy.log(_MISSED))

_q = sympy.Symbol("q", positive=True)
_r = sympy.Symbol("r", positive=True)
_LOSS_IS_ENTROPY_AND_DIVERGENCE: Final = Step(
    -_r * sympy.log(_q),
    "=",
    -_r * sympy.log(_r) + _r * sympy.log(_r / _q),
    "For each label of probability r, predicted with q: its loss is its entropy and its divergence.",
    simplifies,
)
_RANGES: Final = {m: (0, 6), label_noise: (0, 1), L: (6, 8), floor: (0, 0.5)}
_TO_RISK: Final = (
    Step(
        _EXCESS,
        "=",
        _AS_DIVERGENCE,
        "Two labels share a context in m + 1 ways, and either may be the own one.",
        to_fifty_digits(_RANGES),
    ),
    Step(_AS_DIVERGENCE, "=", RISK, "Entropy and divergence make a loss.", to_fifty_digits(_RANGES)),
)

# Attention, whose irrelevant examples carry either label alike.
_HALF: Final = sympy.Rational(1, 2)
_ATTENTION: Final = _OWN * CopyingLoss(
    m, L - m, _OWN, _HALF, sympy.Integer(2), odds, floor
) + label_noise * CopyingLoss(m, L - m, label_noise, _HALF, sympy.Integer(2), odds, floor)


def _attention_loss(agreeing: sympy.Expr, irrelevant: sympy.Expr) -> sympy.Expr:
    return loss_of_counts(agreeing, irrelevant, m, L - m, sympy.Integer(2), odds, floor)


_CROSS: Final = _PREDICTED * _attention_loss(_a, _b) + _MISSED * _attention_loss(m - _a, L - m - _b)
_BY_CONTEXT: Final = _over_contexts(sympy.Sum(sympy.binomial(L - m, _b) * _HALF ** (L - m) * _CROSS, (_b, 0, L - m)))
_TO_BAYES: Final = (
    Step(
        _ATTENTION,
        "=",
        _BY_CONTEXT,
        "Context by context: given its labels, the query's label has the Bayes rule's probability.",
        to_fifty_digits(_RANGES),
    ),
    Step(
        _BY_CONTEXT,
        ">=",
        _POSTERIOR_ENTROPY,
        "Gibbs: in no context is another prediction's mean loss below that of the right probabilities.",
        cited("cover2006elements", _RANGES),
    ),
    Step(
        _POSTERIOR_ENTROPY,
        "=",
        RISK,
        "Own label or not: both parts of a context's probability have the same mean loss.",
        to_fifty_digits(_RANGES),
    ),
)


def risk_by_divergence(m: Array, label_noise: Array) -> Array:
    """Entropy, and the Bayes rule's excess from the partitions of the context's labels."""
    entropy = -xlogy(label_noise, label_noise) - (1 - label_noise) * np.log1p(-label_noise)
    return np.asarray(entropy + bayes_excess(m, np.full(np.shape(m), 2.0), label_noise))


def risk(m: Array, label_noise: Array) -> Array:
    """Risk of the Bayes rule with two labels, as a binomial mean of its loss."""
    return _in_blocks(_risk, m, label_noise)


def _in_blocks(function: Callable[[Array, Array], Array], m: Array, label_noise: Array) -> Array:
    number, noise = np.broadcast_arrays(m, label_noise)
    flat, result = (number.reshape(-1), noise.reshape(-1)), np.empty(number.size)
    block = max(1, int(_BLOCK / (1 + number.max(initial=0))))
    for start in range(0, result.size, block):
        result[start : start + block] = function(*(a[start : start + block] for a in flat))
    return result.reshape(number.shape)


def _risk(m: Array, label_noise: Array) -> Array:
    weights = binomial(m, 1 - label_noise, label_noise)
    noise = label_noise[:, None]
    agreeing = np.arange(weights.shape[1])[None, :]
    log_odds = (2 * agreeing - m[:, None]) * (np.log1p(-noise) - np.log(noise))
    predicted = (1 - noise) * expit(log_odds) + noise * expit(-log_odds)
    missed = noise * expit(log_odds) + (1 - noise) * expit(-log_odds)
    loss = -(1 - noise) * _log_of(predicted, missed) - noise * _log_of(missed, predicted)
    return np.asarray((weights * loss).sum(axis=1))


def _log_of(probability: Array, complement: Array) -> Array:
    """Logarithm of a probability that is known with its complement, accurate near 1."""
    likely = complement < 0.5
    return np.where(likely, np.log1p(-np.where(likely, complement, 0.0)), np.log(np.where(likely, 1.0, probability)))


def attention_risk(L: Array, m: Array, label_noise: Array, odds: Array, floor: Array) -> Array:
    """Risk of attention over two labels, whose irrelevant examples carry either label alike."""
    arrays = np.broadcast_arrays(L, m, label_noise, odds, floor)
    flat, result = [a.reshape(-1) for a in arrays], np.empty(arrays[0].size)
    block = max(1, int(_BLOCK / (1 + flat[0].max(initial=0)) ** 2))
    for start in range(0, result.size, block):
        result[start : start + block] = _attention_risk(*(a[start : start + block] for a in flat))
    return result.reshape(arrays[0].shape)


def _attention_risk(L: Array, m: Array, label_noise: Array, odds: Array, floor: Array) -> Array:
    loss = losses(L, m, np.full(L.size, 2.0), odds, floor)
    half = np.full(L.size, 0.5)
    irrelevant = binomial(L - m, half, half)
    own, noisy = (binomial(m, p, q) for p, q in ((1 - label_noise, label_noise), (label_noise, 1 - label_noise)))
    relevant = (1 - label_noise)[:, None] * own + label_noise[:, None] * noisy
    return np.asarray(np.einsum("pa,pb,pab->p", relevant, irrelevant, loss))


_FLOOR: Final = Parameter(
    symbol=floor,
    latex=FLOOR.latex,
    meaning=FLOOR.meaning,
    lowest=0,
    highest=0.5,
    above=True,
    below=True,
    default=FLOOR.default,
)
_LABELS: Final = Parameter(symbol=m, latex="m", meaning=NUM_LABELS.meaning, lowest=0, highest=1000)
_PREMISES: Final = (
    "the own label is one of two, even odds",
    "labels are independent draws, in the context and of the query",
)

THEOREMS: Final = (
    Theorem(
        name="bayes_in_context_risk",
        title="Two labels: exact risk of the best in-context predictor",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(_LABELS, NOISE),
        premises=_PREMISES,
        left=_EXCESS,
        relation="=",
        right=RISK,
        derivation=Derivation(lemmas=(_LOSS_IS_ENTROPY_AND_DIVERGENCE,), chain=_TO_RISK),
        evaluate_left=risk_by_divergence,
        evaluate_right=risk,
        hunted_up_to={"m": 24.0},
        value_meaning="risk of the best in-context predictor, nats",
        wrong=WrongVariant(
            mistake="the entropy alone, as if the own label were known",
            right=_ENTROPY,
            evaluate=lambda label_noise: (
                -label_noise * np.log(label_noise) - (1 - label_noise) * np.log1p(-label_noise)
            ),
        ),
    ),
    Theorem(
        name="attention_above_bayes",
        title="Two labels: attention pays at least what the best in-context predictor pays",
        family="in-context",
        kind="lower",
        source=DERIVED_HERE,
        parameters=(CONTEXT_LENGTH, NUM_RELEVANT, NOISE, ODDS, _FLOOR),
        premises=(*_PREMISES, "irrelevant examples carry either label alike"),
        left=_ATTENTION,
        relation=">=",
        right=RISK,
        derivation=Derivation(chain=_TO_BAYES),
        evaluate_left=attention_risk,
        evaluate_right=risk,
        hunted_up_to={"L": HUNTED_LENGTH},
        value_meaning="in-context risk at least, nats",
        wrong=WrongVariant(
            mistake="the risk of no context at all, log 2",
            right=sympy.log(2),
            evaluate=lambda m: np.full(np.shape(m), np.log(2)),
        ),
    ),
)
