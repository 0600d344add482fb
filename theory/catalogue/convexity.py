r"""The gated prediction never loses more than the two predictions lose on average: :math:`-\log` is convex."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.gate_losses import Array
from theory.catalogue.letters import NATS
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_convexity
from theory.theorems.checks.reductions import after, evaluated, substituting
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

alpha = sympy.Symbol("alpha", nonnegative=True)
g = sympy.Symbol("g", positive=True)
h = sympy.Symbol("h", positive=True)
_u = sympy.Symbol("u", real=True)
_x = sympy.Symbol("x", nonnegative=True)

WEIGHT: Final = Parameter(
    symbol=alpha, latex=r"\alpha", meaning="weight on the in-weight predictor", lowest=0, highest=1
)
IN_WEIGHT: Final = Parameter(
    symbol=g,
    latex="g",
    meaning="probability that the in-weight predictor gives the label",
    lowest=0,
    highest=1,
    above=True,
)
IN_CONTEXT: Final = Parameter(
    symbol=h,
    latex="h",
    meaning="probability that the in-context predictor gives the label",
    lowest=0,
    highest=1,
    above=True,
)

LOSS: Final = -sympy.log(alpha * g + (1 - alpha) * h)
_AVERAGE: Final = -alpha * sympy.log(g) - (1 - alpha) * sympy.log(h)
_SHIFTED: Final = -sympy.log(h) - sympy.log(alpha * g / h + 1 - alpha)
_LINEAR: Final = -sympy.log(h) - alpha * sympy.log(g / h)

_AT_ONE: Final = Step(
    sympy.Subs(LOSS, alpha, 1),
    "=",
    sympy.Subs(_AVERAGE, alpha, 1),
    "At weight 1 both sides are the loss of g.",
    evaluated(simplifies),
)
_CHAIN: Final = (
    Step(
        LOSS,
        "=",
        _SHIFTED,
        "The probability h comes out of the logarithm.",
        substituting({alpha: _x / (1 + _x)}, after(sympy.exp, simplifies)),
    ),
    Step(
        _SHIFTED,
        "<=",
        _LINEAR,
        "With g = h exp(u) the loss is concave in u, and the right side is its tangent at u = 0.",
        substituting({g: h * sympy.exp(_u)}, by_convexity(_u, 0, {alpha: _x / (1 + _x)})),
    ),
    Step(_LINEAR, "=", _AVERAGE, "The logarithm of the ratio, written out.", simplifies),
)


def loss_of_mixture(alpha: Array, g: Array, h: Array) -> Array:
    r"""Loss of the gated prediction, :math:`-\log[\alpha g + (1-\alpha)h]`, accurate near 0 too."""
    missing = alpha * (1 - g) + (1 - alpha) * (1 - h)
    near = missing < 0.5
    return np.asarray(
        -np.where(
            near, np.log1p(-np.where(near, missing, 0.0)), np.log(np.where(near, 1.0, alpha * g + (1 - alpha) * h))
        )
    )


def mean_of_losses(alpha: Array, g: Array, h: Array) -> Array:
    r"""Mean of the two losses with the gate's weights."""
    return np.asarray(-alpha * np.log(g) - (1 - alpha) * np.log(h))


THEOREMS: Final = (
    Theorem(
        name="convexity",
        title="The gated prediction loses at most the gate's average of the two losses",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(WEIGHT, IN_WEIGHT, IN_CONTEXT),
        premises=(),
        left=LOSS,
        relation="<=",
        right=_AVERAGE,
        derivation=Derivation(lemmas=(_AT_ONE,), chain=_CHAIN),
        evaluate_left=loss_of_mixture,
        evaluate_right=mean_of_losses,
        value_meaning=f"loss of the gated prediction at most, {NATS}",
        wrong=WrongVariant(
            mistake="the two weights exchanged",
            right=-(1 - alpha) * sympy.log(g) - alpha * sympy.log(h),
            evaluate=lambda alpha, g, h: mean_of_losses(alpha, h, g),
        ),
    ),
)
