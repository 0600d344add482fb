"""The expected log-gamma function of a binomial count, as a SymPy function."""

from __future__ import annotations

from typing import Any, Final

import mpmath
import sympy

from theory.theorems.expectations import DIGITS, binomial_mean, integral_over_log

# A sum over all counts is exact and quick up to here; beyond it the one-dimensional integral takes over.
_SUMMED_UP_TO: Final = 60
# The exponent of the generating function loses as many digits as the visits have.
_GUARD: Final = 15


def expected_log_gamma(n: mpmath.mpf, p: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    r""":math:`E\log\Gamma(N + b)` in mpmath's working precision, at any :math:`n`.

    Beyond small :math:`n` by the trapezoidal rule in :math:`\log t`, as for
    ``theory.numerics.excess.log_gamma_surplus``, of :math:`\log\Gamma(np+b) + \int_0^\infty
    \frac{e^{-bt}(1-p+pe^{-t})^n - e^{-(np+b)t}}{1-e^{-t}}\,dt/t`.
    """
    if p in (0, 1):
        return mpmath.loggamma(n * p + b)
    if n <= _SUMMED_UP_TO:
        weights = (mpmath.binomial(n, k) * p**k * (1 - p) ** (n - k) for k in range(int(n) + 1))
        return mpmath.fsum(weight * mpmath.loggamma(k + b) for k, weight in enumerate(weights))
    mean = n * p + b

    def integrand(t: mpmath.mpf) -> mpmath.mpf:
        decay = mpmath.expm1(-t)
        surplus = n * (mpmath.log1p(p * decay) + p * t)
        return -mpmath.exp(-mean * t) * mpmath.expm1(surplus) / decay

    # The integral is of the order of 1; what it is added to is larger and needs all the digits.
    with mpmath.workdps(min(mpmath.mp.dps, DIGITS + _GUARD)):
        surplus = integral_over_log(integrand, n + mean, b)
    return mpmath.loggamma(mean) + surplus


class ExpectedLogGamma(sympy.Function):  # type: ignore[misc]
    r""":math:`E\log\Gamma(N + b)` for :math:`N \sim \mathrm{Bin}(n, p)`; arguments ``n, p, b``."""

    nargs = 3
    mp_value = staticmethod(expected_log_gamma)

    def definition(self) -> sympy.Expr:
        """The sum over all counts."""
        n, p, b = self.args
        return binomial_mean(lambda k: sympy.loggamma(k + b), n, p)

    def _latex(self, printer: Any) -> str:
        n, p, b = (printer.doprint(argument) for argument in self.args)
        return rf"\mathbb{{E}}_{{N \sim \mathrm{{Bin}}({n}, {p})}} \log\Gamma(N + {b})"
