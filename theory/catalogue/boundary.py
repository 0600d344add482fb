r"""The boundary after many visits: where the expected log-odds :math:`d_0 + n\Delta - a\log n - \kappa` last rise to 0.

With :math:`\Delta = r_h - H` the gap between the risks, :math:`a\log n + \kappa` what the table's cumulative loss has
beyond :math:`nH`, and :math:`\kappa' = \kappa - d_0`. Everything here is about the equation; how far the boundary of
the mean gate is from its root, ``theory.predict`` shows side by side (``asymptotic`` and ``sharp``).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.theorems.checks.algebra import Ranges
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_monotonicity, by_sampling
from theory.theorems.checks.sequences import within
from theory.theorems.derivation import Derivation, Step
from theory.theorems.last_root import LastRoot
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

Array = NDArray[np.float64]

log_weight = sympy.Symbol("log_weight", positive=True)
gap = sympy.Symbol("gap", positive=True)
constant = sympy.Symbol("constant", real=True)

_SHIFT: Final = sympy.log(log_weight / gap)
PARAMETERS: Final = (
    Parameter(
        symbol=log_weight,
        latex="a",
        meaning="weight of the logarithm in the table's cumulative loss, (C - s) b + (s - 1)/2",
        lowest=1e-3,
        highest=1e6,
    ),
    Parameter(symbol=gap, latex=r"\Delta", meaning="in-context risk minus Bayes risk, nats", lowest=1e-9, highest=10),
    Parameter(
        symbol=constant,
        latex=r"\kappa'",
        meaning="constant of the cumulative loss minus the gate's prior log-odds, nats",
        lowest=log_weight * (sympy.Rational(101, 100) - _SHIFT),
        highest=log_weight * (1000 - _SHIFT),
    ),
)
PREMISES: Final = ("the gap is positive, and the expected log-odds are negative at some number of visits",)
RANGES: Final[Ranges] = {log_weight: (1, 3), gap: (0.01, 0.1), constant: (0, 3)}

_u: Final = constant / log_weight + _SHIFT
ROOT: Final = LastRoot(log_weight, gap, constant)
_ARGUMENT: Final = -gap / log_weight * sympy.exp(-constant / log_weight)
CLOSED: Final = -log_weight / gap * sympy.LambertW(_ARGUMENT, -1)
_PRINCIPAL: Final = -log_weight / gap * sympy.LambertW(_ARGUMENT)
_UNIT: Final = log_weight / gap
# s with u = 1 + s^2/2.
_s: Final = sympy.sqrt(2 * (_u - 1))
_UPPER: Final = _UNIT * (1 + _s + _s**2 / 2)
_LOWER: Final = _UNIT * (1 + _s + _s**2 / 3)
_LEADING: Final = _UNIT * (_u + sympy.log(_u))
_REMAINDER: Final = _UNIT * sympy.log(_u) / (_u - 1)

_t = sympy.Symbol("t", nonnegative=True)
_ABOVE: Final = Step(
    sympy.log(1 + _t + _t**2 / 2),
    "<=",
    _t,
    "With w = 1 + t + t^2/2: w - log w >= 1 + t^2/2, so that w is not below the root (w - log w grows beyond 1).",
    by_monotonicity(_t, 0),
)
_BELOW: Final = Step(
    _t - _t**2 / 6,
    "<=",
    sympy.log(1 + _t + _t**2 / 3),
    "With w = 1 + t + t^2/3: w - log w <= 1 + t^2/2, so that w is not above the root.",
    by_monotonicity(_t, 0),
)
_LAMBERT: Final = Step(
    CLOSED * gap,
    "=",
    log_weight * sympy.log(CLOSED) + constant,
    "The closed form solves the equation, since W(z) exp(W(z)) = z.",
    to_fifty_digits(RANGES),
)
_LARGER: Final = Step(
    sympy.LambertW(_ARGUMENT, -1),
    "<=",
    sympy.Integer(-1),
    "The lower branch is below -1: the root is beyond a/Delta, where the log-odds rise; the principal branch is not.",
    by_sampling(RANGES, points=60),
)
_n = sympy.Symbol("n", positive=True)
_SCALED: Final = Step(
    (_n * gap - log_weight * sympy.log(_n) - constant) / log_weight,
    "=",
    _n * gap / log_weight - sympy.log(_n * gap / log_weight) - _u,
    "In w = n Delta / a the equation is w - log w = u, with u = kappa'/a + log(a/Delta).",
    simplifies,
)


def exponent(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`u = \kappa'/a + \log(a/\Delta)`."""
    return np.asarray(constant / log_weight + np.log(log_weight / gap))


def scaled_root(u: Array) -> Array:
    r"""The larger root of :math:`w - \log w = u`, by Newton's method from above (real or complex arguments)."""
    u = np.asarray(u)
    w = 1 + np.sqrt(2 * (u - 1)) + (u - 1)
    for _ in range(60):
        w = w - (w - np.log(w) - u) * w / (w - 1)
    return np.asarray(w)


def root_by_bisection(log_weight: Array, gap: Array, constant: Array) -> Array:
    """The larger root, by bisection between its bounds."""
    u = exponent(log_weight, gap, constant)
    low, high = np.ones_like(u), 2 * u + 2
    for _ in range(120):
        middle = (low + high) / 2
        beyond = middle - np.log(middle) > u
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.asarray(log_weight / gap * high)


