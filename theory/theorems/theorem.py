"""The theorem object: a claim with its derivation, its calculator, and a wrong variant that must be refuted."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from numpy.typing import ArrayLike

from theory.theorems.claim import Array, Claim, Evaluator, call
from theory.theorems.derivation import Derivation

DERIVED_HERE = "derived here"


@dataclass(frozen=True, kw_only=True)
class WrongVariant:
    """The claim with a deliberate mistake: the falsifier must refute it.

    Parameters
    ----------
    mistake : str
        What was changed, in words.
    right : sympy.Expr
        The wrong right side.
    evaluate : callable
        The same for NumPy arrays, with some of the parameters' names as arguments.
    precise_sides : callable, optional
        As for :class:`theory.theorems.claim.Claim`, for the wrong claim.
    """

    mistake: str
    right: sympy.Expr
    evaluate: Evaluator
    precise_sides: Callable[[Mapping[str, Any]], tuple[Any, Any]] | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Theorem(Claim):
    """A statement about the gated predictor that can be read, checked, evaluated and attacked.

    Parameters
    ----------
    derivation : Derivation
        From definitions to the claim.
    wrong : WrongVariant
        The same claim with a mistake.
    value : callable, optional
        What the calculator prints; by default the right side (for a high-probability claim the threshold that holds).
    value_meaning : str
        What that is, with its unit.
    left_name : str
        What stands beside the value: that which it bounds, "exact", or what the left side is called where it is
        another quantity.
    beside : mapping of str to callable
        Further columns of the calculator, such as the rate that attains a least bound.
    """

    derivation: Derivation
    wrong: WrongVariant
    value_meaning: str
    value: Evaluator | None = None
    left_name: str = "exact"
    beside: Mapping[str, Evaluator] = dataclasses.field(default_factory=dict)

    @property
    def wrong_claim(self) -> Claim:
        """The wrong variant as a claim of its own."""
        kept = {f.name: getattr(self, f.name) for f in dataclasses.fields(Claim)}
        kept |= {
            "name": f"{self.name}, wrong variant",
            "title": self.wrong.mistake,
            "right": self.wrong.right,
            "evaluate_right": self.wrong.evaluate,
            "precise_sides": self.wrong.precise_sides,
        }
        return Claim(**kept)

    def evaluate(self, **values: ArrayLike) -> Array:
        """The bound (or the exact value) at the parameters, vectorised; see ``value_meaning`` and ``value_names``.

        Raises
        ------
        SettingError
            An unknown or missing parameter.
        AssumptionError
            A parameter outside the assumptions.
        """
        return call(self.value_evaluator, self.settings(values, self.value_names))

    def bounded(self, point: Mapping[str, Array]) -> Array:
        """What the value bounds, at admissible parameters (or the left side, where ``left_name`` names it).

        Where the value is what the right side has beyond a comparator (a regret, say), so is this.
        """
        left, right = self.sides(point)
        if self.value is None or self.left_name != "exact":
            return left
        return left - (right - call(self.value, point))

    @property
    def value_evaluator(self) -> Evaluator:
        """What the calculator evaluates."""
        return self.value or self.evaluate_right

    @property
    def value_names(self) -> tuple[str, ...]:
        """Parameters that the value depends on."""
        return tuple(inspect.signature(self.value_evaluator).parameters)


@dataclass(frozen=True, kw_only=True, repr=False)
class Erratum(Claim):
    """A published claim that is false: the falsifier finds the counterexample.

    Parameters
    ----------
    corrected : str
        Name of the theorem that says what is true.
    explanation : str
        What went wrong.
    """

    corrected: str
    explanation: str
