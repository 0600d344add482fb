r"""Exact risk of attention that copies labels, with label noise in context and query, as a finite sum.

:math:`C` equally frequent classes; label noise moves the own label to one of the next ``noisy_labels`` labels in a
circle (1: cyclic, C - 1: symmetric noise). Of the prompt's :math:`L` examples :math:`m` are relevant, and the others
come from the other classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import sympy
from scipy.special import betaln, xlogy

from theory.catalogue.attention import Array, L
from theory.catalogue.attention_floor import FLOOR, floor, loss_of_shares
from theory.catalogue.letters import LABEL_LAW, C, label_noise, noisy_labels
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.copying import CopyingLoss
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

# Law of the number of examples of one kind that carry the query's label: from how many they are, the probability of
# each, and its complement; one row for each entry.
Law = Callable[[Array, Array, Array], Array]

m = sympy.Symbol("m", integer=True, nonnegative=True)
odds = sympy.Symbol("odds", positive=True)

CONTEXT_LENGTH: Final = Parameter(
    symbol=L, latex="L", meaning="examples in the context", lowest=1, highest=1000, corners=(8.0,)
)
NUM_RELEVANT: Final = Parameter(symbol=m, latex="m", meaning="relevant examples in the context", lowest=0, highest=L)
ODDS: Final = Parameter(
    symbol=odds,
    latex=r"\rho",
    meaning="weight of a relevant example in units of an irrelevant one's",
    lowest=1,
    highest=1e100,
    default=20.0855,
    corners=(2.0, 1e6),
)
HUNTED_LENGTH: Final = 16.0

_ATTENTION: Final = (C, odds, floor)
_OWN_COLLISION: Final = label_noise / (C - 1)
_NOISY_COLLISION: Final = (1 - label_noise / noisy_labels) / (C - 1)
# From the definition: one other class owns the label, and noise leads to it from noisy_labels - 1 others.
_SUMMED_COLLISION: Final = ((1 - label_noise) + (noisy_labels - 1) * (label_noise / noisy_labels)) / (C - 1)


def _risk(own: sympy.Expr, noisy: sympy.Expr) -> sympy.Expr:
    """Mean over the query's label: the own one, or one of those that noise leads to."""
    own_loss = CopyingLoss(m, L - m, 1 - label_noise, own, *_ATTENTION)
    noisy_loss = CopyingLoss(m, L - m, label_noise / noisy_labels, noisy, *_ATTENTION)
    return (1 - label_noise) * own_loss + label_noise * noisy_loss


def _as_sums(expression: sympy.Expr) -> sympy.Expr:
    return expression.replace(lambda e: isinstance(e, CopyingLoss), lambda e: e.definition())


_RISK: Final = _risk(_OWN_COLLISION, _SUMMED_COLLISION)
_CLOSED: Final = _risk(_OWN_COLLISION, _NOISY_COLLISION)
_SUMS: Final = _as_sums(_CLOSED)
_NO_COLLISION: Final = _as_sums(_risk(sympy.Integer(0), sympy.Integer(0)))

_count = sympy.Symbol("a", integer=True, positive=True)
_share = sympy.Symbol("q", positive=True)
_PASCAL: Final = Step(
    (1 - _share) * sympy.binomial(m, _count) * _share**_count * (1 - _share) ** (m - _count)
    + _share * sympy.binomial(m, _count - 1) * _share ** (_count - 1) * (1 - _share) ** (m - _count + 1),
    "=",
    sympy.binomial(m + 1, _count) * _share**_count * (1 - _share) ** (m + 1 - _count),
    "One more example leaves the count as it is or raises it by one: the binomial law goes on to m + 1 examples.",
    simplifies,
)
_COLLISION: Final = Step(
    _SUMMED_COLLISION,
    "=",
    _NOISY_COLLISION,
    "Every label is as likely as any other over all classes, so the other classes carry what the query's lacks.",
    simplifies,
)
_RANGES: Final = {C: (6, 30), noisy_labels: (1, 5), label_noise: (0, 1), floor: (0, 1 / 30), L: (3, 6), m: (0, 3)}


def risk_by_examples(
    L: Array, m: Array, C: Array, label_noise: Array, noisy_labels: Array, odds: Array, floor: Array
) -> Array:
    """Risk from the law of the label counts, built up one example after the other."""
    return _over_query_labels(_counted, _counted, L, m, C, label_noise, noisy_labels, odds, floor)


def risk(L: Array, m: Array, C: Array, label_noise: Array, noisy_labels: Array, odds: Array, floor: Array) -> Array:
    """Risk as a sum over the two binomial label counts, for each of the two kinds of query labels."""
    return _over_query_labels(binomial, binomial, L, m, C, label_noise, noisy_labels, odds, floor)


def _without_collisions(
    L: Array, m: Array, C: Array, label_noise: Array, noisy_labels: Array, odds: Array, floor: Array
) -> Array:
    return _over_query_labels(binomial, _none, L, m, C, label_noise, noisy_labels, odds, floor)


