r"""Loss of attention that copies labels, when no label is noisy and no irrelevant example carries the query's label.

Bounds between which the cross-entropy lies for all unit-norm inputs, and the distance in :math:`\ell_1`, with which
one published bound confused it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from sympy.codegen.cfunctions import expm1, log1p

from theory.catalogue.attention import (
    FARTHER,
    IRRELEVANT_DISTANCE,
    MASS,
    MASS_LOWER,
    RELEVANT_DISTANCE,
    TEMPERATURE,
    UNIT_NORM,
    UP_TO_FOUR,
    Array,
    L,
    attention_mass,
    irrelevant_distance,
    k,
    lower,
    relevant_distance,
    temperature,
)
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_monotonicity
from theory.theorems.checks.reductions import substituting
from theory.theorems.checks.sums import naming
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Erratum, Theorem, WrongVariant

# At least one example of either kind.
CONTEXT_LENGTH: Final = Parameter(
    symbol=L, latex="L", meaning="examples in the context", lowest=2, highest=1e9, corners=(8.0, 1e6)
)
NUM_IRRELEVANT: Final = Parameter(symbol=k, latex="k", meaning="irrelevant examples", lowest=1, highest=L - 1)
NOISELESS: Final = "no label is noisy, and no irrelevant example carries the query's label"
NO_FLOOR: Final = "attention has no floor"

_x = sympy.Symbol("x", nonnegative=True)
_relevant = sympy.Symbol("m", integer=True, positive=True)
_SOME_RELEVANT: Final = {L: k + _relevant}

_RIGHT_LABEL: Final = (
    (L - k)
    * sympy.exp(-relevant_distance / temperature)
    / (k * sympy.exp(-irrelevant_distance / temperature) + (L - k) * sympy.exp(-relevant_distance / temperature))
)
_ODDS: Final = k * sympy.exp((relevant_distance - irrelevant_distance) / temperature) / (L - k)
_LEAST_ODDS: Final = k * sympy.exp(-4 / temperature) / (L - k)
LOSS: Final = log1p(_ODDS)
_LOSS_LOWER: Final = log1p(_LEAST_ODDS)
_LOSS_UPPER: Final = sympy.log(L / (L - k))

_DEFINITION: Final = Step(
    _RIGHT_LABEL,
    "=",
    1 / (1 + _ODDS),
    "The mass on the query's label is that on the relevant examples, and the loss minus its logarithm.",
    simplifies,
)
_TO_LOG: Final = (
    Step(
        LOSS,
        ">=",
        log1p(k * sympy.exp(-irrelevant_distance / temperature) / (L - k)),
        "Relevant examples weigh most at the query itself.",
        substituting(_SOME_RELEVANT, by_monotonicity(relevant_distance, 0)),
    ),
    Step(
        log1p(k * sympy.exp(-irrelevant_distance / temperature) / (L - k)),
        ">=",
        _LOSS_LOWER,
        "Irrelevant examples weigh least at the opposite point, at squared distance 4.",
        substituting(_SOME_RELEVANT | UP_TO_FOUR, by_monotonicity(_x, 0)),
    ),
)
_TO_MASS: Final = (
    *_TO_LOG,
    Step(
        _LOSS_LOWER,
        ">=",
        _LEAST_ODDS / (1 + _LEAST_ODDS),
        "log(1 + x) is at least x/(1 + x): the loss is at least the mass.",
        substituting(_SOME_RELEVANT, naming({_x: _LEAST_ODDS.subs(_SOME_RELEVANT)}, by_monotonicity(_x, 0))),
    ),
    Step(_LEAST_ODDS / (1 + _LEAST_ODDS), "=", MASS_LOWER, "The same fraction.", simplifies),
)
_TO_UPPER: Final = (
    Step(
        LOSS,
        "<=",
        log1p(k / (L - k)),
        "Irrelevant examples weigh most where they are as near as the relevant ones.",
        substituting(_SOME_RELEVANT | {irrelevant_distance: relevant_distance + _x}, by_monotonicity(_x, 0)),
    ),
    Step(log1p(k / (L - k)), "=", _LOSS_UPPER, "The same number.", simplifies),
)


# The distance in l1: own label, and all the others together.
_L1: Final = MASS - expm1(-LOSS)
_TO_L1: Final = (
    Step(
        _L1,
        "=",
        MASS + (1 - _RIGHT_LABEL),
        "The other labels have the mass, and the own label lacks 1 - h(y) = 1 - exp(-loss).",
        simplifies,
    ),
    Step(MASS + (1 - _RIGHT_LABEL), "=", 2 * MASS, "What the own label lacks is what the others have.", simplifies),
)


def loss(L: Array, k: Array, temperature: Array, relevant_distance: Array, irrelevant_distance: Array) -> Array:
    r"""Cross-entropy, :math:`\log(1 + \frac{k}{L-k}e^{(d-d')/\tau})`."""
    return np.log1p(k / (L - k) * np.exp((relevant_distance - irrelevant_distance) / temperature))


def l1_distance(L: Array, k: Array, temperature: Array, relevant_distance: Array, irrelevant_distance: Array) -> Array:
    """What the own label lacks, from the loss, and what the other labels have, from the attention mass."""
    lacking = -np.expm1(-loss(L, k, temperature, relevant_distance, irrelevant_distance))
    return lacking + attention_mass(L, k, temperature, relevant_distance, irrelevant_distance)


def twice_the_mass(
    L: Array, k: Array, temperature: Array, relevant_distance: Array, irrelevant_distance: Array
) -> Array:
    r""":math:`\|h - y\|_1`: twice the attention mass on the irrelevant examples."""
    return 2 * attention_mass(L, k, temperature, relevant_distance, irrelevant_distance)


def loss_lower(L: Array, k: Array, temperature: Array) -> Array:
    r"""Least loss, :math:`\log(1 + \frac{k}{L-k}e^{-4/\tau})`: it is attained."""
    return np.log1p(k / (L - k) * np.exp(-4 / temperature))


def loss_upper(L: Array, k: Array) -> Array:
    r"""Greatest loss where irrelevant examples are not nearer than relevant ones, :math:`\log\frac{L}{L-k}`."""
    return np.log1p(k / (L - k))


_DISTANCES: Final = (CONTEXT_LENGTH, NUM_IRRELEVANT, TEMPERATURE, RELEVANT_DISTANCE, IRRELEVANT_DISTANCE)
_PREMISES: Final = (UNIT_NORM, NOISELESS, NO_FLOOR)

THEOREMS: Final = (
    Theorem(
        name="in_context_loss_lower_log",
        title="Attention: loss of a noiseless context at least, for all unit-norm inputs (attained)",
        family="in-context",
        kind="lower",
        source=DERIVED_HERE,
        parameters=_DISTANCES,
        premises=_PREMISES,
        left=LOSS,
        relation=">=",
        right=_LOSS_LOWER,
        derivation=Derivation(lemmas=(_DEFINITION,), chain=_TO_LOG),
        evaluate_left=loss,
        evaluate_right=loss_lower,
        value_meaning="in-context loss at least, nats",
        wrong=WrongVariant(
            mistake="squared distances up to 2 only, as if no two inputs were more than orthogonal",
            right=log1p(k * sympy.exp(-2 / temperature) / (L - k)),
            evaluate=lambda L, k, temperature: np.log1p(k / (L - k) * np.exp(-2 / temperature)),
        ),
    ),
    Theorem(
        name="in_context_loss_lower",
        title="Attention: loss of a noiseless context at least, as a fraction",
        family="in-context",
        kind="lower",
        source=DERIVED_HERE,
        parameters=_DISTANCES,
        premises=_PREMISES,
        left=LOSS,
        relation=">=",
        right=MASS_LOWER,
        derivation=Derivation(lemmas=(_DEFINITION,), chain=_TO_MASS),
        evaluate_left=loss,
        evaluate_right=lower,
        value_meaning="in-context loss at least, nats",
        wrong=WrongVariant(
            mistake="the odds of the irrelevant examples for their mass: k/((L - k) e^(4/tau))",
            right=_LEAST_ODDS,
            evaluate=lambda L, k, temperature: k / (L - k) * np.exp(-4 / temperature),
        ),
    ),
    Theorem(
        name="in_context_loss_upper",
        title="Attention: loss of a noiseless context whose irrelevant examples are not nearer than the relevant ones",
        family="in-context",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(CONTEXT_LENGTH, NUM_IRRELEVANT, TEMPERATURE, RELEVANT_DISTANCE, FARTHER),
        premises=_PREMISES,
        left=LOSS,
        relation="<=",
        right=_LOSS_UPPER,
        derivation=Derivation(lemmas=(_DEFINITION,), chain=_TO_UPPER),
        evaluate_left=loss,
        evaluate_right=loss_upper,
        value_meaning="in-context loss at most, nats",
        wrong=WrongVariant(
            mistake="the mass for the loss: k/L",
            right=k / L,
            evaluate=lambda L, k: k / L,
        ),
    ),
    Theorem(
        name="in_context_l1",
        title="Attention: distance in l1 from a noiseless label",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=_DISTANCES,
        premises=_PREMISES,
        left=_L1,
        relation="=",
        right=2 * MASS,
        derivation=Derivation(chain=_TO_L1),
        evaluate_left=l1_distance,
        evaluate_right=twice_the_mass,
        value_meaning="sum over the labels of |h(y) - y|",
        wrong=WrongVariant(
            mistake="without the factor 2, which the loss does not have",
            right=MASS,
            evaluate=attention_mass,
        ),
    ),
)

ERRATA: Final = (
    Erratum(
        name="in_context_loss_factor_two",
        title="Attention at temperature 1: the lower bound on the loss with a factor 2",
        family="in-context",
        kind="lower",
        source="chan2025toward",
        parameters=(CONTEXT_LENGTH, NUM_IRRELEVANT, RELEVANT_DISTANCE, IRRELEVANT_DISTANCE),
        premises=(*_PREMISES, "the temperature is 1"),
        left=LOSS.subs(temperature, 1),
        relation=">=",
        right=2 * k / (k + (L - k) * sympy.exp(4)),
        evaluate_left=lambda L, k, relevant_distance, irrelevant_distance: loss(
            L, k, np.ones(()), relevant_distance, irrelevant_distance
        ),
        evaluate_right=lambda L, k: 2 * lower(L, k, np.ones(())),
        corrected="in_context_loss_lower",
        explanation=(
            "A published plotting script uses this form. The factor 2 belongs to the distance in l1, which is twice "
            "the attention mass on the irrelevant examples; the loss is only at least that mass."
        ),
    ),
)
