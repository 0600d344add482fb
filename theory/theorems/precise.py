"""Values of expressions to 50 digits, by mpmath: the yardstick of derivations, evaluators and counterexamples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy.printing.pycode import MpmathPrinter

from theory.theorems.expectations import DIGITS, GUARD
from theory.theorems.labels import two_level


def precise(expression: sympy.Expr, point: Mapping[sympy.Symbol, Any]) -> mpmath.mpf:
    """Value of an expression, to 50 digits.

    Parameters
    ----------
    expression : sympy.Expr
        Free of symbols that the point lacks; means over labels are taken under the two-level law.
    point : mapping of sympy.Symbol to number
        Floats are taken as the exact binary fractions that they are.

    Returns
    -------
    mpmath.mpf
        The value.

    Examples
    --------
    >>> x = sympy.Symbol("x", positive=True)
    >>> mpmath.nstr(precise(sympy.log(1 + x) / x, {x: sympy.Rational(1, 10**30)}), 40)
    '0.9999999999999999999999999999995'
    """
    function, symbols = _compiled(expression)
    with mpmath.workdps(working_digits(point.values())):
        value = function(*(_number(point[symbol]) for symbol in symbols))
        return mpmath.mpf(value)


def working_digits(values: Iterable[Any]) -> int:
    """Digits to work with: one minus a probability of 1e-300 must still show the probability."""
    tiniest = min((abs(float(value)) for value in values if value != 0), default=1.0)
    return DIGITS + GUARD + max(0, math.ceil(-math.log10(tiniest)))


class _Printer(MpmathPrinter):  # type: ignore[misc]
    """Prints finite sums so that nothing in them is a machine number: ``1 / (k + 1)`` of an ``int`` is a float."""

    def _print_Sum(self, expr: sympy.Sum) -> str:  # noqa: N802 (SymPy's name)
        ((index, first, last),) = expr.limits
        terms, first, last = (self._print(part) for part in (expr.function, first, last))
        return (
            f"mpmath.fsum(({terms}) for {self._print(index)} in map(mpmath.mpf, range(int({first}), int({last}) + 1)))"
        )

    def _print_LambertW(self, expr: sympy.LambertW) -> str:  # noqa: N802 (SymPy's name)
        return f"mpmath.lambertw({', '.join(self._print(argument) for argument in expr.args)})"


@lru_cache(maxsize=512)
def _compiled(expression: sympy.Expr) -> tuple[Any, tuple[sympy.Symbol, ...]]:
    written_out = two_level(sympy.sympify(expression))
    symbols = tuple(sorted(written_out.free_symbols, key=str))
    own = {f.func.__name__: f.func.mp_value for f in written_out.atoms(sympy.Function) if hasattr(f.func, "mp_value")}
    printer = _Printer(
        {"fully_qualified_modules": False, "inline": True, "user_functions": {name: name for name in own}}
    )
    return sympy.lambdify(symbols, written_out, [own, {"mpmath": mpmath}, "mpmath"], printer=printer), symbols


def _number(value: Any) -> Any:
    if isinstance(value, sympy.Rational):
        return mpmath.mpf(value.p) / value.q
    return mpmath.mpf(value)