def _none(number: Array, share: Array, missing: Array) -> Array:
    return binomial(number, 0 * share, np.ones_like(missing))


def _over_query_labels(relevant_law: Law, irrelevant_law: Law, *settings: Array) -> Array:
    arrays = np.broadcast_arrays(*settings)
    flat = [a.reshape(-1) for a in arrays]
    result = np.empty(flat[0].size)
    # A block holds about a million pairs of counts.
    block = max(1, int(1e6 / (1 + flat[0].max()) ** 2))
    for start in range(0, result.size, block):
        result[start : start + block] = _block(relevant_law, irrelevant_law, [a[start : start + block] for a in flat])
    return result.reshape(arrays[0].shape)


def _block(relevant_law: Law, irrelevant_law: Law, settings: list[Array]) -> Array:
    L, m, C, noise, noisy_labels, odds, floor = settings
    each = noise / noisy_labels
    # Every probability with its complement, neither formed by a subtraction that loses digits.
    own = (1 - noise, noise, noise / (C - 1), 1 - noise / (C - 1))
    noisy = (each, 1 - each, (1 - each) / (C - 1), (C - 2 + each) / (C - 1))
    loss = losses(L, m, C, odds, floor)
    total = np.zeros(L.size)
    for weight, (match, no_match, collision, no_collision) in ((1 - noise, own), (noise, noisy)):
        relevant = relevant_law(m, match, no_match)
        irrelevant = irrelevant_law(L - m, collision, no_collision)
        total += weight * np.einsum("pa,pb,pab->p", relevant, irrelevant, loss)
    return total


def losses(L: Array, m: Array, C: Array, odds: Array, floor: Array) -> Array:
    """Losses by point and by the two counts of examples with the query's label; 0 where the counts cannot be."""
    k = L - m
    a, b = np.arange(m.max() + 1)[None, :, None], np.arange(k.max() + 1)[None, None, :]
    m, k, C, weight, floor = (x[:, None, None] for x in (m, k, C, 1 / odds, floor))
    total = m + weight * k
    possible = (a <= m) & (b <= k)
    right = np.where(possible, (a + weight * b) / total, 0.0)
    wrong = np.where(possible, ((m - a) + weight * (k - b)) / total, 0.0)
    return np.where(possible, loss_of_shares(C, floor, right, wrong), 0.0)


def _counted(number: Array, share: Array, missing: Array) -> Array:
    law = np.zeros((number.size, int(number.max()) + 1))
    law[:, 0] = 1.0
    for example in range(law.shape[1] - 1):
        longer = law * missing[:, None]
        longer[:, 1:] += law[:, :-1] * share[:, None]
        law = np.where(example < number[:, None], longer, law)
    return law


def binomial(number: Array, share: Array, missing: Array) -> Array:
    r"""Binomial laws, a row for each entry: how many of ``number`` examples carry a label.

    Parameters
    ----------
    number, share, missing : ndarray, shape (n,)
        How many examples, the probability that one of them carries the label, and its complement.
    """
    count = np.arange(number.max() + 1)[None, :]
    rest = np.maximum(number[:, None] - count, 0)
    choices = -betaln(rest + 1, count + 1) - np.log(number[:, None] + 1)
    logarithm = choices + xlogy(count, share[:, None]) + xlogy(rest, missing[:, None])
    law = np.where(count <= number[:, None], np.exp(logarithm), 0.0)
    # What the logarithms of the choices lost at large numbers is nearly common to all counts.
    return np.asarray(law / law.sum(axis=1, keepdims=True))


THEOREMS: Final = (
    Theorem(
        name="in_context_risk",
        title="Attention: exact risk with label noise in context and query",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(CONTEXT_LENGTH, NUM_RELEVANT, *LABEL_LAW, ODDS, FLOOR),
        premises=(
            "C equally frequent classes, one label each",
            "noise moves a label to one of the next noisy_labels labels in a circle",
            "labels are independent draws, in the context and of the query",
        ),
        left=_RISK,
        relation="=",
        right=_SUMS,
        derivation=Derivation(
            lemmas=(_COLLISION, _PASCAL),
            chain=(
                Step(
                    _RISK,
                    "=",
                    _CLOSED,
                    "The probability that an irrelevant example carries a label that noise leads to is closed.",
                    simplifies,
                ),
                Step(
                    _CLOSED,
                    "=",
                    _SUMS,
                    "Counting example by example gives a binomial law for either kind (by induction, Pascal's rule).",
                    to_fifty_digits(_RANGES),
                ),
            ),
        ),
        evaluate_left=risk_by_examples,
        evaluate_right=risk,
        hunted_up_to={"L": HUNTED_LENGTH},
        value_meaning="in-context risk, nats",
        wrong=WrongVariant(
            mistake="irrelevant examples never carry the query's label",
            right=_NO_COLLISION,
            evaluate=_without_collisions,
        ),
    ),
)
