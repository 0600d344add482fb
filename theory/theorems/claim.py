"""A claim: a relation between two sides, its parameters with their admissible ranges, and evaluators of both sides."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from theory.errors import SettingError, unknown_name
from theory.theorems.derivation import Relation
from theory.theorems.latex import latex
from theory.theorems.parameters import SMALLEST, Parameter
from theory.theorems.precise import precise

Array = NDArray[np.float64]
Evaluator = Callable[..., Array]
SIGNS: Final = {"=": "=", "<=": r"\le", ">=": r"\ge", "~": r"\sim"}
Family = Literal["in-weight", "in-context", "gate", "transition"]
Kind = Literal["exact", "upper", "lower", "high probability", "asymptotic"]


class AssumptionError(SettingError):
    """A parameter lies outside a theorem's assumptions; the message names the assumption."""

    def __init__(self, theorem: str, parameter: Parameter, value: object) -> None:
        self.theorem = theorem
        tiny = isinstance(value, float) and 0 < abs(value) < SMALLEST
        allowed = f"{parameter.assumption}, and at least {SMALLEST:g} unless 0" if tiny else parameter.assumption
        super().__init__(parameter.name, value, f"{allowed} (an assumption of {theorem})")


@dataclass(frozen=True, kw_only=True, repr=False)
class Claim:
    """What a theorem, a wrong variant of it and an erratum have in common.

    Parameters
    ----------
    name : str
        Its name in the catalogue.
    title : str
        One line in words.
    family : {"in-weight", "in-context", "gate", "transition"}
        What it is about.
    kind : {"exact", "upper", "lower", "high probability", "asymptotic"}
        What it claims of the right side.
    source : str
        Key into ``docs/references.bib``, or "derived here".
    parameters : tuple of Parameter
        In the order in which they are drawn and shown; their ranges are assumptions.
    premises : tuple of str
        Assumptions that are not about parameters.
    left, relation, right : sympy.Expr, str, sympy.Expr
        The claim. A high-probability claim bounds the probability of a violation, or the quantile of what is bounded.
    evaluate_left, evaluate_right : callable
        The two sides for NumPy arrays, with some of the parameters' names as arguments.
    hunted_up_to : mapping of str to float
        Where the falsifier stays below a parameter's range, because one side costs too much beyond.
    remainder : callable, optional
        For an asymptotic claim: how far the sides may differ at finite parameters.
    precise_sides : callable, optional
        Both sides in mpmath at a point (parameters by name), where the symbolic ones cannot be evaluated.
    """

    name: str
    title: str
    family: Family
    kind: Kind
    source: str
    parameters: tuple[Parameter, ...]
    premises: tuple[str, ...]
    left: sympy.Expr
    relation: Relation
    right: sympy.Expr
    evaluate_left: Evaluator
    evaluate_right: Evaluator
    hunted_up_to: Mapping[str, float] = field(default_factory=dict)
    remainder: Evaluator | None = None
    precise_sides: Callable[[Mapping[str, Any]], tuple[Any, Any]] | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}): {self.title}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Premises, and the admissible ranges of the parameters."""
        return self.premises + tuple(parameter.assumption for parameter in self.parameters)

    def settings(self, values: Mapping[str, ArrayLike], wanted: Collection[str] | None = None) -> dict[str, Array]:
        """Parameters as arrays that broadcast together, defaults filled in.

        Parameters
        ----------
        values : mapping of str to array_like
            What the user gave.
        wanted : collection of str, optional
            Parameters that are needed; of the others those without value and default are left out. By default all.

        Raises
        ------
        SettingError
            A name is unknown or a parameter that is needed, and has no default, is missing.
        AssumptionError
            A value violates an assumption.
        """
        names = [parameter.name for parameter in self.parameters]
        for name, value in values.items():
            if name not in names:
                raise unknown_name("parameter", name, names) if names else SettingError(name, value, "no parameter")
        needed = self._needed({*(names if wanted is None else wanted), *values})
        self._check_complete(needed, values)
        point: dict[str, Array] = {}
        for parameter in self.parameters:
            if parameter.name in needed or (parameter.default is not None and parameter.depends_on <= point.keys()):
                point[parameter.name] = self._admitted(parameter, values, point)
        return point

    def _check_complete(self, needed: Collection[str], values: Mapping[str, ArrayLike]) -> None:
        missing = [p for p in self.parameters if p.name in needed and p.default is None and p.name not in values]
        if missing:
            ranges = "; ".join(f"{p.assumption} ({p.meaning})" for p in missing)
            raise SettingError(", ".join(p.name for p in missing), None, ranges)

    def _needed(self, wanted: Collection[str]) -> set[str]:
        """The wanted parameters, and those that their ranges refer to."""
        needed = set(wanted)
        for parameter in reversed(self.parameters):
            needed |= parameter.depends_on if parameter.name in needed else set()
        return needed

    def _admitted(self, parameter: Parameter, values: Mapping[str, ArrayLike], point: Mapping[str, Array]) -> Array:
        given = values.get(parameter.name, parameter.default)
        try:
            array = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise AssumptionError(self.name, parameter, given) from None
        try:
            np.broadcast_shapes(array.shape, *(other.shape for other in point.values()))
            admitted = np.broadcast_arrays(array, parameter.admits(array, point))
        except ValueError:
            raise SettingError(parameter.name, array.shape, "a shape that broadcasts with the others") from None
        if not admitted[1].all():
            raise AssumptionError(self.name, parameter, float(admitted[0][~admitted[1]].flat[0]))
        return array

    def sides(self, point: Mapping[str, Array]) -> tuple[Array, Array]:
        """Left and right side at admissible parameters, in double precision."""
        return call(self.evaluate_left, point), call(self.evaluate_right, point)

    def sides_to_fifty_digits(self, point: Mapping[str, Any]) -> tuple[Any, Any]:
        """Left and right side at one point, in mpmath."""
        if self.precise_sides is not None:
            return self.precise_sides(point)
        symbols = self.symbol_values(point)
        return precise(self.left, symbols), precise(self.right, symbols)

    def symbol_values(self, point: Mapping[str, Any]) -> dict[sympy.Symbol, Any]:
        """A point keyed by symbols."""
        return {parameter.symbol: point[parameter.name] for parameter in self.parameters}

    def latex(self) -> str:
        """The claim as a LaTeX formula."""
        return f"{self.latex_of(self.left)} {SIGNS[self.relation]} {self.latex_of(self.right)}"

    def latex_of(self, expression: sympy.Expr) -> str:
        """An expression in the parameters' letters."""
        names = {parameter.symbol: parameter.latex for parameter in self.parameters}
        return latex(expression, names)


def call(evaluator: Evaluator, point: Mapping[str, Array]) -> Array:
    """Call an evaluator with those parameters that it names."""
    wanted = inspect.signature(evaluator).parameters
    return np.asarray(evaluator(**{name: point[name] for name in wanted}), dtype=np.float64)
