"""A gathered sweep as a netCDF-3 file, which xarray, Panoply, Julia, R, Matlab and others read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import AnyArray, Quantity
from theory.command import write_atomically

_FILL = {"d": np.float64(9.969209968386869e36), "i": np.int32(-2147483647), "b": np.int8(-127)}
"""What stands for a missing value: netCDF's own choices for its types, by NumPy's letters for them."""
_UNITS = {"checkpoint": {"units": "steps"}}
_LARGEST, _LARGEST_EXACT = 2147483646, 1 << 53


def export_netcdf(result: SweepTable, path: str | Path) -> list[Path]:
    """Write a sweep as netCDF-3 with 64-bit offsets; it is whole, or not there; the same bytes for the same result.

    Every quantity is a variable with ``long_name``, ``units`` (where it has one) and, where values are missing,
    ``_FillValue``; every dimension has its coordinate variable; text is stored as UTF-8 characters. ``complete`` and
    ``possible`` (0 or 1) say which of the grid's cells were computed, and which are settings. How it was computed is in
    the file's attributes. ``xarray.open_dataset(path)`` reads all of it.

    Not all programs take a dot in a name, so that ``model.gate.rate`` becomes ``model_gate_rate``, as every character
    but letters, digits and underscores does; the name itself is in the variable's attribute ``setting``. The format has
    no 64-bit whole numbers: those beyond 32 bits become double precision, and beyond 2^53 they are refused.

    Parameters
    ----------
    result : SweepTable
        What was gathered.
    path : str or Path
        The file, in an existing folder.

    Returns
    -------
    list of Path
        The file.

    Raises
    ------
    OutputError
        The file cannot be written, or a whole number has no place in it.
    """
    path = Path(path)
    write_atomically(path, lambda temporary: _write(result, temporary))
    return [path]


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """A name of letters, digits and underscores for each of some names, all different.

    Examples
    --------
    >>> plain_names(["p_high", "model.gate.rate", "model_gate.rate"])
    {'p_high': 'p_high', 'model.gate.rate': 'model_gate_rate', 'model_gate.rate': 'model_gate_rate_2'}
    """
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = plain if plain[:1].isalpha() else f"axis_{plain}"
        own, number = plain, 1
        while own in found.values():
            number += 1
            own = f"{plain}_{number}"
        found[name] = own
    return found


def _write(result: SweepTable, path: Path) -> None:
    from scipy.io import netcdf_file

    # Quantities first: a dimension's name gives way, since its own one is in an attribute.
    letters = [_letters(name) for name in result.coordinates]
    names = plain_names(dict.fromkeys([*result.quantities, "complete", "possible", *result.coordinates, *letters]))
    with netcdf_file(path, "w", version=2) as file:
        for name, value in result.description.items():
            setattr(file, name, _attribute(value))
        for name, labels in result.coordinates.items():
            file.createDimension(names[name], labels.size)
            further = {"setting": name} if name in result.axes else _UNITS.get(name, {})
            put = _put_text if labels.dtype.kind == "U" else _put_numbers
            put(file, names, name, labels, {"long_name": name, **further})
        axes = tuple(names[axis] for axis in result.axes)
        _put(file, "complete", axes, result.complete.astype(np.int8), {"long_name": "whether the cell was computed"})
        _put(file, "possible", axes, result.possible.astype(np.int8), {"long_name": "whether the cell is a setting"})
        for name, found in result.quantities.items():
            _put_quantity(file, names, name, found)


def _letters(dimension: str) -> str:
    return f"characters of {dimension}"


def _put_numbers(
    file: Any, names: Mapping[str, str], dimension: str, labels: AnyArray, attributes: Mapping[str, Any]
) -> None:
    _put(file, names[dimension], (names[dimension],), _representable(labels), attributes)


def _put_text(
    file: Any, names: Mapping[str, str], dimension: str, labels: AnyArray, attributes: Mapping[str, Any]
) -> None:
    encoded = np.array([text.encode() for text in labels.tolist()])
    letters = names[_letters(dimension)]
    file.createDimension(letters, encoded.itemsize)
    variable = file.createVariable(names[dimension], "c", (names[dimension], letters))
    variable[:] = encoded.view("S1").reshape(labels.size, encoded.itemsize)
    _describe(variable, {**attributes, "_Encoding": "utf-8"})


def _put_quantity(file: Any, names: Mapping[str, str], name: str, found: Quantity) -> None:
    values = _representable(found.values)
    attributes: dict[str, Any] = {"long_name": found.meaning} | ({"units": found.unit} if found.unit else {})
    if found.missing is not None:
        fill = _fill_value(values)
        attributes["_FillValue"] = fill
        values = values.copy()
        values[found.missing] = fill
    _put(file, names[name], tuple(names[dimension] for dimension in found.dimensions), values, attributes)


def _put(file: Any, name: str, dimensions: tuple[str, ...], values: AnyArray, attributes: Mapping[str, Any]) -> None:
    variable = file.createVariable(name, values.dtype.char, dimensions)
    variable[...] = values
    _describe(variable, attributes)


def _fill_value(values: AnyArray) -> Any:
    """What no value is: netCDF's own choice, or a neighbour of it. Whole numbers are never that large."""
    fill: Any = _FILL[values.dtype.char]
    while (values == fill).any():
        fill = np.nextafter(fill, np.float64(0))
    return fill


def _representable(values: AnyArray) -> NDArray[Any]:
    """Numbers in one of the types that the format has."""
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    if values.dtype.kind == "i":
        largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
        if largest <= _LARGEST:
            return values.astype(np.int32)
        if largest > _LARGEST_EXACT:
            raise ValueError(f"netCDF-3 has no place for whole numbers beyond 2^53, such as {largest}")
    return values.astype(np.float64)


def _describe(variable: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        setattr(variable, name, _attribute(value))


def _attribute(value: Any) -> Any:
    """Text as UTF-8; a number that the format does not have, as text."""
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return np.int32(value)
    return value if isinstance(value, np.generic) else str(value).encode()
