r"""How steep the gated loss can be in the mixing weight: the largest ratio of the two predictions.

The slope of :math:`-\log f` with :math:`f = \alpha g + (1-\alpha)h` is :math:`|g-h|/f`; one more than that is at most
the larger of :math:`g/h` and :math:`h/g`, whose largest values follow from the table's counts and the floor.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.convexity import WEIGHT, alpha
from theory.catalogue.gate_losses import Array
from theory.catalogue.letters import NATS, NUM_CLASSES, PSEUDO_COUNT, VISITS, C, b, n
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import substituting
from theory.theorems.checks.sums import against_each, in_cases, naming, some_argument
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

floor = sympy.Symbol("floor", positive=True)
k = sympy.Symbol("k", integer=True, nonnegative=True)
copied = sympy.Symbol("copied", nonnegative=True)
_g, _h = sympy.symbols("g h", positive=True)
_s, _m, _y = sympy.symbols("s m y", nonnegative=True)
_x = sympy.Symbol("x", positive=True)

FLOOR: Final = Parameter(
    symbol=floor,
    latex=r"\varepsilon",
    meaning="least probability that the in-context predictor gives a label",
    lowest=1e-12,
    highest=1 / C,
    below=True,
    corners=(1e-6,),
)
COUNT: Final = Parameter(symbol=k, latex="k", meaning="visits that had the label", lowest=0, highest=n)
COPIED: Final = Parameter(
    symbol=copied, latex="q", meaning="mass that the attention copies to the label", lowest=0, highest=1
)

_TABLE: Final = (k + b) / (n + C * b)
_CONTEXT: Final = floor + (1 - C * floor) * copied
_MIXED: Final = alpha * _TABLE + (1 - alpha) * _CONTEXT
_STEEPNESS: Final = 1 + sympy.Abs(_TABLE - _CONTEXT) / _MIXED
_RATIO: Final = sympy.Max(_TABLE / _CONTEXT, _CONTEXT / _TABLE)
_TABLE_SURER: Final = (n + b) / ((n + C * b) * floor)
_CONTEXT_SURER: Final = (1 - (C - 1) * floor) * (n + C * b) / b
_BOUND: Final = sympy.Max(_TABLE_SURER, _CONTEXT_SURER)

# Every floor is 1/(C + x), every count one of n = k + m, every weight and mass in (0, 1) is 1/(1 + y).
_FLOORS: Final = {floor: 1 / (C + _x)}
_SHARES: Final = {alpha: 1 / (1 + _y)}
# The table gives the probability g for the count that does.
_GIVEN_TABLE: Final = {k: _g * (n + C * b) - b, **_FLOORS}

_SLOPE: Final = Step(
    sympy.diff(-sympy.log(alpha * _g + (1 - alpha) * _h), alpha),
    "=",
    -(_g - _h) / (alpha * _g + (1 - alpha) * _h),
    "The slope of the loss in the weight.",
    simplifies,
)
_LIMITS: Final = substituting({n: k + _m, copied: 1 / (1 + _y), **_FLOORS}, some_argument(by_sign()))
_CHAIN: Final = (
    Step(
        _STEEPNESS,
        "<=",
        _RATIO,
        "The mixture is at least the smaller of the two: one plus the slope is at most the larger over the smaller.",
        substituting(
            _GIVEN_TABLE,
            naming(
                {_h: _CONTEXT.subs(_FLOORS)},
                in_cases(({_g: _h + _s, **_SHARES}, {_h: _g + _s, **_SHARES}), some_argument(by_sign())),
            ),
        ),
    ),
    Step(
        _RATIO,
        "<=",
        _BOUND,
        "A label's count lies between 0 and n, its copied mass between 0 and 1.",
        against_each(_LIMITS, _LIMITS),
    ),
)


def steepness(n: Array, C: Array, b: Array, floor: Array, alpha: Array, k: Array, copied: Array) -> Array:
    r""":math:`1 + |g - h|/f`: one plus the size of the slope."""
    table, context = (k + b) / (n + C * b), floor + _spare(C, floor) * copied
    return np.asarray(1 + np.abs(table - context) / (alpha * table + (1 - alpha) * context))


def steepest(n: Array, C: Array, b: Array, floor: Array) -> Array:
    """One plus the largest slope."""
    total = n + C * b
    return np.maximum((n + b) / (total * floor), (_spare(C, floor) + floor) * total / b)


def _spare(C: Array, floor: Array) -> Array:
    """1 - C * floor without rounding: the product is exact for either half of the floor's digits."""
    high = np.asarray(np.asarray(floor, dtype=np.float32), dtype=np.float64)
    return np.asarray((1 - C * high) - C * (floor - high))


THEOREMS: Final = (
    Theorem(
        name="gradient_bound",
        title="Slope of the gated loss in the mixing weight, by the table's counts and the floor",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(VISITS, NUM_CLASSES, PSEUDO_COUNT, FLOOR, WEIGHT, COUNT, COPIED),
        premises=("the left side is one plus the size of the slope",),
        left=_STEEPNESS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_SLOPE,), chain=_CHAIN),
        evaluate_left=steepness,
        evaluate_right=steepest,
        value=lambda n, C, b, floor: steepest(n, C, b, floor) - 1,
        value_meaning=f"size of the slope at most, {NATS} per unit of weight",
        wrong=WrongVariant(
            mistake="the floor's part alone, as if the table had one too",
            right=1 / floor,
            evaluate=lambda floor: 1 / floor,
        ),
    ),
)
