r"""Gradient flow of an inverse temperature, as SymPy functions: its position after a time, and its time of flight.

With :math:`m` relevant and :math:`k` irrelevant examples the loss is :math:`\log(1 + \frac km e^{-\beta})`, so that
:math:`\beta' = \text{rate}/(1 + \frac mk e^\beta)`. Beyond its start by :math:`\delta`, and with
:math:`v = \frac mk e^{\beta_0}`, the flow has taken :math:`[\delta + v(e^\delta - 1)]/\text{rate}`.
"""

from __future__ import annotations

from typing import Any, Final

import mpmath
import sympy

from theory.theorems.expectations import DIGITS, GUARD

_NEWTON_STEPS: Final = 200


def position(m: Any, k: Any, rate: Any, beta_0: Any, time: Any) -> mpmath.mpf:
    """Where the flow is after a time, in mpmath: Newton's method on the time that it takes to get there."""
    v, flown = m / k * mpmath.exp(beta_0), rate * time
    # From above, where the convex function is positive: Newton's method then falls to the root.
    delta = min(flown / (1 + v), mpmath.log1p(flown / v))
    for _ in range(_NEWTON_STEPS):
        step = (delta + v * mpmath.expm1(delta) - flown) / (1 + v * mpmath.exp(delta))
        delta -= step
        if abs(step) <= mpmath.eps * abs(delta):
            break
    return beta_0 + delta


def time_of_flight(m: Any, k: Any, rate: Any, beta_0: Any, target: Any) -> mpmath.mpf:
    """Time from one inverse temperature to another, in mpmath: the inverse of the speed, by quadrature."""
    way, start = target - beta_0, 1 + m / k * mpmath.exp(beta_0)
    panels = int(way) + 1
    # The way is known to all digits; of the integral no more are needed than anywhere.
    with mpmath.workdps(min(mpmath.mp.dps, DIGITS + GUARD)):
        ends = [way * i / panels for i in range(panels + 1)]
        return mpmath.quad(lambda beta: (start + (start - 1) * mpmath.expm1(beta)) / rate, ends)


class InverseTemperature(sympy.Function):  # type: ignore[misc]
    r""":math:`\beta(t)` of the gradient flow; arguments ``m, k, rate, beta_0, time``."""

    nargs = 5
    mp_value = staticmethod(position)

    def _latex(self, printer: Any) -> str:
        return rf"\beta({printer.doprint(self.args[4])})"


class TimeOfFlight(sympy.Function):  # type: ignore[misc]
    r""":math:`\int_{\beta_0}^{\beta_1} d\beta/\beta'` of the gradient flow.

    Arguments ``m, k, rate, beta_0, beta_1``.
    """

    nargs = 5
    mp_value = staticmethod(time_of_flight)

    def definition(self) -> sympy.Expr:
        """The integral of the inverse speed."""
        m, k, rate, start, end = self.args
        beta = sympy.Symbol("beta", real=True)
        return sympy.Integral((1 + m / k * sympy.exp(beta)) / rate, (beta, start, end)).doit()

    def _latex(self, printer: Any) -> str:
        start, end = (printer.doprint(argument) for argument in self.args[3:])
        return rf"\int_{{{start}}}^{{{end}}} \frac{{d\beta}}{{\beta'}}"