def boundary(log_weight: Array, gap: Array, constant: Array) -> Array:
    r"""Closed form :math:`-\frac a\Delta W_{-1}(-\frac\Delta a e^{-\kappa'/a})`, at any size of the exponent."""
    return np.asarray(log_weight / gap * scaled_root(exponent(log_weight, gap, constant)))


def _principal(log_weight: Array, gap: Array, constant: Array) -> Array:
    from scipy.special import lambertw

    return np.asarray(-log_weight / gap * lambertw(-np.exp(-exponent(log_weight, gap, constant))).real)


def _bound(divisor: float, log_weight: Array, gap: Array, constant: Array) -> Array:
    s = np.sqrt(2 * (exponent(log_weight, gap, constant) - 1))
    return np.asarray(log_weight / gap * (1 + s + s * s / divisor))


def leading_order(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`\frac a\Delta (u + \log u)`."""
    u = exponent(log_weight, gap, constant)
    return np.asarray(log_weight / gap * (u + np.log(u)))


def remainder(log_weight: Array, gap: Array, constant: Array) -> Array:
    r""":math:`\frac a\Delta \frac{\log u}{u-1}`."""
    u = exponent(log_weight, gap, constant)
    return np.asarray(log_weight / gap * np.log(u) / (u - 1))


_VALUE: Final = "visits"
THEOREMS: Final = (
    Theorem(
        name="boundary_lambert",
        title="Boundary after many visits: the lower branch of the Lambert function",
        family="transition",
        kind="exact",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=PREMISES,
        left=ROOT,
        relation="=",
        right=CLOSED,
        derivation=Derivation(
            lemmas=(_LAMBERT, _LARGER),
            chain=(Step(ROOT, "=", CLOSED, "The larger of the two roots of the equation.", to_fifty_digits(RANGES)),),
        ),
        evaluate_left=root_by_bisection,
        evaluate_right=boundary,
        value_meaning=_VALUE,
        wrong=WrongVariant(
            mistake="the principal branch, which is where the log-odds fall",
            right=_PRINCIPAL,
            evaluate=_principal,
        ),
    ),
    Theorem(
        name="boundary_upper",
        title="Boundary after many visits: an upper bound without special functions",
        family="transition",
        kind="upper",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=PREMISES,
        left=ROOT,
        relation="<=",
        right=_UPPER,
        derivation=Derivation(
            lemmas=(_SCALED, _ABOVE),
            chain=(Step(ROOT, "<=", _UPPER, "The two lemmas, at t^2/2 = u - 1.", by_sampling(RANGES, points=60)),),
        ),
        evaluate_left=root_by_bisection,
        evaluate_right=lambda log_weight, gap, constant: _bound(2, log_weight, gap, constant),
        value_meaning=_VALUE,
        wrong=WrongVariant(
            mistake="t^2/3 in place of t^2/2, which is the lower bound",
            right=_LOWER,
            evaluate=lambda log_weight, gap, constant: _bound(3, log_weight, gap, constant),
        ),
    ),
    Theorem(
        name="boundary_lower",
        title="Boundary after many visits: a lower bound without special functions",
        family="transition",
        kind="lower",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=PREMISES,
        left=ROOT,
        relation=">=",
        right=_LOWER,
        derivation=Derivation(
            lemmas=(_SCALED, _BELOW),
            chain=(Step(ROOT, ">=", _LOWER, "The two lemmas, at t^2/2 = u - 1.", by_sampling(RANGES, points=60)),),
        ),
        evaluate_left=root_by_bisection,
        evaluate_right=lambda log_weight, gap, constant: _bound(3, log_weight, gap, constant),
        value_meaning=_VALUE,
        wrong=WrongVariant(
            mistake="t^2/2 in place of t^2/3, which is the upper bound",
            right=_UPPER,
            evaluate=lambda log_weight, gap, constant: _bound(2, log_weight, gap, constant),
        ),
    ),
    Theorem(
        name="boundary_leading_order",
        title="Boundary after many visits: a/Delta times a logarithm, as the gap goes to 0",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=PARAMETERS,
        premises=(*PREMISES, "u = constant/log_weight + log(log_weight/gap) grows"),
        left=ROOT,
        relation="~",
        right=_LEADING,
        derivation=Derivation(
            lemmas=(_SCALED,),
            chain=(
                Step(
                    ROOT,
                    "~",
                    _LEADING,
                    "w = u + y with y = log(u + y) >= log u; the logarithm is concave, y <= log u + y/u, so that "
                    "log u <= y <= log(u) u/(u - 1).",
                    within(_REMAINDER, RANGES),
                ),
            ),
        ),
        evaluate_left=root_by_bisection,
        evaluate_right=leading_order,
        remainder=remainder,
        value_meaning=_VALUE,
        wrong=WrongVariant(
            mistake="the logarithm of the logarithm forgotten",
            right=_UNIT * _u,
            evaluate=lambda log_weight, gap, constant: log_weight / gap * exponent(log_weight, gap, constant),
        ),
    ),
)
