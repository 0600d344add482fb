r"""What gates that follow the gradient have in common: the slope of the loss in the mixing weight, and its best value.

The slope is :math:`z_i = -(g_i - h_i)/f_i` (probabilities of the label); the loss is convex in the weight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    SWITCHES,
    Array,
    each_visit,
    gap_up_to,
)
from theory.catalogue.letters import n
from theory.catalogue.loss_sequences import G_PAYS, H_PAYS, S, gap, loss_of_gate, visits_paid_by_g
from theory.catalogue.universal_mixture import best_share, loss_of_best_share, precise_loss_of_best_share
from theory.theorems.checks.identities import to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.reductions import substituting
from theory.theorems.checks.sums import VISIT
from theory.theorems.derivation import Step
from theory.theorems.parameters import Parameter

rate = sympy.Symbol("rate", positive=True)
G = sympy.Symbol("G", positive=True)
_x, _w = sympy.symbols("x w", positive=True)
_s = sympy.Symbol("s", nonnegative=True)
gate_weight, best_weight = sympy.symbols("p a", nonnegative=True)
_g, _h = sympy.symbols("g h", positive=True)
met_slope = sympy.Symbol("z", real=True)

LARGEST_SLOPE: Final = Parameter(
    symbol=G,
    latex="G",
    meaning="largest slope of the loss in the mixing weight, nats (see gradient_bound)",
    lowest=1e-6,
    highest=1e12,
    corners=(1.0, 10.0),
)


def rate_up_to(highest: sympy.Expr) -> Parameter:
    """The learning rate, up to an expression in parameters before it."""
    return Parameter(
        symbol=rate,
        latex=r"\lambda",
        meaning="learning rate of the gate, per nat",
        lowest=0,
        highest=highest,
        above=True,
    )


# On the evenly switching sequence, in mpmath.


def slopes(move: Callable[[Any, Any], Any], i: Any, n: Any, S: Any, gap: Any) -> tuple[Any, Any]:
    """Sum of the first i slopes, and the weight after them, of a gate that makes a weight of them."""
    total, weight = mpmath.mpf(0), mpmath.mpf(1) / 2
    for t in range(int(i)):
        g_pays = visits_paid_by_g(t + 1, int(n), int(S)) > visits_paid_by_g(t, int(n), int(S))
        g, h = mpmath.exp(-gap if g_pays else 0), mpmath.exp(0 if g_pays else -gap)
        slope = -(g - h) / (weight * g + (1 - weight) * h)
        total += slope
        weight = move(weight, slope)
    return total, weight


def _visits_paid_by_h(n: Any, S: Any) -> int:
    return int(n) - visits_paid_by_g(int(n), int(n), int(S))


def _loss_of_share(i: Any, n: Any, S: Any, gap: Any) -> Any:
    k = _visits_paid_by_h(n, S)
    if i == n:
        return precise_loss_of_best_share(n, k, gap)
    share, q = best_share(n, k, gap), mpmath.exp(-gap)
    paid = visits_paid_by_g(int(i), int(n), int(S))
    return -paid * mpmath.log(share * q + 1 - share) - (i - paid) * mpmath.log(share + (1 - share) * q)


class OfGate(sympy.Function):  # type: ignore[misc]
    """What depends on the visits so far, its first argument."""

    is_real = True
    letter = ""
    start: sympy.Expr = sympy.Integer(0)

    @classmethod
    def eval(cls, i: sympy.Expr, *_: sympy.Expr) -> sympy.Expr | None:
        """Where it starts."""
        return cls.start if i == 0 else None

    def _latex(self, printer: Any) -> str:
        return f"{self.letter}_{{{printer.doprint(self.args[0])}}}"


class LossOfShare(OfGate):
    """Loss over i visits of the mixing weight that is best for all n; arguments ``i, n, S, gap``."""

    nargs = 4
    letter = r"L^{*}"
    mp_value = staticmethod(_loss_of_share)


class BestShareOfSequence(sympy.Function):  # type: ignore[misc]
    """The mixing weight that is best for all n visits; arguments ``n, S, gap``."""

    nargs = 3
    is_nonnegative = True
    mp_value = staticmethod(lambda n, S, gap: best_share(n, _visits_paid_by_h(n, S), gap))

    def _latex(self, _: Any) -> str:
        return r"\alpha^{*}"


def slope(weight: sympy.Expr) -> sympy.Expr:
    """Slope of the loss of visit i in the weight on g."""
    g, h = sympy.exp(-G_PAYS), sympy.exp(-H_PAYS)
    return -(g - h) / (weight * g + (1 - weight) * h)


def best_so_far(i: sympy.Expr) -> sympy.Expr:
    r""":math:`L^{*}_i`: loss over i visits of the constant weight that is best for all."""
    return LossOfShare(i, n, S, gap)


BEST_SHARE: Final = BestShareOfSequence(n, S, gap)
PAYS: Final = best_so_far(VISIT) - best_so_far(VISIT - 1)
SMALL: Final = {n: (5, 9), S: (0, 4), VISIT: (1, 5), rate: (0, 1), gap: (0, 2)}
BEST_PAYS: Final = Step(
    best_so_far(VISIT),
    "=",
    best_so_far(VISIT - 1) + loss_of_gate(BEST_SHARE),
    "What the best constant weight pays at visit i.",
    to_fifty_digits(SMALL),
)
PROBABILITIES: Final = {_g: sympy.exp(-G_PAYS), _h: sympy.exp(-H_PAYS), best_weight: BEST_SHARE}
TANGENT: Final = by_convexity(best_weight, gate_weight, {best_weight: 1 / (1 + _w), gate_weight: 1 / (1 + _x)})
WITHIN: Final = substituting({G: sympy.Abs(met_slope) + _s}, by_sign())


# The same for arrays.


def slope_at(share: Array, other: Array, g_pays: NDArray[np.bool_], gap: Array) -> Array:
    """Slope of the loss in the share of g."""
    paying, free = np.where(g_pays, share, other), np.where(g_pays, other, share)
    size = -np.expm1(-gap) / (free + paying * np.exp(-gap))
    return np.asarray(np.where(g_pays, size, -size))


def best_loss(n: Array, S: Array, gap: Array) -> Array:
    """Loss over all visits of the best constant weight."""
    paid = np.zeros(np.broadcast(n, S).shape)
    for _, exists, by_g in each_visit(n, S):
        paid = paid + (exists & ~by_g)
    return loss_of_best_share(n, paid, gap)


PREMISES: Final = (
    "the slope of the loss in the mixing weight is at most G at every visit (see gradient_bound); the prior is even",
    "evaluated on the evenly switching sequence of losses; the recursions of the gate and of the loss to compare with"
    " were compared for the evaluated sequences, the other steps hold for every one",
)
SEQUENCE: Final = (AT_LEAST_ONE_VISIT, SWITCHES, LARGEST_SLOPE)
GAP: Final = gap_up_to(sympy.log(1 + G))
