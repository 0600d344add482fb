r"""The loss of an exponential mixture of both predictors: it grows as the rate falls, and log loss is that at rate 1.

:math:`M(\pi, D, G, H) = -D\log[\pi e^{-G/D} + (1-\pi)e^{-H/D}]` with :math:`D`, one over the rate, for cumulative
losses :math:`G` and :math:`H`; at :math:`D = 0` it is the smaller one of them.
"""

from __future__ import annotations

from typing import Any, Final

import mpmath
import sympy

from theory.theorems.checks.inequalities import by_monotonicity, by_slope
from theory.theorems.checks.reductions import in_every_case, substituting
from theory.theorems.checks.sums import by_concavity, logarithm_of, times, written_out
from theory.theorems.derivation import Step

weight = sympy.Symbol("w", positive=True)
inverse_rate, slower = sympy.symbols("D s", nonnegative=True)
G, H = sympy.symbols("G H", nonnegative=True)
gain = sympy.Symbol("d", real=True)
rise = sympy.Symbol("y", nonnegative=True)
_a, _b, _q, _D = sympy.symbols("a b q D", positive=True)
_u, _g, _h = sympy.symbols("u g h", nonnegative=True)
_BELOW_ONE: Final = {weight: 1 / (1 + _q)}


def _mixture_loss(weight: Any, inverse_rate: Any, of_g: Any, of_h: Any) -> Any:
    least = min(of_g, of_h)
    if inverse_rate == 0:
        return least
    kept = [mpmath.exp((least - loss) / inverse_rate) for loss in (of_g, of_h)]
    return least - inverse_rate * mpmath.log(weight * kept[0] + (1 - weight) * kept[1])


MIXTURE_LOSS_MEANS: Final = (
    "M(w, D, G, H) = -D log[w exp(-G/D) + (1 - w) exp(-H/D)], and min(G, H) at D = 0: the loss of the exponential"
    " mixture with the prior weight w of g and one over the rate D"
)


class MixtureLoss(sympy.Function):  # type: ignore[misc]
    """Loss of the exponential mixture; arguments: prior weight of g, one over the rate, the cumulative losses."""

    nargs = 4
    is_real = True
    is_nonnegative = True
    mp_value = staticmethod(_mixture_loss)

    @classmethod
    def eval(cls, _: sympy.Expr, __: sympy.Expr, of_g: sympy.Expr, of_h: sympy.Expr) -> sympy.Expr | None:
        """Without losses it is 0, at every rate."""
        return sympy.Integer(0) if of_g == 0 and of_h == 0 else None

    def definition(self) -> sympy.Expr:
        """The formula where the rate is finite."""
        share, inverse, of_g, of_h = self.args
        inverse = sympy.factor(inverse)
        return -inverse * sympy.log(share * sympy.exp(-of_g / inverse) + (1 - share) * sympy.exp(-of_h / inverse))

    def _latex(self, printer: Any) -> str:
        arguments = ", ".join(printer.doprint(argument) for argument in self.args)
        return rf"M\left({arguments}\right)"


# A slower mixture loses more.

POWER_MEAN: Final = Step(
    (weight * _a + (1 - weight) * _b) ** (1 + rise),
    "<=",
    weight * _a ** (1 + rise) + (1 - weight) * _b ** (1 + rise),
    "A power above 1 is convex: the mean's power is at most the mean of the powers.",
    by_concavity(weight, (sympy.Integer(0), sympy.Integer(1)), _BELOW_ONE),
)
SLOWER_LOSES_MORE: Final = Step(
    MixtureLoss(weight, inverse_rate, G, H),
    "<=",
    MixtureLoss(weight, inverse_rate + slower, G, H),
    "Where the rate falls the mixture loses more: means of powers grow with the exponent (D = 0 is a limit).",
    substituting(
        {
            inverse_rate: _D,
            slower: _D * rise,
            G: _D * (1 + rise) * sympy.log(1 + _g),
            H: _D * (1 + rise) * sympy.log(1 + _h),
        },
        written_out(
            times(1 / _D, logarithm_of(POWER_MEAN, {_a: 1 / (1 + _g), _b: 1 / (1 + _h), **_BELOW_ONE})),
        ),
    ),
)

# Log loss against the mixture at another rate, at one visit.


def _tilted(rate: sympy.Expr, size: sympy.Expr) -> sympy.Expr:
    return sympy.log(weight * sympy.exp(rate * size) + 1 - weight) / rate


SLOWER_AT_ONE_VISIT: Final = Step(
    -_tilted(sympy.Integer(1), gain),
    "<=",
    -_tilted(1 - rise / (1 + rise), gain),
    "The rate 1 and a smaller one, by the same means of powers.",
    substituting(
        {gain: (1 + rise) * sympy.log(_a)},
        logarithm_of(POWER_MEAN, {_b: sympy.Integer(1), **_BELOW_ONE}),
    ),
)


def _share(size: sympy.Expr) -> sympy.Expr:
    return weight * sympy.exp(size) / (weight * sympy.exp(size) + 1 - weight)


_FASTER: Final = 1 + rise
_FLATTER: Final = tuple(
    Step(
        sign * _share(sign * _FASTER * _u),
        "<=",
        sign * _share(sign * _u) + rise * _u / 4,
        "The slope of the logistic function is at most 1/4.",
        by_monotonicity(rise, 0, _BELOW_ONE),
    )
    for sign in (1, -1)
)
FASTER_LOSES_LITTLE_LESS: Final = Step(
    -_tilted(sympy.Integer(1), gain),
    "<=",
    -_tilted(_FASTER, gain) + rise * gain**2 / 8,
    "The rate 1 and a larger one: the slopes in d differ by at most a quarter of the difference of the rates times d.",
    in_every_case(
        *(
            substituting({gain: sign * _u}, by_slope(_u, 0, lemma, _BELOW_ONE))
            for sign, lemma in zip((1, -1), _FLATTER, strict=True)
        )
    ),
)
