"""Alias tables: a draw from any finite law with one uniform variate and two look-ups (Walker's method)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class AliasTable:
    """Alias tables of several laws on ``width`` outcomes each, one law a row.

    Parameters
    ----------
    width : int
        Number of outcomes.
    threshold : ndarray, shape (rows * width,)
        Probability to keep a column's own outcome.
    alias : ndarray of int, shape (rows * width,)
        The other outcome of the column.
    """

    width: int
    threshold: Array
    alias: Indices

    def draw(self, uniforms: Array, rows: Indices | None = None) -> Indices:
        """One outcome for each uniform variate, from the law in the given row (the only one if ``rows`` is None)."""
        if self.width == 1:
            return np.zeros(uniforms.shape, dtype=np.intp)
        scaled = uniforms * self.width
        column = scaled.astype(np.intp)
        scaled -= column
        place = column if rows is None else rows * self.width + column
        return np.where(scaled < self.threshold.take(place), column, self.alias.take(place))


def alias_rows(laws: Array) -> AliasTable:
    """Alias tables of many short laws, built side by side.

    Parameters
    ----------
    laws : ndarray, shape (rows, width)
        Probabilities; every row sums to one.
    """
    rows, width = laws.shape
    scaled = laws * (width / laws.sum(axis=1, keepdims=True))
    threshold = np.ones((rows, width))
    alias = np.tile(np.arange(width), (rows, 1))
    every = np.arange(rows)
    for _ in range(width - 1):
        poor, rich = scaled.argmin(axis=1), scaled.argmax(axis=1)
        share = scaled[every, poor]
        threshold[every, poor] = np.minimum(threshold[every, poor], share)
        alias[every, poor] = np.where(share < 1, rich, alias[every, poor])
        scaled[every, rich] -= np.maximum(1 - share, 0)
        # A settled column counts as exactly full, so that it is neither poor nor rich any more.
        scaled[every, poor] = 1.0
    return AliasTable(width, threshold.ravel(), alias.ravel())


def alias_long(law: Array) -> AliasTable:
    """Alias table of one long law (Vose's two stacks, linear in its length)."""
    width = law.size
    scaled = (law * (width / law.sum())).tolist()
    threshold, alias = [1.0] * width, list(range(width))
    poor = [i for i, value in enumerate(scaled) if value < 1]
    rich = [i for i, value in enumerate(scaled) if value >= 1]
    while poor and rich:
        low, high = poor.pop(), rich[-1]
        threshold[low], alias[low] = scaled[low], high
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            poor.append(rich.pop())
    return AliasTable(width, np.array(threshold), np.array(alias, dtype=np.intp))
