"""A theorem's parameters: symbol, meaning, admissible range, and where a falsifier looks first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sympy
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST: Final = 1e-300
"""Smallest positive value of a parameter."""
# A number, or a SymPy expression in the parameters before.
Bound = Any


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a theorem and the assumption on it.

    Parameters
    ----------
    symbol : sympy.Symbol
        Its name is what a user types; an integer symbol makes the parameter a whole number.
    latex : str
        Its letter in a formula.
    meaning : str
        What it is, with its unit.
    lowest, highest : float or sympy.Expr
        Admissible range; an expression may use the symbols of parameters that come before it.
    above, below : bool
        Whether the lower, the upper end itself is excluded.
    default : float, optional
        Value where the user gives none.
    corners : tuple of float
        Extreme values that the falsifier tries beside the ends of the range.
    """

    symbol: sympy.Symbol
    latex: str
    meaning: str
    lowest: Bound
    highest: Bound
    above: bool = False
    below: bool = False
    default: float | None = None
    corners: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """What a user types."""
        return str(self.symbol.name)

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers are admissible."""
        return bool(self.symbol.is_integer)

    @property
    def assumption(self) -> str:
        """The admissible range as a relation, in the names that a user types."""
        low = f"{_text(self.lowest)} {'<' if self.above else '<='} "
        high = "" if self.highest == np.inf else f" {'<' if self.below else '<='} {_text(self.highest)}"
        return low + self.name + high + (", whole" if self.is_integer else "")

    @property
    def depends_on(self) -> set[str]:
        """Names of the parameters that its range refers to."""
        ends = (end for end in (self.lowest, self.highest) if isinstance(end, sympy.Expr))
        return {str(symbol) for end in ends for symbol in end.free_symbols}

    def range_at(self, point: Mapping[str, Array]) -> tuple[Array, Array]:
        """Ends of the admissible range at the values of the parameters before this one."""
        return evaluate_bound(self.lowest, point), evaluate_bound(self.highest, point)

    def admits(self, values: Array, point: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Which values are admissible at the values of the parameters before this one."""
        low, high = self.range_at(point)
        inside = (values > low if self.above else values >= low) & (values < high if self.below else values <= high)
        whole = values == np.floor(values) if self.is_integer else True
        # Numbers next to the smallest that a double can hold have lost their digits already.
        sound = (values == 0) | (np.abs(values) >= SMALLEST)
        return np.asarray(inside & np.isfinite(values) & whole & sound)


def _text(bound: Bound) -> str:
    if isinstance(bound, sympy.Expr):
        return str(bound)
    return f"{bound:,.0f}".replace(",", "_") if bound == int(bound) and abs(bound) < 1e6 else f"{bound:g}"


def evaluate_bound(bound: Bound, point: Mapping[str, Array]) -> Array:
    """An end of a range as an array: a number, or an expression in the symbols of parameters."""
    if not isinstance(bound, sympy.Expr):
        return np.asarray(bound, dtype=np.float64)
    symbols = sorted(bound.free_symbols, key=str)
    function = sympy.lambdify(symbols, bound, "numpy")
    return np.asarray(function(*(point[str(symbol)] for symbol in symbols)), dtype=np.float64)
