"""From the cells of a sweep to one table: what they found, stacked along the axes of the grid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import AnyArray, Quantity, Table

if TYPE_CHECKING:
    from simulate.sweeps.configuration import Configuration
    from simulate.sweeps.grid import Grid

__all__ = ["SweepTable", "axis_labels", "gather"]

Found = Sequence[tuple[tuple[int, ...], Table]]
"""Tables of the cells that were computed, each with its place in the grid."""
_TAKEN = ("class", "stratum", "checkpoint", "base", "context", "complete", "possible", "dimensions")
"""Names in a result or in its files that no axis can have."""
_MOST_WHOLE = 1 << 53
"""Whole numbers beyond this are not all floating-point numbers."""


def gather(grid: Grid, read: Callable[[Configuration], Table | None]) -> SweepTable:
    """Stack the tables of a grid's cells.

    Parameters
    ----------
    grid : Grid
        Whose cells.
    read : callable
        From a cell's configuration to its table; ``None`` for a cell that was not computed.

    Returns
    -------
    SweepTable
        Along the axes of the grid, named by their settings (``axis.…`` in front where a quantity or dimension has that
        name), then along the cells' own dimensions. A dimension has the labels of all cells: numbers in increasing
        order, text in the order in which the grid's cells bring it up; what a cell does not have is missing in it.

    Raises
    ------
    ValueError
        Cells have quantities of one name that are not alike.

    Notes
    -----
    All tables are in memory at once, and the result beside them: about twice their size where cells have the same
    labels. Where they differ (an axis ``num_classes``), every quantity takes room for all labels in all cells.
    """
    cells = [(cell.index, read(cell.configuration)) for cell in grid.cells]
    found = [(index, table) for index, table in cells if table is not None]
    inner = _joined(table for _, table in found)
    quantities = _stacked(found, inner, grid.shape)
    taken = {*_TAKEN, *quantities, *(f"{name}_missing" for name in quantities)}
    names = _axis_names([axis.name for axis in grid.axes], taken)
    labels = {name: axis_labels(axis.values) for name, axis in zip(names, grid.axes, strict=True)}
    return SweepTable(
        axes=tuple(names),
        coordinates=labels | inner,
        quantities={name: _along(names, one) for name, one in quantities.items()},
        complete=_marked(grid.shape, [index for index, _ in found]),
        possible=_marked(grid.shape, [index for index, _ in cells]),
        description=_description(grid),
    )


def axis_labels(values: Sequence[Any]) -> AnyArray:
    """Labels of an axis: whole numbers, numbers, or text where not all values are numbers.

    Examples
    --------
    >>> axis_labels([1, 2]).dtype.kind, axis_labels([1, 0.5]).tolist(), axis_labels(["bayes", "adahedge"]).tolist()
    ('i', [1.0, 0.5], ['bayes', 'adahedge'])
    >>> axis_labels([False, True]).tolist(), axis_labels([1, "1"]).tolist()
    (['false', 'true'], ['1', '"1"'])
    """
    kinds = {type(value) for value in values}
    whole = [value for value in values if type(value) is int]
    if kinds == {int} and all(abs(value) < 1 << 63 for value in whole):
        return np.array(values, dtype=np.int64)
    if kinds <= {int, float} and all(abs(value) <= _MOST_WHOLE for value in whole):
        return np.array(values, dtype=np.float64)
    text = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return np.array(text if len(set(text)) == len(text) else [json.dumps(value) for value in values])


def _axis_names(names: Sequence[str], taken: set[str]) -> list[str]:
    """Names of the axes, told apart from those of quantities and dimensions, as an axis of cases may have any."""
    found: list[str] = []
    for name in names:
        own = name
        while own in taken or own in found or (own != name and own in names):
            own = f"axis.{own}"
        found.append(own)
    return found


def _along(axes: Sequence[str], one: Quantity) -> Quantity:
    return Quantity(
        dimensions=(*axes, *one.dimensions[len(axes) :]),
        values=one.values,
        missing=one.missing,
        unit=one.unit,
        meaning=one.meaning,
    )


def _joined(tables: Iterable[Table]) -> dict[str, AnyArray]:
    """Labels of every dimension, of all tables."""
    parts: dict[str, dict[bytes, AnyArray]] = {}
    for table in tables:
        for name, labels in table.coordinates.items():
            # Most cells have the same labels: equal ones are looked at once.
            parts.setdefault(name, {}).setdefault(labels.dtype.str.encode() + labels.tobytes(), labels)
    return {name: _union(name, list(different.values())) for name, different in parts.items()}


def _union(dimension: str, parts: list[AnyArray]) -> AnyArray:
    if len(parts) == 1:
        return parts[0]
    kinds = {part.dtype.kind for part in parts}
    if len(kinds) > 1 and "U" in kinds:
        raise ValueError(f"labels of {dimension!r} are text in one cell and numbers in another")
    together = np.concatenate(parts)
    return np.array(list(dict.fromkeys(together.tolist()))) if kinds == {"U"} else np.unique(together)


def _stacked(found: Found, inner: Mapping[str, AnyArray], shape: tuple[int, ...]) -> dict[str, Quantity]:
    """Every quantity over the whole grid; the first dimensions, those of the grid, have their numbers as names."""
    axes = tuple(map(str, range(len(shape))))
    names = dict.fromkeys(name for _, table in found for name in table.quantities)
    places = _Places(inner)
    return {name: _stack(name, found, places, axes, shape) for name in names}


def _stack(name: str, found: Found, places: _Places, axes: tuple[str, ...], shape: tuple[int, ...]) -> Quantity:
    first = next(table.quantities[name] for _, table in found if name in table.quantities)
    whole = (*shape, *(places.labels[dimension].size for dimension in first.dimensions))
    values, missing = np.zeros(whole, dtype=first.values.dtype), np.ones(whole, dtype=np.bool_)
    for index, table in found:
        own = table.quantities.get(name)
        if own is None:
            continue
        if (own.dimensions, own.unit, own.values.dtype) != (first.dimensions, first.unit, first.values.dtype):
            raise ValueError(f"{name!r} is not alike in all cells: other dimensions, units or types")
        place = places.of(table, own.dimensions)
        # With the ellipsis these are views, even of a grid without axes.
        cell: Any = (*index, ...)
        values[cell][place] = own.values
        missing[cell][place] = False if own.missing is None else own.missing
    return Quantity(
        dimensions=(*axes, *first.dimensions),
        values=values,
        missing=missing if missing.any() else None,
        unit=first.unit,
        meaning=first.meaning,
    )


class _Places:
    """Where the labels of a table are among those of all tables."""

    def __init__(self, labels: Mapping[str, AnyArray]) -> None:
        self.labels = labels
        self._numbers: dict[str, dict[Any, int]] = {}

    def of(self, table: Table, dimensions: tuple[str, ...]) -> Any:
        """An index of the table's labels along the dimensions."""
        if all(np.array_equal(table.coordinates[name], self.labels[name]) for name in dimensions):
            return ...
        return np.ix_(*(self._along(name, table.coordinates[name]) for name in dimensions))

    def _along(self, name: str, labels: AnyArray) -> list[int]:
        if name not in self._numbers:
            self._numbers[name] = {label: place for place, label in enumerate(self.labels[name].tolist())}
        return [self._numbers[name][label] for label in labels.tolist()]


def _marked(shape: tuple[int, ...], places: Sequence[tuple[int, ...]]) -> Any:
    marked = np.zeros(shape, dtype=np.bool_)
    for place in places:
        marked[place] = True
    return marked


def _description(grid: Grid) -> dict[str, str | int]:
    """How the grid is computed, for those who find an exported file years later."""
    return {
        "measure": grid.measure,
        "steps": grid.steps,
        "replicates": grid.replicates,
        "seed": grid.seed,
        "common_random_numbers": str(grid.common_random_numbers).lower(),
        "options": json.dumps(dict(grid.options), sort_keys=True),
        "setting": json.dumps(_common_setting(grid), sort_keys=True),
    }


def _common_setting(grid: Grid) -> Any:
    """Complete settings of all cells, without those that an axis changes."""
    moved = {key for axis in grid.axes for case in axis.changes for key, _ in case}

    def kept(place: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        inner = {key: (f"{place}{key}.", entry) for key, entry in value.items()}
        return {key: kept(*entry) for key, entry in inner.items() if entry[0].removeprefix("task.")[:-1] not in moved}

    return kept("", grid.cells[0].configuration.setting)
