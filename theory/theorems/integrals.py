r"""Expectations over label counts as one-dimensional integrals, as SymPy functions.

Each has a ``definition()``, a ``mp_value`` for mpmath arguments, and its LaTeX (see ``theory.theorems.expectations``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import sympy

from theory.theorems.expectations import DIGITS, GUARD, integral_over_log

T: Final = sympy.Symbol("t", positive=True)
S: Final = sympy.Symbol("s", positive=True)


def generating(n: sympy.Expr, p: sympy.Expr, s: sympy.Expr) -> sympy.Expr:
    r"""Generating function of the binomial law: :math:`E s^N = (1 - p + ps)^n`."""
    return (1 - p + p * s) ** n


def over_time(integrand: sympy.Expr) -> sympy.Integral:
    r""":math:`\int_0^\infty F(t)\,dt`."""
    return sympy.Integral(integrand, (T, 0, sympy.oo))


def log_deficit(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    r""":math:`\int_0^\infty [e^{-bt}(1-p+pe^{-t})^n - e^{-(np+b)t}]\,dt/t` in mpmath's working precision."""
    if p in (0, 1) or n == 0:
        return mpmath.mpf(0)
    mean = n * p + b
    return integral_over_log(lambda t: _transform(n, p, b)(t) - mpmath.exp(-mean * t), n + mean, b, order=2)


def mean_inverse(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    r""":math:`\int_0^1 s^{b-1}(1-p+ps)^n\,ds`, with :math:`s = e^{-t}`, in mpmath's working precision."""
    if p in (0, 1) or n == 0:
        return 1 / (n * p + b)
    return integral_over_log(lambda t: t * _transform(n, p, b)(t), n + n * p + b, b)


def _transform(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> Callable[[mpmath.mpf], mpmath.mpf]:
    r""":math:`E e^{-(N+b)t}` as a function of :math:`t`."""
    return lambda t: mpmath.exp(n * mpmath.log1p(p * mpmath.expm1(-t)) - b * t)


class LogDeficit(sympy.Function):  # type: ignore[misc]
    r""":math:`\log(np+b) - E\log(N+b)` for :math:`N \sim \mathrm{Bin}(n,p)`, as an integral; arguments ``n, p, b``."""

    nargs = 3
    mp_value = staticmethod(log_deficit)

    def definition(self) -> sympy.Expr:
        """The integral."""
        n, p, b = self.args
        return over_time((sympy.exp(-b * T) * generating(n, p, sympy.exp(-T)) - sympy.exp(-(n * p + b) * T)) / T)

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.definition()))


class MeanInverse(sympy.Function):  # type: ignore[misc]
    r""":math:`E\frac{1}{N+b}` for :math:`N \sim \mathrm{Bin}(n,p)`, as an integral; arguments ``n, p, b``."""

    nargs = 3
    mp_value = staticmethod(mean_inverse)

    def definition(self) -> sympy.Expr:
        """The integral."""
        n, p, b = self.args
        return sympy.Integral(S ** (b - 1) * generating(n, p, S), (S, 0, 1))

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.definition()))


def expected_log_ratio(N: mpmath.mpf, p_x: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf, total: mpmath.mpf) -> mpmath.mpf:
    r""":math:`E\log\frac{n + B}{N_y + b}` in mpmath's working precision; see :class:`ExpectedLogRatio`."""
    return mpmath.log(total / b) + _growth(N, p_x, total) - _growth(N, p_x * p, b)


def _growth(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    r""":math:`E\log\frac{N+b}{b} = \int_0^\infty e^{-bt}[1 - (1-p+pe^{-t})^n]\,dt/t`, however small."""
    if n == 0 or p == 0:
        return mpmath.mpf(0)
    if p == 1:
        return mpmath.log((n + b) / b)

    def integrand(t: mpmath.mpf) -> mpmath.mpf:
        return -mpmath.exp(-b * t) * mpmath.expm1(n * mpmath.log1p(p * mpmath.expm1(-t)))

    # Digits of the result, which may be as small as p: a probability next to 0 or 1 needs no more of them here.
    with mpmath.workdps(min(mpmath.mp.dps, DIGITS + GUARD)):
        return integral_over_log(integrand, n + b, b)


class ExpectedLogRatio(sympy.Function):  # type: ignore[misc]
    r""":math:`E\log\frac{n+B}{N_y+b}`, as an integral; arguments ``N, p_x, p, b, B``.

    Of :math:`N` examples :math:`n \sim \mathrm{Bin}(N, p_x)` visit a query, and :math:`N_y \sim \mathrm{Bin}(n, p)` of
    these carry a label.
    """

    nargs = 5
    mp_value = staticmethod(expected_log_ratio)

    def definition(self) -> sympy.Expr:
        """The integral."""
        N, p_x, p, b, total = self.args
        label = sympy.exp(-b * T) * (1 - p_x * p * (1 - sympy.exp(-T))) ** N
        return over_time((label - sympy.exp(-total * T) * (1 - p_x * (1 - sympy.exp(-T))) ** N) / T)

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.definition()))
