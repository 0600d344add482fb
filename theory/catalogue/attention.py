r"""Attention mass on irrelevant examples: softmax attention over unit-norm inputs, whatever their distances.

Examples at squared distances :math:`d_l` weigh as much together as equally many at their soft mean
:math:`-\tau\log\overline{e^{-d_l/\tau}}`, which lies between the smallest and the largest; so two distances, one of
the relevant and one of the irrelevant examples, are all that the mass depends on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_monotonicity, by_sign
from theory.theorems.checks.reductions import evaluated, substituting
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

Array = NDArray[np.float64]

L = sympy.Symbol("L", integer=True, positive=True)
k = sympy.Symbol("k", integer=True, positive=True)
temperature = sympy.Symbol("temperature", positive=True)
relevant_distance = sympy.Symbol("relevant_distance", nonnegative=True)
irrelevant_distance = sympy.Symbol("irrelevant_distance", nonnegative=True)

CONTEXT_LENGTH: Final = Parameter(
    symbol=L, latex="L", meaning="examples in the context", lowest=1, highest=1e9, corners=(8.0, 1e6)
)
NUM_IRRELEVANT: Final = Parameter(symbol=k, latex="k", meaning="irrelevant examples", lowest=1, highest=L)
TEMPERATURE: Final = Parameter(
    symbol=temperature,
    latex=r"\tau",
    meaning="temperature of the softmax, in units of a squared distance",
    lowest=0.01,
    highest=1e6,
    corners=(1.0,),
)
RELEVANT_DISTANCE: Final = Parameter(
    symbol=relevant_distance,
    latex="d",
    meaning="squared distance between query and relevant examples (their soft mean)",
    lowest=0,
    highest=4,
)
IRRELEVANT_DISTANCE: Final = Parameter(
    symbol=irrelevant_distance,
    latex="d'",
    meaning="squared distance between query and irrelevant examples (their soft mean)",
    lowest=0,
    highest=4,
)
# Irrelevant examples that are not nearer than the relevant ones.
FARTHER: Final = Parameter(
    symbol=irrelevant_distance,
    latex="d'",
    meaning="squared distance between query and irrelevant examples (their soft mean), not below the relevant ones'",
    lowest=relevant_distance,
    highest=4,
)
UNIT_NORM: Final = "inputs have unit norm, so that squared distances lie in [0, 4]"

_x = sympy.Symbol("x", nonnegative=True)
_d = sympy.Symbol("d", nonnegative=True)
_relevant = sympy.Symbol("m", integer=True, nonnegative=True)
_example = sympy.Symbol("l", integer=True, positive=True)
_distance = sympy.IndexedBase("d", nonnegative=True)
# Every squared distance up to 4, with 0 in the limit; and every number of examples.
UP_TO_FOUR: Final = {irrelevant_distance: 4 / (1 + _x)}
SOME_RELEVANT: Final = {L: k + _relevant}

_IRRELEVANT: Final = k * sympy.exp(-irrelevant_distance / temperature)
_RELEVANT: Final = (L - k) * sympy.exp(-relevant_distance / temperature)
MASS: Final = _IRRELEVANT / (_IRRELEVANT + _RELEVANT)
MASS_LOWER: Final = k / (k + (L - k) * sympy.exp(4 / temperature))
_RATIO: Final = k / (k + (L - k) * sympy.exp((irrelevant_distance - relevant_distance) / temperature))
_AT_QUERY: Final = k / (k + (L - k) * sympy.exp(irrelevant_distance / temperature))

_SUM: Final = sympy.Sum(sympy.exp(-_distance[_example] / temperature), (_example, 1, k))
SOFT_MEAN: Final = (
    Step(
        _SUM,
        "=",
        sympy.Subs(k * sympy.exp(-_d / temperature), _d, -temperature * sympy.log(_SUM / k)),
        "Examples weigh as much together as equally many at their soft mean.",
        evaluated(simplifies),
    ),
    Step(
        -_d / temperature,
        ">=",
        -4 / temperature,
        "No example weighs less than one at squared distance 4, so no soft mean exceeds 4.",
        substituting({_d: 4 / (1 + _x)}, by_sign()),
    ),
    Step(
        sympy.exp(-_d / temperature),
        "<=",
        sympy.Integer(1),
        "No example weighs more than one at the query itself, so no soft mean is negative.",
        by_monotonicity(_d, 0),
    ),
)
_TO_RATIO: Final = Step(MASS, "=", _RATIO, "Only the difference of the two distances counts.", simplifies)
_TO_LOWER: Final = (
    _TO_RATIO,
    Step(
        _RATIO,
        ">=",
        _AT_QUERY,
        "Relevant examples weigh most at the query itself.",
        substituting(SOME_RELEVANT, by_monotonicity(relevant_distance, 0)),
    ),
    Step(
        _AT_QUERY,
        ">=",
        MASS_LOWER,
        "Irrelevant examples weigh least at the opposite point, at squared distance 4.",
        substituting(SOME_RELEVANT | UP_TO_FOUR, by_monotonicity(_x, 0)),
    ),
)
_TO_UPPER: Final = (
    _TO_RATIO,
    Step(
        _RATIO,
        "<=",
        k / L,
        "Irrelevant examples weigh most where they are as near as the relevant ones.",
        substituting(SOME_RELEVANT | {irrelevant_distance: relevant_distance + _x}, by_monotonicity(_x, 0)),
    ),
)


def attention_mass(
    L: Array, k: Array, temperature: Array, relevant_distance: Array, irrelevant_distance: Array
) -> Array:
    r"""Attention mass on the irrelevant examples, :math:`k/(k + (L-k)e^{(d'-d)/\tau})`."""
    return k / (k + (L - k) * np.exp((irrelevant_distance - relevant_distance) / temperature))


def lower(L: Array, k: Array, temperature: Array) -> Array:
    r"""Least mass on the irrelevant examples, :math:`k/(k + (L-k)e^{4/\tau})`."""
    return k / (k + (L - k) * np.exp(4 / temperature))


def upper(L: Array, k: Array) -> Array:
    """Greatest mass on irrelevant examples that are not nearer than the relevant ones, :math:`k/L`."""
    return k / L


THEOREMS: Final = (
    Theorem(
        name="attention_mass_lower",
        title="Attention: mass on the irrelevant examples, for all unit-norm inputs",
        family="in-context",
        kind="lower",
        source=DERIVED_HERE,
        parameters=(CONTEXT_LENGTH, NUM_IRRELEVANT, TEMPERATURE, RELEVANT_DISTANCE, IRRELEVANT_DISTANCE),
        premises=(UNIT_NORM,),
        left=MASS,
        relation=">=",
        right=MASS_LOWER,
        derivation=Derivation(lemmas=SOFT_MEAN, chain=_TO_LOWER),
        evaluate_left=attention_mass,
        evaluate_right=lower,
        value_meaning="attention mass on the irrelevant examples at least",
        wrong=WrongVariant(
            mistake="squared distances up to 2 only, as if no two inputs were more than orthogonal",
            right=k / (k + (L - k) * sympy.exp(2 / temperature)),
            evaluate=lambda L, k, temperature: k / (k + (L - k) * np.exp(2 / temperature)),
        ),
    ),
    Theorem(
        name="attention_mass_upper",
        title="Attention: mass on irrelevant examples that are not nearer than the relevant ones",
        family="in-context",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(CONTEXT_LENGTH, NUM_IRRELEVANT, TEMPERATURE, RELEVANT_DISTANCE, FARTHER),
        premises=(UNIT_NORM,),
        left=MASS,
        relation="<=",
        right=k / L,
        derivation=Derivation(lemmas=SOFT_MEAN, chain=_TO_UPPER),
        evaluate_left=attention_mass,
        evaluate_right=upper,
        value_meaning="attention mass on the irrelevant examples at most",
        wrong=WrongVariant(
            mistake="the query counted among the examples: k/(L + 1)",
            right=k / (L + 1),
            evaluate=lambda L, k: k / (L + 1),
        ),
    ),
)
