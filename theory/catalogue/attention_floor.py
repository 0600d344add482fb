r"""What a floor costs attention: :math:`h_\varepsilon = (1 - C\varepsilon) h + \varepsilon` in place of :math:`h`."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.attention import Array
from theory.catalogue.letters import NUM_CLASSES, C
from theory.numerics.special import minus_product
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import after, substituting
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

floor = sympy.Symbol("floor", positive=True)
mass = sympy.Symbol("mass", nonnegative=True)

FLOOR: Final = Parameter(
    symbol=floor,
    latex=r"\varepsilon",
    meaning="least probability that attention gives any label",
    lowest=0,
    highest=1 / C,
    above=True,
    below=True,
    default=1e-4,
)
MASS: Final = Parameter(
    symbol=mass,
    latex="w",
    meaning="attention mass on wrong labels",
    lowest=0,
    highest=1,
    below=True,
)

_x = sympy.Symbol("x", nonnegative=True)
_y = sympy.Symbol("y", positive=True)
_others = sympy.Symbol("c", integer=True, nonnegative=True)

_FLOORED: Final = -sympy.log((1 - C * floor) * (1 - mass) + floor)
_SHARED: Final = -sympy.log((1 - C * floor) * (1 - mass) + floor * (1 - mass))
_COST: Final = -sympy.log(1 - mass) - sympy.log(1 - (C - 1) * floor)
# All that is admissible, written so that SymPy sees the signs.
_ADMISSIBLE: Final = {mass: _x / (1 + _x), floor: 1 / (C + _y)}
_TO_COST: Final = (
    Step(
        _FLOORED,
        "<=",
        _SHARED,
        "The label's share of the context is at most 1.",
        substituting(_ADMISSIBLE, after(sympy.exp, substituting({C: 2 + _others}, by_sign()))),
    ),
    Step(
        _SHARED, "=", _COST, "A common factor.", substituting(_ADMISSIBLE, substituting({C: 2 + _others}, simplifies))
    ),
)
# One minus what all the other labels have: the whole mass, and their floors.
_ALONE: Final = -sympy.log(1 - (1 - C * floor) - (C - 1) * floor)


def floored_loss(C: Array, floor: Array, mass: Array) -> Array:
    r"""Loss with a floor, :math:`-\log[(1-C\varepsilon)(1-w)+\varepsilon]`."""
    return loss_of_shares(C, floor, 1 - mass, mass)


def loss_of_shares(C: Array, floor: Array, right: Array, wrong: Array) -> Array:
    r"""Loss :math:`-\log[(1-C\varepsilon)v+\varepsilon]`, accurate where it is small.

    Parameters
    ----------
    C, floor : ndarray
        Number of labels, and :math:`\varepsilon`.
    right, wrong : ndarray
        Attention mass :math:`v` on the query's label, and :math:`1 - v`, neither formed from the other.
    """
    kept = minus_product(1, C, floor)
    missing = kept * wrong + (C - 1) * floor
    likely = missing < 0.5
    return np.where(likely, -np.log1p(-np.where(likely, missing, 0.0)), -np.log(kept * right + floor))


def loss_and_cost(C: Array, floor: Array, mass: Array) -> Array:
    r"""Loss without a floor, and what it costs at most: :math:`-\log(1-w) - \log(1-(C-1)\varepsilon)`."""
    return -np.log1p(-mass) + _lost(C - 1, floor)


def _lost(labels: Array, floor: Array) -> Array:
    r""":math:`-\log(1 - l\varepsilon)`."""
    product = labels * floor
    small = product < 0.5
    return np.where(small, -np.log1p(-np.where(small, product, 0.0)), -np.log(minus_product(1, labels, floor)))


def minus_log_floor(floor: Array) -> Array:
    r""":math:`\log(1/\varepsilon)`."""
    return -np.log(floor)


THEOREMS: Final = (
    Theorem(
        name="floor_cost",
        title="Attention: loss with a floor, by the loss without (attained where no mass is wrong)",
        family="in-context",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(NUM_CLASSES, FLOOR, MASS),
        premises=(),
        left=_FLOORED,
        relation="<=",
        right=_COST,
        derivation=Derivation(chain=_TO_COST),
        evaluate_left=floored_loss,
        evaluate_right=loss_and_cost,
        value=lambda C, floor: _lost(C - 1, floor),
        value_meaning="what the floor adds to the loss at most, nats",
        wrong=WrongVariant(
            mistake="the cost -log(1 - (C - 2) floor)",
            right=-sympy.log(1 - mass) - sympy.log(1 - (C - 2) * floor),
            evaluate=lambda C, floor, mass: -np.log1p(-mass) + _lost(C - 2, floor),
        ),
    ),
    Theorem(
        name="floor_alone",
        title="Attention: loss of a context with irrelevant examples only, none of which carries the query's label",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(NUM_CLASSES, FLOOR),
        premises=("all examples are irrelevant and carry other labels than the query's",),
        left=_ALONE,
        relation="=",
        right=sympy.log(1 / floor),
        derivation=Derivation(
            chain=(
                Step(
                    _ALONE,
                    "=",
                    -sympy.log(floor),
                    "The other labels have the whole mass and their floors, which leaves one floor.",
                    simplifies,
                ),
                Step(-sympy.log(floor), "=", sympy.log(1 / floor), "The same number.", simplifies),
            )
        ),
        evaluate_left=lambda C, floor: floored_loss(C, floor, np.ones(())),
        evaluate_right=minus_log_floor,
        value_meaning="in-context loss, nats",
        wrong=WrongVariant(
            mistake="the floor spread over all labels: log(C/floor)",
            right=sympy.log(C / floor),
            evaluate=lambda C, floor: np.log(C) - np.log(floor),
        ),
    ),
)
