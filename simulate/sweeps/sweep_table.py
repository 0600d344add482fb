"""A whole sweep as one table: every quantity along the axes of the grid and along dimensions of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.tables import AnyArray, Quantity, check_fit, check_labels
from theory.errors import SettingError, unknown_name

_LABELS_SHOWN = 20


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SweepTable:
    """What a sweep has found.

    Parameters
    ----------
    axes : tuple of str
        Names of the grid's axes: dotted settings, such as ``model.in_context.odds``.
    coordinates : mapping of str to ndarray, shape (k,)
        For each axis its values, and for each further dimension (``class``, ``checkpoint``, ...) its labels.
    quantities : mapping of str to Quantity
        By name; the first dimensions of each are the axes. Missing where the grid's cell is, and where it does not have
        the class, checkpoint or number.
    complete : ndarray of bool, the grid's shape
        Which cells were computed.
    possible : ndarray of bool, the grid's shape
        Which cells there are: a point that is no setting may have been left out of the grid.
    description : mapping of str to str or int
        How it was computed: ``measure``, ``steps``, ``replicates``, ``seed``, ... and the ``setting`` that all cells
        start from, as a JSON text.

    Raises
    ------
    ValueError
        The parts do not fit together.

    Examples
    --------
    >>> from simulate.sweeps.tables import quantity
    >>> gate = quantity(["p_high", "class"], [[0.9, 0.2], [0.8, None]], "", "mean gate")
    >>> result = SweepTable(
    ...     axes=("p_high",),
    ...     coordinates={"p_high": np.array([0.5, 0.7]), "class": np.array(["high", "low"])},
    ...     quantities={"gate_mean": gate},
    ...     complete=np.ones(2, dtype=bool),
    ...     possible=np.ones(2, dtype=bool),
    ...     description={},
    ... )
    >>> result.values("gate_mean", **{"class": "low"}).tolist(), float(result.values("gate_mean", p_high=0.7).mean())
    ([0.2, None], 0.8)
    """

    axes: tuple[str, ...]
    coordinates: Mapping[str, AnyArray]
    quantities: Mapping[str, Quantity]
    complete: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    description: Mapping[str, str | int]

    def __post_init__(self) -> None:
        for name, labels in self.coordinates.items():
            check_labels(name, labels)
        shape = tuple(self.coordinates[axis].size for axis in self.axes)
        for name in ("complete", "possible"):
            cells = getattr(self, name)
            if cells.shape != shape or cells.dtype != np.bool_:
                raise ValueError(f"{name!r} is not told by booleans of the grid's shape {shape}")
        for name, found in self.quantities.items():
            check_fit(name, found, self.coordinates)
            if found.dimensions[: len(self.axes)] != self.axes:
                raise ValueError(f"{name!r} has the dimensions {found.dimensions}, which do not begin with the axes")

    def __repr__(self) -> str:
        done = f"{int(self.complete.sum()):,} of {int(self.possible.sum()):,} cells"
        lines = [f"  {name:26s} {found!r}" for name, found in self.quantities.items()]
        return "\n".join([f"<sweep over {' x '.join(self.axes) or 'nothing'} {self.shape}, {done}>", *lines])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid."""
        return self.complete.shape

    def inner_dimensions(self, name: str) -> tuple[str, ...]:
        """Dimensions of a quantity beyond the axes of the grid."""
        return self._found(name).dimensions[len(self.axes) :]

    def values(self, name: str, **at: Any) -> Any:
        """A quantity over the grid.

        Parameters
        ----------
        name : str
            The quantity.
        **at : str or number
            For any of its dimensions the label to look at, which must be one of its coordinates:
            ``values("gate", stratum="low", checkpoint=1000)``; names that are no Python names as
            ``**{"class": "low"}``.

        Returns
        -------
        masked array
            Shape of the grid, followed by the quantity's further dimensions, without those that were named; a copy,
            with NaN below the mask.

        Raises
        ------
        SettingError
            There is no such quantity, dimension or label.
        """
        found = self._found(name)
        for dimension in at:
            if dimension not in found.dimensions:
                raise unknown_name(f"dimension of {name}", dimension, found.dimensions)
        place = tuple(
            self._place(dimension, at[dimension]) if dimension in at else slice(None) for dimension in found.dimensions
        )
        return np.ma.MaskedArray(found.masked[place])

    def _found(self, name: str) -> Quantity:
        if name not in self.quantities:
            raise unknown_name("quantity", str(name), self.quantities)
        return self.quantities[name]

    def _place(self, dimension: str, label: object) -> int:
        labels = self.coordinates[dimension].tolist()
        # A label is one of its own kind: True is not the number 1.
        if type(label) is not bool and isinstance(label, str | Real) and label in labels:
            return int(labels.index(label))
        if isinstance(label, str) and isinstance(labels[0], str) and len(labels) <= _LABELS_SHOWN:
            raise unknown_name(dimension, label, labels)
        shown = ", ".join(map(str, labels[:_LABELS_SHOWN])) + (", ..." if len(labels) > _LABELS_SHOWN else "")
        raise SettingError(dimension, label, f"one of {shown}")
