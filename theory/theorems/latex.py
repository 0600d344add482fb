"""Expressions as LaTeX: parameters in their letters, and powers of the toolkit's own functions in parentheses."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy.printing.latex import LatexPrinter


def latex(expression: sympy.Expr, letters: Mapping[sympy.Symbol, str]) -> str:
    r"""LaTeX of an expression.

    Parameters
    ----------
    expression : sympy.Expr
        What to print.
    letters : mapping of sympy.Symbol to str
        How symbols are printed.

    Examples
    --------
    >>> latex(sympy.Symbol("label_noise") ** 2, {sympy.Symbol("label_noise"): r"\eta"})
    '\\eta^{2}'
    """
    return str(_Printer({"symbol_names": dict(letters)}).doprint(expression))


class _Printer(LatexPrinter):  # type: ignore[misc]
    def _print_Pow(self, expr: sympy.Pow) -> str:  # noqa: N802 (SymPy's name)
        if isinstance(expr.base, sympy.Function) and hasattr(expr.base, "_latex"):
            return rf"\left({self._print(expr.base)}\right)^{{{self._print(expr.exp)}}}"
        return str(super()._print_Pow(expr))
