"""The least value of an expression over a variable, as a SymPy function: what a best rate is the argument of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from theory.theorems.checks.algebra import is_nonnegative, put, vanishes
from theory.theorems.checks.inequalities import in_closure, jumps
from theory.theorems.derivation import Check, Relation, Status, Verdict

Array = NDArray[np.float64]


class Least(sympy.Function):  # type: ignore[misc]
    """Least value of a convex objective over a positive variable; a subclass says of which, and over which range."""

    variable: sympy.Symbol
    letter: str

    def objective(self) -> sympy.Expr:
        """What is minimised: an expression in :attr:`variable` and the arguments."""
        raise NotImplementedError

    def _latex(self, printer: Any) -> str:
        letter = sympy.Symbol(self.letter)
        objective = printer.doprint(self.objective().subs(self.variable, letter))
        return rf"\min_{{{self.letter}}} \left[{objective}\right]"


def attained_at(best: sympy.Expr, where: Mapping[sympy.Symbol, sympy.Expr] | None = None) -> Check:
    """The left side is the least value of a convex expression; at ``best`` it is flat, and has the value on the right.

    ``where`` replaces symbols by expressions that show the sign of the second derivative.
    """

    def check(left: sympy.Expr, relation: Relation, right: sympy.Expr) -> Verdict:
        if relation != "=" or not isinstance(left, Least):
            return Verdict(Status.FAILED, "a least value was expected")
        objective, variable = left.objective(), left.variable
        if jumps(objective) or not in_closure(put(best, where), variable, (where or {}).get(variable)):
            return Verdict(Status.FAILED, f"{best} may be outside the range of {variable}")
        flat = vanishes(sympy.diff(objective, variable).subs(variable, best))
        convex = is_nonnegative(put(sympy.diff(objective, variable, 2), where))
        if flat and convex and vanishes(objective.subs(variable, best) - right):
            return Verdict(Status.PROVED, f"convex in {variable}, flat at {variable} = {best}, with this value there")
        return Verdict(Status.FAILED, f"not the least value over {variable}")

    return check


def least_in_mpmath(value: Callable[[Any], Any], slope: Callable[[Any], Any], highest: Any) -> Any:
    """Least value of a convex function on (0, highest), by bisection of its slope."""
    low, high = mpmath.mpf(10) ** -40, mpmath.mpf(highest)
    while high > low * (1 + mpmath.mpf(10) ** (-mpmath.mp.dps // 2 - 3)):
        middle = mpmath.sqrt(low * high)
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return value(low)


def least_in_numpy(value: Callable[[Array], Array], slope: Callable[[Array], Array], highest: Array) -> Array:
    """The same for arrays, in double precision: half the digits of the place are all digits of the value."""
    low, high = np.full(highest.shape, -92.0), np.log(highest)
    for _ in range(46):
        middle = (low + high) / 2
        falling = slope(np.exp(middle)) < 0
        low, high = np.where(falling, middle, low), np.where(falling, high, middle)
    return value(np.exp(low))
