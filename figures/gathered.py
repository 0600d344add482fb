"""What several figures do with results: intervals of means, and tables side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from simulate.sweeps.tables import Quantity, Table, quantity

Array = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Interval:
    """Means with their 95 % intervals, arrays of one shape.

    Parameters
    ----------
    mean, low, high : ndarray
        The mean, and the ends of the interval.

    Examples
    --------
    >>> found = Interval.of_means(np.array([[1.0, 2.0, 3.0]]))
    >>> found.mean.tolist(), found.low.round(3).tolist(), found.high.round(3).tolist()
    ([2.0], [-0.484], [4.484])
    """

    mean: Array
    low: Array
    high: Array

    @classmethod
    def of_means(cls, values: Array) -> Interval:
        """Mean over the last axis, of independent replicates, with Student's interval.

        Raises
        ------
        ValueError
            There are fewer than two replicates.
        """
        replicates = values.shape[-1]
        if replicates < 2:
            raise ValueError("an interval needs at least two replicates")
        mean = values.mean(axis=-1)
        width = stdtrit(replicates - 1, (1 + CONFIDENCE) / 2) * values.std(axis=-1, ddof=1) / np.sqrt(replicates)
        return cls(mean, mean - width, mean + width)

    @classmethod
    def read(cls, quantities: Mapping[str, Quantity], name: str, place: Any = ...) -> Interval:
        """The interval that :func:`along` has stored under a name, at a place of its arrays."""
        mean, low, high = (quantities[f"{name}{end}"].values[place] for end in ("", "_low", "_high"))
        return cls(mean, low, high)

    @property
    def reach(self) -> Array:
        """How far it reaches below and above the mean, shape (2, ...), as error bars want it."""
        return np.maximum(np.stack([self.mean - self.low, self.high - self.mean]), 0)


def along(dimension: str, name: str, interval: Interval, unit: str, meaning: str) -> dict[str, Quantity]:
    """Quantities of an interval along one dimension: ``name``, ``name_low`` and ``name_high``."""
    ends = {"": interval.mean, "_low": interval.low, "_high": interval.high}
    words = {"": "", "_low": ", lower end of a 95 % interval", "_high": ", upper end of a 95 % interval"}
    dimensions = [dimension] if interval.mean.ndim else []
    return {
        f"{name}{end}": quantity(dimensions, np.asarray(values), unit, meaning + words[end])
        for end, values in ends.items()
    }


def stacked(dimension: str, labels: NDArray[Any], tables: Sequence[Table]) -> Table:
    """Tables of the same quantities side by side, along a new first dimension.

    Parameters
    ----------
    dimension : str
        Its name.
    labels : ndarray, shape (k,)
        Its labels, one for each table.
    tables : sequence of Table
        With the same coordinates and quantities.

    Raises
    ------
    ValueError
        The tables differ in their coordinates.

    Examples
    --------
    >>> tables = [Table(coordinates={}, quantities={"x": quantity([], x, "", "a number")}) for x in (1.5, 2.5)]
    >>> stacked("case", np.array(["a", "b"]), tables).quantities["x"].values.tolist()
    [1.5, 2.5]
    """
    first = tables[0]
    for table in tables[1:]:
        if any(not np.array_equal(table.coordinates[name], own) for name, own in first.coordinates.items()):
            raise ValueError("tables with other coordinates cannot be put side by side")
    quantities = {
        name: quantity(
            [dimension, *found.dimensions],
            np.ma.stack([table.quantities[name].masked for table in tables]),
            found.unit,
            found.meaning,
        )
        for name, found in first.quantities.items()
    }
    return Table(coordinates={dimension: labels, **first.coordinates}, quantities=quantities)
