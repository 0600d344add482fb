"""Small labelled data sets: what a cell of a sweep holds, and what a whole sweep is gathered into."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
NUMBERS = (np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.bool_))
"""What the values of a quantity may be."""
_FORMAT = 1
_DESCRIPTION = "description"
_COORDINATE, _VALUES, _MISSING = "coordinate.", "values.", "missing."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Quantity:
    """Numbers along named dimensions.

    Parameters
    ----------
    dimensions : tuple of str
        Names of the axes of ``values``; none for a single number.
    values : ndarray of float64, int64 or bool
        The numbers; 0 where they are missing. A loss may be infinite; nothing is NaN.
    missing : ndarray of bool, the shape of ``values``, or None
        What does not exist; ``None`` where nothing is missing.
    unit : str
        ``steps``, ``nats``, or nothing for a pure number.
    meaning : str
        What it is, in one line.

    Raises
    ------
    ValueError
        The arrays are none of these.
    """

    dimensions: tuple[str, ...]
    values: AnyArray
    missing: NDArray[np.bool_] | None
    unit: str
    meaning: str

    def __post_init__(self) -> None:
        if self.values.dtype not in NUMBERS:
            raise ValueError(f"values are {self.values.dtype}, not float64, int64 or bool")
        if self.values.ndim != len(self.dimensions) or len(set(self.dimensions)) < len(self.dimensions):
            raise ValueError(f"values of the shape {self.values.shape} have the dimensions {self.dimensions}")
        if self.values.dtype.kind == "f" and np.isnan(self.values).any():
            raise ValueError("a value is not a number")
        if self.missing is None:
            return
        if self.missing.dtype != np.bool_ or self.missing.shape != self.values.shape:
            raise ValueError(f"what is missing is not told by booleans of the shape {self.values.shape}")
        if self.values[self.missing].any():
            raise ValueError("a missing value is not 0")

    @property
    def marked(self) -> AnyArray:
        """The values, NaN where a floating-point number is missing: what looks past a mask must not find a 0."""
        if self.missing is None or self.values.dtype.kind != "f":
            return self.values.copy()
        return np.asarray(np.where(self.missing, np.nan, self.values))

    @property
    def masked(self) -> Any:
        """The values as a masked array, masked (and NaN below the mask) where they are missing."""
        missing = np.zeros(self.values.shape, dtype=np.bool_) if self.missing is None else self.missing
        return np.ma.MaskedArray(self.marked, mask=missing.copy())

    def __repr__(self) -> str:
        lacking = "" if self.missing is None else f", {int(self.missing.sum()):,} missing"
        unit = f" [{self.unit}]" if self.unit else ""
        return f"<{self.meaning}{unit}: {' x '.join(self.dimensions) or 'a number'}, {self.values.shape}{lacking}>"


def quantity(dimensions: Sequence[str], values: Any, unit: str, meaning: str) -> Quantity:
    """A quantity from numbers, with ``None`` or a mask where they are missing.

    Parameters
    ----------
    dimensions : sequence of str
        Names of the dimensions.
    values : masked array, ndarray, number, None, or list of numbers and ``None``
        The numbers.
    unit, meaning : str
        As for :class:`Quantity`.

    Examples
    --------
    >>> found = quantity(["class"], [3.5, None], "steps", "where the gate crosses 1/2")
    >>> found.values.tolist(), found.missing.tolist()
    ([3.5, 0.0], [False, True])
    """
    missing, numbers = _split(values)
    cleared = np.where(missing, numbers.dtype.type(0), numbers)
    return Quantity(
        dimensions=tuple(dimensions),
        values=np.asarray(cleared, dtype={"f": np.float64, "i": np.int64}.get(cleared.dtype.kind)),
        missing=missing if missing.any() else None,
        unit=unit,
        meaning=meaning,
    )


def _split(values: Any) -> tuple[NDArray[np.bool_], AnyArray]:
    """What is missing, and numbers with any value there."""
    if isinstance(values, np.ndarray):
        return np.array(np.ma.getmaskarray(values)), np.ma.getdata(values)
    given = np.array(values, dtype=object)
    missing = np.array([value is None for value in given.flat], dtype=np.bool_).reshape(given.shape)
    if missing.all():
        return missing, np.zeros(given.shape)
    # Any number that is there has the type of the others: whole numbers stay whole.
    return missing, np.array(np.where(missing, given[~missing].flat[0], given).tolist())


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Quantities, and the labels of their dimensions.

    Parameters
    ----------
    coordinates : mapping of str to ndarray, shape (k,)
        For each dimension its labels, all different: text, int64 or float64.
    quantities : mapping of str to Quantity
        By name.

    Raises
    ------
    ValueError
        Labels are none, or quantities do not fit them.

    Examples
    --------
    >>> gate = quantity(["class"], [0.9, 0.2], "", "mean gate")
    >>> table = Table(coordinates={"class": np.array(["high", "low"])}, quantities={"gate_mean": gate})
    >>> Table.from_arrays(table.to_arrays()).quantities["gate_mean"].values.tolist()
    [0.9, 0.2]
    """

    coordinates: Mapping[str, AnyArray]
    quantities: Mapping[str, Quantity]

    def __post_init__(self) -> None:
        for name, labels in self.coordinates.items():
            check_labels(name, labels)
        for name, found in self.quantities.items():
            check_fit(name, found, self.coordinates)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Arrays without objects, in an order that depends on the table only; ``description`` is a JSON text."""
        described = {
            name: {
                "dimensions": list(found.dimensions),
                "has_missing": found.missing is not None,
                "unit": found.unit,
                "meaning": found.meaning,
            }
            for name, found in self.quantities.items()
        }
        description = {"format": _FORMAT, "dimensions": list(self.coordinates), "quantities": described}
        arrays = {_DESCRIPTION: np.array(json.dumps(description))}
        arrays |= {_COORDINATE + name: labels for name, labels in self.coordinates.items()}
        for name, found in self.quantities.items():
            arrays[_VALUES + name] = found.values
            if found.missing is not None:
                arrays[_MISSING + name] = found.missing
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Table:
        """The table that :meth:`to_arrays` has taken apart.

        Raises
        ------
        ValueError
            The arrays are no table: some are lacking or too many, or of other types or shapes, or hold a NaN.
        """
        try:
            return _put_together(dict(arrays))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the arrays are no table: {error!r}") from error


def check_labels(dimension: str, labels: AnyArray) -> None:
    """Raise ``ValueError`` for labels that do not tell the places of a dimension apart."""
    if labels.ndim != 1 or labels.size == 0 or not (labels.dtype.kind == "U" or labels.dtype in NUMBERS[:2]):
        raise ValueError(f"labels of {dimension!r} are no list of text, int64 or float64")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"labels of {dimension!r} are not finite")
    if np.unique(labels).size < labels.size:
        raise ValueError(f"labels of {dimension!r} are not all different")


def check_fit(name: str, found: Quantity, coordinates: Mapping[str, AnyArray]) -> None:
    """Raise ``ValueError`` for a quantity along a dimension that is not there, or of another size."""
    for dimension, size in zip(found.dimensions, found.values.shape, strict=True):
        if dimension not in coordinates:
            raise ValueError(f"{name!r} has the dimension {dimension!r}, which has no labels")
        if coordinates[dimension].size != size:
            raise ValueError(f"{name!r} has {size} values along {dimension!r}, not {coordinates[dimension].size}")


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with a number behind one that was there before.

    Examples
    --------
    >>> distinct(["cat", "dog", "cat"])
    ['cat', 'dog', 'cat (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        own, number = name, 1
        while own in found:
            number += 1
            own = f"{name} ({number})"
        found[own] = None
    return list(found)


def _put_together(arrays: dict[str, AnyArray]) -> Table:
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name!r} is no array")
    text = arrays.pop(_DESCRIPTION)
    if text.dtype.kind != "U" or text.ndim:
        raise ValueError("the description is no text")
    description = json.loads(str(text))
    if description["format"] != _FORMAT:
        raise ValueError(f"the description has the format {description['format']!r}, not {_FORMAT}")
    table = Table(
        coordinates={name: arrays.pop(_COORDINATE + name) for name in description["dimensions"]},
        quantities={
            name: Quantity(
                dimensions=tuple(map(_text, told["dimensions"])),
                values=arrays.pop(_VALUES + name),
                missing=arrays.pop(_MISSING + name) if told["has_missing"] else None,
                unit=_text(told["unit"]),
                meaning=_text(told["meaning"]),
            )
            for name, told in description["quantities"].items()
        },
    )
    if arrays:
        raise ValueError(f"nothing is told of {', '.join(map(repr, arrays))}")
    return table


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
