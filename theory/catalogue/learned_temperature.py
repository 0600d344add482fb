r"""Attention that learns its temperature: gradient flow, solved by the Lambert function, and when copying emerges.

A prompt has :math:`m` relevant and :math:`k` irrelevant noiseless examples. With the inverse temperature :math:`\beta`
in units of the gap between their squared distances the loss is :math:`\log(1 + \frac km e^{-\beta})`, and gradient flow
is :math:`\beta' = \text{rate}/(1 + \frac mk e^\beta)`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from scipy.special import wrightomega

from theory.catalogue.attention import Array
from theory.learned.temperature import inverse_temperature
from theory.theorems.checks.identities import by_definition, simplifies, to_fifty_digits
from theory.theorems.checks.reductions import evaluated, using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.flow import InverseTemperature, TimeOfFlight
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

m = sympy.Symbol("m", integer=True, positive=True)
k = sympy.Symbol("k", integer=True, positive=True)
rate = sympy.Symbol("rate", positive=True)
beta_0 = sympy.Symbol("beta_0", nonnegative=True)
time = sympy.Symbol("time", nonnegative=True)
loss_share = sympy.Symbol("loss_share", positive=True)

_FLOW: Final = (
    Parameter(symbol=m, latex="m", meaning="relevant examples", lowest=1, highest=1e6),
    Parameter(symbol=k, latex="k", meaning="irrelevant examples", lowest=1, highest=1e6),
    Parameter(
        symbol=rate,
        latex=r"\lambda",
        meaning="learning rate of the scaled inverse temperature beta, per unit of time",
        lowest=1e-6,
        highest=1e3,
        corners=(1.0,),
    ),
    Parameter(
        symbol=beta_0,
        latex=r"\beta_0",
        meaning="inverse temperature at the start, times the gap between the squared distances",
        lowest=0,
        highest=50,
    ),
)
_TIME: Final = Parameter(
    symbol=time, latex="t", meaning="time since the start", lowest=0, highest=1e12, corners=(1.0, 1e6)
)
_LOSS_SHARE: Final = Parameter(
    symbol=loss_share,
    latex="s",
    meaning="share of the loss at the start that is left",
    lowest=1e-9,
    highest=1,
    below=True,
)
_PREMISES: Final = (
    "no label is noisy, and no irrelevant example carries the query's label",
    "all relevant examples are equally far from the query, and all irrelevant ones too",
    "attention has no floor",
    "beta is the inverse temperature times the gap between the squared distances, and beta itself follows the gradient",
)

# The flow.

_beta = sympy.Symbol("beta", real=True)
_c: Final = beta_0 + m / k * sympy.exp(beta_0)
_ARGUMENT: Final = m / k * sympy.exp(_c + rate * time)
_SOLUTION: Final = _c + rate * time - sympy.LambertW(_ARGUMENT)
_POSITION: Final = InverseTemperature(m, k, rate, beta_0, time)
_GRADIENT: Final = Step(
    -rate * sympy.diff(sympy.log(1 + k / m * sympy.exp(-_beta)), _beta),
    "=",
    rate / (1 + m / k * sympy.exp(_beta)),
    "Gradient flow falls along the loss.",
    simplifies,
)
_LAMBERT: Final = Step(
    sympy.exp(-sympy.LambertW(_ARGUMENT)),
    "=",
    sympy.LambertW(_ARGUMENT) / _ARGUMENT,
    "The Lambert function: W(z) exp(W(z)) = z.",
    to_fifty_digits(),
)
_EQUATION: Final = Step(
    sympy.diff(_SOLUTION, time),
    "=",
    rate / (1 + m / k * sympy.exp(_SOLUTION)),
    "The closed form obeys the flow's equation.",
    using(_LAMBERT, simplifies),
)
_START: Final = Step(
    _SOLUTION.subs(time, 0),
    "=",
    beta_0,
    "The closed form starts at beta_0, since W(v exp(v)) = v for positive v; the equation has one solution only.",
    to_fifty_digits(),
)
_TO_SOLUTION: Final = (
    Step(
        _POSITION,
        "=",
        _SOLUTION,
        "The flow needs the given time to get to the closed form: beta + (m/k) exp(beta) = c + rate t.",
        to_fifty_digits(),
    ),
)

# Emergence.

_LEVEL: Final = loss_share * sympy.log(1 + k / m * sympy.exp(-beta_0))
_TARGET: Final = sympy.log(k / (m * (sympy.exp(_LEVEL) - 1)))
_FLIGHT: Final = TimeOfFlight(m, k, rate, beta_0, _TARGET)
_EMERGENCE: Final = (_TARGET - beta_0 + m / k * (sympy.exp(_TARGET) - sympy.exp(beta_0))) / rate
_level, _beta = sympy.Symbol("r", positive=True), sympy.Symbol("beta", real=True)
_AT_LEVEL: Final = Step(
    sympy.Subs(sympy.log(1 + k / m * sympy.exp(-_beta)), _beta, sympy.log(k / (m * (sympy.exp(_level) - 1)))),
    "=",
    _level,
    "The loss is r at beta_r = log(k/(m (exp(r) - 1))).",
    evaluated(simplifies),
)
_TO_EMERGENCE: Final = (
    Step(
        _FLIGHT,
        "=",
        _EMERGENCE,
        "The inverse speed has an elementary integral.",
        by_definition,
    ),
)


def _without_constant(m: Array, k: Array, exponent: Array) -> Array:
    omega = wrightomega(np.log(m / k) + exponent)
    return np.asarray(np.log(k / m) + np.log(omega))


def inverse_temperature_by_bisection(m: Array, k: Array, rate: Array, beta_0: Array, time: Array) -> Array:
    r"""The same, by bisection of :math:`\delta + v(e^\delta - 1) = \lambda t` with :math:`v = \frac mk e^{\beta_0}`."""
    v, flown = m / k * np.exp(beta_0), rate * time
    high = np.minimum(flown / (1 + v), np.log1p(flown / v))
    low = np.zeros_like(high)
    for _ in range(100):
        middle = (low + high) / 2
        beyond = middle + v * np.expm1(middle) > flown
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.asarray(beta_0 + high)


def _odds(m: Array, k: Array, beta_0: Array) -> Array:
    """Odds of the irrelevant examples at the start; the loss is the logarithm of one plus these."""
    return k / m * np.exp(-beta_0)


def emergence_time(m: Array, k: Array, rate: Array, beta_0: Array, loss_share: Array) -> Array:
    r"""Time until a share of the loss is left, :math:`[\beta_r-\beta_0+\frac mk(e^{\beta_r}-e^{\beta_0})]/\lambda`."""
    gained, ratio = _gained(m, k, beta_0, loss_share)
    return np.asarray((gained + ratio / _odds(m, k, beta_0)) / rate)


def _gained(m: Array, k: Array, beta_0: Array, loss_share: Array) -> tuple[Array, Array]:
    r""":math:`\delta = \beta_r - \beta_0` and :math:`e^\delta - 1`, accurate also where little of the loss is gone."""
    x = _odds(m, k, beta_0)
    start = np.log1p(x)
    u = (1 + x) / x * np.expm1(-(1 - loss_share) * start)
    near = u > -0.5
    u = np.where(near, u, 0.0)
    far = x / np.expm1(loss_share * start)
    return np.where(near, -np.log1p(u), np.log(far)), np.where(near, -u / (1 + u), far - 1)


def time_by_quadrature(m: Array, k: Array, rate: Array, beta_0: Array, loss_share: Array) -> Array:
    """The same: bisection for the end of the flight, and Gauss-Legendre quadrature of the inverse speed."""
    arrays = np.broadcast_arrays(m, k, rate, beta_0, loss_share)
    m, k, rate, beta_0, loss_share = (a.reshape(-1) for a in arrays)
    x = _odds(m, k, beta_0)
    gained = _gained_by_bisection(x, loss_share)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    inverse_speed = 1 + np.exp(gained[:, None] * (1 + nodes) / 2) / x[:, None]
    return np.asarray(gained / 2 * (inverse_speed @ weights) / rate).reshape(arrays[0].shape)


def _gained_by_bisection(x: Array, loss_share: Array) -> Array:
    start = np.log1p(x)
    low, high = np.full_like(start, 1e-60), np.full_like(start, 100.0)
    for _ in range(80):
        middle = np.sqrt(low * high)
        lost = -np.log1p(x / (1 + x) * np.expm1(-np.minimum(middle, 1.0)))
        left = np.log1p(x * np.exp(-middle))
        # What is lost is compared where little is, what is left where much is lost.
        beyond = np.where(middle < 1, lost > (1 - loss_share) * start, left < loss_share * start)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.asarray(np.sqrt(low * high))


THEOREMS: Final = (
    Theorem(
        name="learned_temperature",
        title="Attention that learns its temperature: gradient flow of the inverse temperature",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(*_FLOW, _TIME),
        premises=_PREMISES,
        left=_POSITION,
        relation="=",
        right=_SOLUTION,
        derivation=Derivation(lemmas=(_GRADIENT, _LAMBERT, _EQUATION, _START), chain=_TO_SOLUTION),
        evaluate_left=inverse_temperature_by_bisection,
        evaluate_right=inverse_temperature,
        value_meaning="inverse temperature, times the gap between the squared distances",
        wrong=WrongVariant(
            mistake="the constant of integration beta_0, without (m/k) exp(beta_0)",
            right=beta_0 + rate * time - sympy.LambertW(m / k * sympy.exp(beta_0 + rate * time)),
            evaluate=lambda m, k, rate, beta_0, time: _without_constant(m, k, rate * time + beta_0),
        ),
    ),
    Theorem(
        name="emergence_time",
        title="Attention that learns its temperature: time until a share of the loss is left",
        family="in-context",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(*_FLOW, _LOSS_SHARE),
        premises=_PREMISES,
        left=_FLIGHT,
        relation="=",
        right=_EMERGENCE,
        derivation=Derivation(lemmas=(_GRADIENT, _AT_LEVEL), chain=_TO_EMERGENCE),
        evaluate_left=time_by_quadrature,
        evaluate_right=emergence_time,
        value_meaning="time, in units of that in which the rate is given",
        wrong=WrongVariant(
            mistake="the exponential part only, true of late times",
            right=m / k * (sympy.exp(_TARGET) - sympy.exp(beta_0)) / rate,
            evaluate=lambda m, k, rate, beta_0, loss_share: (
                _gained(m, k, beta_0, loss_share)[1] / _odds(m, k, beta_0) / rate
            ),
        ),
    ),
)
