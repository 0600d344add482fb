"""Sums over classes whose frequencies follow Zipf's law, as SymPy functions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath
import sympy


def normalisation(num_classes: Any, exponent: Any) -> mpmath.mpf:
    """Sum of the powers up to the last class, in mpmath's working precision."""
    return _power_sum(1, int(num_classes), mpmath.mpf(exponent), mpmath.mp.prec)


def tail(num_classes: Any, exponent: Any, rank: Any) -> mpmath.mpf:
    """Mass of the classes beyond a rank, in mpmath's working precision."""
    beyond = _power_sum(int(mpmath.floor(rank)) + 1, int(num_classes), mpmath.mpf(exponent), mpmath.mp.prec)
    return beyond / normalisation(num_classes, exponent)


def visited_share(num_classes: Any, exponent: Any, steps: Any, visits: Any) -> mpmath.mpf:
    """Mass of a random query whose class was visited so often before, in mpmath's working precision."""
    z, n, k = normalisation(num_classes, exponent), int(steps), int(visits)
    probabilities = [mpmath.mpf(x) ** -exponent / z for x in range(1, int(num_classes) + 1)]
    return mpmath.binomial(n, k) * mpmath.fsum(p ** (k + 1) * (1 - p) ** (n - k) for p in probabilities)


def end_factor(num_classes: Any, exponent: Any, steps: Any, visits: Any) -> mpmath.mpf:
    """Share of the integral over all ranks that lies up to the last class, in mpmath's working precision."""
    last = mpmath.mpf(num_classes) ** -exponent / normalisation(num_classes, exponent)
    first, second = steps - visits + 1, visits + 1 - 1 / mpmath.mpf(exponent)
    return mpmath.betainc(first, second, 0, 1 - last, regularized=True)


@lru_cache(maxsize=512)
def _power_sum(first: int, last: int, exponent: mpmath.mpf, precision: int) -> mpmath.mpf:
    with mpmath.workprec(precision):
        return mpmath.fsum(mpmath.mpf(x) ** -exponent for x in range(first, last + 1))


class _Positive(sympy.Function):  # type: ignore[misc]
    def _eval_is_positive(self) -> bool:
        return True


class ZipfNormalisation(_Positive):
    r""":math:`Z = \sum_{x=1}^M x^{-a}`; arguments ``num_classes, zipf_exponent``."""

    nargs = 2
    mp_value = staticmethod(normalisation)

    def definition(self) -> sympy.Expr:
        """The sum."""
        last, exponent = self.args
        x = sympy.Symbol("x", integer=True, positive=True)
        return sympy.Sum(x**-exponent, (x, 1, last))

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(sympy.Symbol("Z")))


class ZipfTail(sympy.Function):  # type: ignore[misc]
    r""":math:`\sum_{r < x \le M} p_x`; arguments ``num_classes, zipf_exponent, rank``."""

    nargs = 3
    mp_value = staticmethod(tail)

    def definition(self) -> sympy.Expr:
        """The sum."""
        last, exponent, rank = self.args
        x = sympy.Symbol("x", integer=True, positive=True)
        return sympy.Sum(x**-exponent, (x, sympy.floor(rank) + 1, last)) / ZipfNormalisation(last, exponent)

    def _latex(self, printer: Any) -> str:
        last, _, rank = (printer.doprint(argument) for argument in self.args)
        return rf"\sum_{{{rank} < x \le {last}}} p_x"


class ZipfVisited(sympy.Function):  # type: ignore[misc]
    r""":math:`\sum_{x=1}^M p_x P(\mathrm{Bin}(N, p_x) = n)`; arguments ``num_classes, zipf_exponent, N, n``."""

    nargs = 4
    mp_value = staticmethod(visited_share)

    def definition(self) -> sympy.Expr:
        """The sum."""
        last, exponent, steps, visits = self.args
        x = sympy.Symbol("x", integer=True, positive=True)
        p = x**-exponent / ZipfNormalisation(last, exponent)
        return sympy.Sum(sympy.binomial(steps, visits) * p ** (visits + 1) * (1 - p) ** (steps - visits), (x, 1, last))

    def _latex(self, printer: Any) -> str:
        last, _, steps, visits = (printer.doprint(argument) for argument in self.args)
        return rf"\sum_{{x=1}}^{{{last}}} p_x P(\mathrm{{Bin}}({steps}, p_x) = {visits})"


class ZipfEnd(_Positive):
    r""":math:`I_{1-p_M}(N-n+1, n+1-1/a)`; arguments ``num_classes, zipf_exponent, N, n``."""

    nargs = 4
    mp_value = staticmethod(end_factor)

    def _latex(self, printer: Any) -> str:
        last, exponent, steps, visits = (printer.doprint(argument) for argument in self.args)
        return rf"I_{{1-p_{{{last}}}}}\left({steps}-{visits}+1, {visits}+1-\frac{{1}}{{{exponent}}}\right)"
