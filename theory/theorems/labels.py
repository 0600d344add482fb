"""Means over the label law: symbolic over any law, and evaluated for the two-level law of the toolkit's tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sympy

LABEL: Final = sympy.Symbol("y", integer=True, positive=True)
LAW: Final = sympy.IndexedBase("p", positive=True)
CLASSES: Final = sympy.Symbol("C", integer=True, positive=True)
LABEL_NOISE: Final = sympy.Symbol("label_noise", nonnegative=True)
NOISY_LABELS: Final = sympy.Symbol("noisy_labels", integer=True, positive=True)


def mean_over_labels(function: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Sum:
    r""":math:`\sum_{y=1}^{C} p_y F(p_y)`: the mean over a label drawn from its law; labels of probability 0 add 0."""
    return sympy.Sum(LAW[LABEL] * function(LAW[LABEL]), (LABEL, 1, CLASSES))


def two_level(expression: sympy.Expr) -> sympy.Expr:
    r"""The expression with every mean over labels written out for the two-level law.

    The own label has probability :math:`1-\eta`, ``noisy_labels`` others share :math:`\eta` equally.
    """
    return expression.replace(_is_label_mean, _written_out)


def _is_label_mean(expression: sympy.Basic) -> bool:
    return isinstance(expression, sympy.Sum) and expression.limits[0][0] == LABEL


def _written_out(total: sympy.Sum) -> sympy.Expr:
    own, noisy = 1 - LABEL_NOISE, LABEL_NOISE / NOISY_LABELS
    parts = [(sympy.Integer(1), own), (NOISY_LABELS, noisy)]
    return sympy.Add(*(sympy.Piecewise((0, sympy.Eq(p, 0)), (number * _at(total, p), True)) for number, p in parts))


def _at(total: sympy.Sum, probability: sympy.Expr) -> sympy.Expr:
    return total.function.replace(lambda f: isinstance(f, sympy.Indexed), lambda _: probability)
