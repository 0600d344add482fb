"""``replay(file)``: compute a stored cell again from what it says of itself, and compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.cell_file import StoredCell, array_bytes, read_cell
from simulate.sweeps.measures import measure
from simulate.sweeps.provenance import provenance


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """An array that came out differently.

    Parameters
    ----------
    name : str
        Name of the array.
    largest : float or None
        Largest absolute difference; ``None`` where the arrays cannot be subtracted.
    """

    name: str
    largest: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """A stored cell and what came out when it was computed again.

    Parameters
    ----------
    cell : StoredCell
        What the file holds.
    arrays : int
        Number of arrays that were compared.
    deviations : tuple of Deviation
        Arrays whose bytes differ.
    versions : mapping of str to (str, str)
        Versions that are others now: then and now.
    """

    cell: StoredCell
    arrays: int
    deviations: tuple[Deviation, ...]
    versions: Mapping[str, tuple[str, str]]


def replay(path: str | Path) -> Replay:
    """Compute a stored cell again and compare its arrays, byte for byte.

    Parameters
    ----------
    path : str or Path
        The cell's file.

    Raises
    ------
    CellFileError
        The file is no cell, or was altered.
    SettingError
        A file that the cell's settings name has other contents now.
    """
    cell = read_cell(Path(path))
    cell.configuration.check_files()
    stored, computed = cell.table.to_arrays(), measure(cell.configuration).to_arrays()
    names = [*stored, *(name for name in computed if name not in stored)]
    deviations = [_deviation(name, stored.get(name), computed.get(name)) for name in names]
    then, now = cell.provenance.get("versions", {}), provenance(0.0)["versions"]
    return Replay(
        cell=cell,
        arrays=len(names),
        deviations=tuple(found for found in deviations if found is not None),
        versions={name: (then[name], now[name]) for name in now if name in then and then[name] != now[name]},
    )


def _deviation(name: str, stored: NDArray[Any] | None, computed: NDArray[Any] | None) -> Deviation | None:
    if stored is None or computed is None:
        return Deviation(name=name, largest=None)
    if array_bytes(stored) == array_bytes(computed):
        return None
    if stored.shape != computed.shape or stored.dtype != computed.dtype or stored.dtype.kind not in "fi":
        return Deviation(name=name, largest=None)
    return Deviation(name=name, largest=float(np.abs(computed - stored).max()))
