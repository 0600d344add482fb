"""Expectations over label counts as SymPy functions.

Such a function has a ``definition()`` written out in SymPy, a ``mp_value`` for mpmath arguments, and its LaTeX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import sympy

DIGITS: Final = 50
# What the sums, differences and quadratures inside may lose.
GUARD: Final = 30
# A sum over all counts is exact and quick up to here; beyond it the one-dimensional integral takes over.
_SUMMED_UP_TO: Final = 60


def binomial_mean(function: Callable[[sympy.Symbol], sympy.Expr], n: sympy.Expr, p: sympy.Expr) -> sympy.Sum:
    r""":math:`E F(N)` for :math:`N \sim \mathrm{Bin}(n, p)`, written out as a sum."""
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    return sympy.Sum(sympy.binomial(n, k) * p**k * (1 - p) ** (n - k) * function(k), (k, 0, n))


def expected_log(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    r""":math:`E\log(N + b)` in mpmath's working precision, at any :math:`n`.

    Beyond small :math:`n` by the trapezoidal rule in :math:`\log t`, as for ``theory.numerics.special.frullani_nodes``,
    of :math:`\log(np+b) - \int_0^\infty [e^{-bt}(1-p+pe^{-t})^n - e^{-(np+b)t}]\,dt/t`.
    """
    if p in (0, 1):
        return mpmath.log(n * p + b)
    if n <= _SUMMED_UP_TO:
        weights = (mpmath.binomial(n, k) * p**k * (1 - p) ** (n - k) for k in range(int(n) + 1))
        return mpmath.fsum(weight * mpmath.log(k + b) for k, weight in enumerate(weights))
    mean = n * p + b

    def integrand(t: mpmath.mpf) -> mpmath.mpf:
        return mpmath.exp(n * mpmath.log1p(p * mpmath.expm1(-t)) - b * t) - mpmath.exp(-mean * t)

    return mpmath.log(mean) - integral_over_log(integrand, n + mean, b, order=2)


def integral_over_log(
    integrand: Callable[[mpmath.mpf], mpmath.mpf], fastest: mpmath.mpf, slowest: mpmath.mpf, order: int = 1
) -> mpmath.mpf:
    r""":math:`\int_0^\infty F(t)\,dt/t` to the working precision, for :math:`F` analytic in the right half plane.

    Parameters
    ----------
    integrand : callable
        :math:`F`.
    fastest, slowest : mpf
        The largest rate of the exponentials in :math:`F`, and the smallest.
    order : int
        The power of :math:`t` with which :math:`F` vanishes at 0.
    """
    # Beyond these digits nothing is needed of an integral, whatever the precision around it.
    digits = min(mpmath.mp.dps, DIGITS + GUARD) * mpmath.log(10)
    step = mpmath.pi**2 / (digits + 5)
    lower, upper = -digits / order - mpmath.log(fastest), mpmath.log((digits + 10) / slowest)
    count = int((upper - lower) / step) + 1
    return step * mpmath.fsum(integrand(mpmath.exp(lower + i * step)) for i in range(count))


class ExpectedLog(sympy.Function):  # type: ignore[misc]
    r""":math:`E\log(N + b)` for :math:`N \sim \mathrm{Bin}(n, p)`; arguments ``n, p, b``."""

    nargs = 3
    mp_value = staticmethod(expected_log)

    def definition(self) -> sympy.Expr:
        """The sum over all counts."""
        n, p, b = self.args
        return binomial_mean(lambda k: sympy.log(k + b), n, p)

    def _latex(self, printer: Any) -> str:
        n, p, b = (printer.doprint(argument) for argument in self.args)
        return rf"\mathbb{{E}}_{{N \sim \mathrm{{Bin}}({n}, {p})}} \log(N + {b})"
