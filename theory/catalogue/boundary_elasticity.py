r"""How the boundary after many visits moves with what it depends on: exact derivatives of its logarithm.

The boundary solves :math:`n\Delta = a\log n + \kappa'`; the implicit function theorem gives all of them, with the same
denominator :math:`n\Delta - a`, which is the slope of the log-odds at the boundary times :math:`n`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.catalogue.boundary import (
    CLOSED,
    PARAMETERS,
    PREMISES,
    RANGES,
    boundary,
    constant,
    exponent,
    gap,
    log_weight,
    scaled_root,
)
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.reductions import using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

Array = NDArray[np.float64]
_TINY: Final = 1e-60
# Beyond ten visits: where n = 1 the logarithm, and with it the elasticity by its weight, changes sign.
_MANY_VISITS: Final = (
    PARAMETERS[0],
    dataclasses.replace(PARAMETERS[1], highest=log_weight / 10),
    PARAMETERS[2],
)

_n = sympy.Symbol("n", positive=True)
_EQUATION: Final = _n * gap - log_weight * sympy.log(_n) - constant


def _implicit(symbol: sympy.Symbol, scale: sympy.Expr, result: sympy.Expr) -> Step:
    slope = -sympy.diff(_EQUATION, symbol) / sympy.diff(_EQUATION, _n)
    return Step(
        scale * slope / _n, "=", result, "The implicit function theorem at n Delta = a log n + kappa'.", simplifies
    )


_BY_GAP: Final = -_n * gap / (_n * gap - log_weight)
_BY_WEIGHT: Final = log_weight * sympy.log(_n) / (_n * gap - log_weight)
_BY_CONSTANT: Final = 1 / (_n * gap - log_weight)

_LOGARITHM: Final = Step(
    sympy.log(CLOSED),
    "=",
    (CLOSED * gap - constant) / log_weight,
    "The boundary solves the equation.",
    to_fifty_digits(RANGES),
)


def _slope(symbol: sympy.Symbol, scale: sympy.Expr) -> sympy.Expr:
    return scale * sympy.diff(CLOSED, symbol) / CLOSED


def _log_root(log_weight: Array, gap: Array, constant: Array) -> Array:
    """Logarithm of the boundary, for complex arguments too."""
    return np.asarray(np.log(log_weight / gap) + np.log(scaled_root(exponent(log_weight, gap, constant))))


def _by_complex_step(which: str, *, relative: bool) -> Callable[[Array, Array, Array], Array]:
    """Derivative by a step in the imaginary direction, which is so small that nothing is left of the next order."""

    def derivative(log_weight: Array, gap: Array, constant: Array) -> Array:
        values = {"log_weight": log_weight, "gap": gap, "constant": constant}
        scale = values[which] if relative else np.ones_like(values[which])
        values[which] = values[which] + 1j * _TINY * scale
        return np.asarray(_log_root(**values).imag / _TINY)

    return derivative


def _over_slope(log_weight: Array, gap: Array, constant: Array) -> tuple[Array, Array]:
    r""":math:`w = n\Delta/a` and :math:`w - 1`."""
    w = scaled_root(exponent(log_weight, gap, constant))
    return w, w - 1


def by_gap(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`\partial\log n/\partial\log\Delta`."""
    w, beyond = _over_slope(log_weight, gap, constant)
    return np.asarray(-w / beyond)


def by_weight(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`\partial\log n/\partial\log a`."""
    _, beyond = _over_slope(log_weight, gap, constant)
    return np.asarray(np.log(boundary(log_weight, gap, constant)) / beyond)


def by_constant(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`\partial\log n/\partial\kappa'`, which is minus that by the prior log-odds."""
    _, beyond = _over_slope(log_weight, gap, constant)
    return np.asarray(1 / (log_weight * beyond))


def _theorem(
    name: str,
    title: str,
    symbol: sympy.Symbol,
    result: sympy.Expr,
    evaluate: Callable[[Array, Array, Array], Array],
    mistake: tuple[str, sympy.Expr, Callable[[Array, Array, Array], Array]],
    meaning: str,
) -> Theorem:
    relative = symbol is not constant
    scale = symbol if relative else sympy.Integer(1)
    left, right = _slope(symbol, scale), result.subs(_n, CLOSED)
    return Theorem(
        name=name,
        title=title,
        family="transition",
        kind="exact",
        source=DERIVED_HERE,
        parameters=_MANY_VISITS if symbol is log_weight else PARAMETERS,
        premises=PREMISES,
        left=left,
        relation="=",
        right=right,
        derivation=Derivation(
            lemmas=(_implicit(symbol, scale, result),),
            chain=(
                Step(
                    left,
                    "=",
                    right,
                    "The same from the closed form: W'(z) = W/(z (1 + W)).",
                    using(_LOGARITHM, simplifies) if symbol is log_weight else simplifies,
                ),
            ),
        ),
        evaluate_left=_by_complex_step(str(symbol), relative=relative),
        evaluate_right=evaluate,
        value_meaning=meaning,
        wrong=WrongVariant(mistake=mistake[0], right=mistake[1].subs(_n, CLOSED), evaluate=mistake[2]),
    )


THEOREMS: Final = (
    _theorem(
        "boundary_elasticity_gap",
        "Boundary after many visits: how it scales with the gap between the risks (a little faster than inversely)",
        gap,
        _BY_GAP,
        by_gap,
        (
            "inversely, as if the logarithm did not move",
            sympy.Integer(-1),
            lambda log_weight, gap, constant: -1 + 0 * (log_weight + gap + constant),
        ),
        "per cent of the boundary for a per cent of the gap",
    ),
    _theorem(
        "boundary_elasticity_weight",
        "Boundary after many visits: how it scales with the weight of the logarithm",
        log_weight,
        _BY_WEIGHT,
        by_weight,
        (
            "the boundary's own move in the logarithm forgotten",
            sympy.log(_n) * log_weight / (_n * gap),
            lambda log_weight, gap, constant: (
                np.log(boundary(log_weight, gap, constant)) / scaled_root(exponent(log_weight, gap, constant))
            ),
        ),
        "per cent of the boundary for a per cent of the weight, at the same constant",
    ),
    _theorem(
        "boundary_elasticity_prior",
        "Boundary after many visits: how it moves with the constant, and the other way with the prior log-odds",
        constant,
        _BY_CONSTANT,
        by_constant,
        (
            "the boundary's own move in the logarithm forgotten",
            1 / (_n * gap),
            lambda log_weight, gap, constant: 1 / (log_weight * scaled_root(exponent(log_weight, gap, constant))),
        ),
        "relative move of the boundary for a nat of the constant",
    ),
)
