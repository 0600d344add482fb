"""A gathered sweep as tidy CSV files: a row for each place, a column for each quantity."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import AnyArray, Quantity
from theory.command import write_atomically

_ROWS = 1 << 16
"""Rows that are held as text at a time."""


def export_csv(result: SweepTable, path: str | Path) -> list[Path]:
    """Write a sweep as CSV (UTF-8, lines end with a line feed); every file is whole, or not there.

    The file has a row for each cell of the grid and each of its classes (in an evaluation also base and context; in a
    trace also checkpoint), and a column for each axis under its dotted name, for each dimension, and for each quantity.
    Quantities with other dimensions have a file of their own with these in its name: gate curves are in
    ``<stem>-stratum-checkpoint.csv``. What is a single number in each cell is repeated in all rows of the first file.

    Numbers have all their digits, so that reading them gives the same numbers; losses may be ``inf``. A blank is a
    missing value. A cell that was not computed has blank rows; a class (checkpoint, ...) that a computed cell does not
    have has no row in it, nor has a point that is no setting.

    Parameters
    ----------
    result : SweepTable
        What was gathered.
    path : str or Path
        The first file, in an existing folder.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    path = Path(path)
    written: list[Path] = []
    for inner, names in _divided(result):
        own = path.with_name("-".join([path.stem, *(inner if written else ())]) + path.suffix)
        write_atomically(own, partial(_write, result, inner, names))
        written.append(own)
    return written


def _divided(result: SweepTable) -> list[tuple[tuple[str, ...], list[str]]]:
    """Dimensions of each file, and its quantities; single numbers are in the first one."""
    by_dimensions: dict[tuple[str, ...], list[str]] = {}
    for name in result.quantities:
        by_dimensions.setdefault(result.inner_dimensions(name), []).append(name)
    single = by_dimensions.pop((), [])
    (first, names), *others = by_dimensions.items() or [((), [])]
    return [(first, names + single), *others]


def _write(result: SweepTable, inner: tuple[str, ...], names: Sequence[str], path: Path) -> None:
    dimensions = (*result.axes, *inner)
    places = _places(result, inner, names)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=_quoting(result, dimensions))
        writer.writerow([*dimensions, *names])
        for some in _parts(places):
            # A dimension of size 1 in front, so that a single number has a dimension too.
            where = np.unravel_index(some, (1, *(result.coordinates[name].size for name in dimensions)))
            columns = [
                *(_text(result.coordinates[name][at]) for name, at in zip(dimensions, where[1:], strict=True)),
                *(_column(result.quantities[name], where) for name in names),
            ]
            writer.writerows(zip(*columns, strict=True))


def _quoting(result: SweepTable, dimensions: Sequence[str]) -> Literal[0, 1]:
    """What is put in quotes: what has to be, as a rule."""
    # A carriage return within a name would end the line for many readers, but the writer does not think of it.
    names = (name for dimension in dimensions for name in (dimension, *result.coordinates[dimension].tolist()))
    return csv.QUOTE_ALL if any("\r" in name for name in names if isinstance(name, str)) else csv.QUOTE_MINIMAL


def _places(result: SweepTable, inner: tuple[str, ...], names: Sequence[str]) -> NDArray[np.intp]:
    """Rows that there are, as places in an array of the grid's and the inner dimensions."""
    shape = (*result.shape, *(result.coordinates[name].size for name in inner))
    there = np.zeros(shape, dtype=np.bool_)
    for name in names:
        found = result.quantities[name]
        # A single number is in every cell, whatever classes it has: it makes no row.
        if found.values.ndim == len(shape):
            there |= True if found.missing is None else ~found.missing
    if not inner:
        there[...] = True
    computed = result.complete.reshape(*result.shape, *(1 for _ in inner))
    possible = result.possible.reshape(*result.shape, *(1 for _ in inner))
    return np.flatnonzero(np.where(computed, there, possible))


def _parts(places: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    return (places[start : start + _ROWS] for start in range(0, places.size, _ROWS))


def _column(found: Quantity, where: tuple[NDArray[np.intp], ...]) -> list[str]:
    place = where[: found.values.ndim + 1]
    texts = _text(found.values[None][place])
    if found.missing is None:
        return texts
    return ["" if gone else text for text, gone in zip(texts, found.missing[None][place].tolist(), strict=True)]


def _text(values: AnyArray) -> list[str]:
    spelled: Any = str if values.dtype.kind == "U" else repr
    return [spelled(value) for value in values.tolist()]
