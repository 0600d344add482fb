"""Classes drawn from the class law, whole or without some classes: exactly, with one uniform variate each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.finite_law import FiniteLaws, finite_laws

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_BELOW_ONE = float(np.nextafter(1.0, 0.0))


@dataclass(frozen=True, eq=False)
class ClassDraws:
    """Tables of a class law; make one with :func:`class_draws`.

    Parameters
    ----------
    law : FiniteLaws
        The class law.
    before, mass : ndarray, shape (classes,)
        Where in [0, 1] the piece of each class begins, and its length.
    """

    law: FiniteLaws
    before: Array
    mass: Array

    def draw(self, uniforms: Array) -> Indices:
        """A class for each uniform variate (any shape); the uniforms are used up."""
        flat = uniforms.reshape(-1)
        return self.law.draw(flat).reshape(uniforms.shape)

    def draw_without(self, uniforms: Array, avoided: Indices) -> Indices:
        """Classes from the law restricted to all but the avoided ones.

        The pieces of the avoided classes are cut out of [0, 1], the uniform is put onto what is left, and moved past
        every gap that lies before it.

        Parameters
        ----------
        uniforms : ndarray, shape (rows, draws)
            In [0, 1); they are used up.
        avoided : ndarray of int, shape (rows, number)
            Different classes in each row.
        """
        ordered = np.sort(avoided, axis=1) if avoided.shape[1] > 1 else avoided
        mass, before = self.mass[ordered], self.before[ordered]
        uniforms *= np.maximum(1 - mass.sum(axis=1, keepdims=True), 0.0)
        for gap in range(ordered.shape[1]):
            uniforms += (uniforms >= before[:, gap, None]) * mass[:, gap, None]
        drawn = self.draw(np.minimum(uniforms, _BELOW_ONE))
        for gap in range(ordered.shape[1]):
            inside = drawn == ordered[:, gap, None]
            if inside.any():
                self._leave(drawn, ordered)
                break
        return drawn

    def _leave(self, drawn: Indices, avoided: Indices) -> None:
        """Move draws out of a gap that rounding at its edge put them into, to the next class that can be drawn."""
        possible = np.flatnonzero(self.mass)
        rows, columns = np.nonzero((drawn[:, :, None] == avoided[:, None, :]).any(axis=2))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            allowed = np.setdiff1d(possible, avoided[row])
            nearest = np.abs(allowed - drawn[row, column]).argmin()
            drawn[row, column] = allowed[nearest]


def class_draws(probabilities: Array) -> ClassDraws:
    """Tables for class probabilities, shape (classes,).

    Examples
    --------
    >>> draws = class_draws(np.array([0.5, 0.25, 0.25]))
    >>> draws.draw(np.array([0.4, 0.6])).tolist()
    [0, 1]
    >>> draws.draw_without(np.array([[0.4, 0.6]]), np.array([[1]])).tolist()
    [[0, 0]]
    """
    ends = np.minimum(probabilities.cumsum() / probabilities.sum(), 1.0)
    before = np.append(0.0, ends[:-1])
    return ClassDraws(finite_laws(probabilities[None, :]), before, ends - before)
